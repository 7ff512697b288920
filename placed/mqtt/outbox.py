"""The outbox: messages that wait to be sent, the latest of each topic, urgent ones first. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from placed.mqtt.messages import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from placed.domain.state_document import Statement


class Outbox:
    """Waiting messages, and rooms whose messages are made when their turn comes.

    A retained message waits once for its topic, and a room once for all of its topics: a later one replaces
    an earlier one and keeps its turn, or gets an urgent one. Messages that are not retained are all sent, and
    are always urgent. Messages that clear a topic, or are `late`, wait until no other message does, so that
    no state waits for them.

    Args:
        messages_of: makes the messages of a statement. If they were made when all rooms change at once, they
            would take more memory than everything else.
        topics_of: returns the topics of these messages, by the room's id.
    """

    def __init__(
        self,
        messages_of: Callable[[Statement], Iterable[Message]],
        topics_of: Callable[[str], Iterable[str]],
    ) -> None:
        self._messages_of = messages_of
        self._topics_of = topics_of
        # By topic, by room id (which is no topic), or by number. Not plain dicts: the more items were removed
        # from a dict, the longer it takes to find its first one.
        self._urgent: OrderedDict[str | int, Message | Statement] = OrderedDict()
        self._bulk: OrderedDict[str | int, Message | Statement] = OrderedDict()
        self._late: OrderedDict[str | int, Message | Statement] = OrderedDict()
        self._topics: set[str] = set()  # those by which messages wait
        self._turn: deque[Message] = deque()  # the rest of the room whose turn it is
        self._count = 0

    def __bool__(self) -> bool:
        return self.pressing or bool(self._late)

    def __len__(self) -> int:
        """How many messages and rooms wait."""
        return len(self._turn) + len(self._urgent) + len(self._bulk) + len(self._late)

    @property
    def pressing(self) -> bool:
        """Whether any message waits that is neither late nor clears a topic."""
        return bool(self._turn or self._urgent or self._bulk)

    def put(self, message: Message, *, urgent: bool = False, late: bool = False) -> None:
        """Adds a message."""
        if not message.retain:
            self._count += 1
            self._urgent[self._count] = message
            return
        if late or not message.payload:
            self._drop(message.topic)
            self._late[message.topic] = message
        else:
            self._put(message.topic, message, urgent=urgent)
        self._topics.add(message.topic)

    def put_room(self, statement: Statement, *, urgent: bool = False) -> None:
        """Adds all messages of a room."""
        room_id = statement.room.id
        if self._topics:  # such as messages that clear those of the room, from when it was removed
            for topic in self._topics.intersection(self._topics_of(room_id)):
                self._drop(topic)
        self._put(room_id, statement, urgent=urgent)

    def put_row(self, messages: Iterable[Message]) -> None:
        """Adds messages that go out next, one right after the other."""
        self._turn.extend(messages)

    def drop_room(self, room_id: str) -> None:
        """Drops the waiting statement of a room that was removed."""
        self._drop(room_id)

    def take(self, now: datetime) -> tuple[Message | None, list[Message]]:
        """Removes and returns the next message, if any, and the messages before it that have expired."""
        if self._turn and not self._turn[0].expired(now):  # the usual case
            return self._turn.popleft(), []
        expired: list[Message] = []
        while (message := self._first()) is not None:
            if not message.expired(now):
                return message, expired
            expired.append(message)
        return None, expired

    def _put(self, key: str, waiting: Message | Statement, *, urgent: bool) -> None:
        self._late.pop(key, None)
        if urgent or key in self._urgent:
            self._bulk.pop(key, None)
            self._urgent[key] = waiting
        else:
            self._bulk[key] = waiting

    def _drop(self, key: str) -> None:
        self._urgent.pop(key, None)
        self._bulk.pop(key, None)
        self._late.pop(key, None)
        self._topics.discard(key)

    def _first(self) -> Message | None:
        while True:
            if self._turn:
                # Before all others: later messages of the room must follow it.
                return self._turn.popleft()
            queue = self._urgent or self._bulk or self._late
            if not queue:
                for empty in (self._urgent, self._bulk, self._late, self._topics):
                    empty.clear()  # otherwise they keep the memory of their largest size
                return None
            _, waiting = queue.popitem(last=False)
            if isinstance(waiting, Message):
                self._topics.discard(waiting.topic)
                return waiting
            self._turn.extend(self._messages_of(waiting))


class InitialPublication:
    """Messages of the initial publication that still lack a PUBACK. True while there are any.

    Rooms whose turn has not come are kept by their ids.
    """

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = set(topics)
        self._rooms: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._topics or self._rooms)

    def add_room(self, room_id: str) -> None:
        """Adds all messages of a room."""
        self._rooms.add(room_id)

    def drop_room(self, room_id: str) -> None:
        """Removes a room that was removed before its turn came."""
        self._rooms.discard(room_id)

    def start_room(self, room_id: str, topics: Iterable[str]) -> None:
        """A room's turn has come; its messages are on these topics."""
        if room_id in self._rooms:
            self._rooms.remove(room_id)
            self._topics.update(topics)
            if not self._rooms:
                self._rooms = set()  # the emptied one keeps the memory of its largest size

    def acknowledge(self, topic: str) -> None:
        """A message on the topic was acknowledged, or is not sent any more."""
        self._topics.discard(topic)
