"""What is to be published and was not yet: the latest of each topic, the urgent first. Pure."""

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

    What is retained waits once a topic, and a room once with all of its topics: what comes later takes the
    place of what came earlier and keeps its turn, or gets an urgent one. What is not retained is told one by
    one, and always urgently. What clears a topic, or is `late`, waits until nothing else does: no
    state waits for it, however much it is.

    Args:
        write_up: makes the messages of a statement. When all rooms change at once, those of all of them would
            take more memory than everything that is known.
        topics_of: the topics of a room, by its id, that these messages are on.
    """

    def __init__(
        self,
        write_up: Callable[[Statement], Iterable[Message]],
        topics_of: Callable[[str], Iterable[str]],
    ) -> None:
        self._write_up = write_up
        self._topics_of = topics_of
        # By topic, by room id, which is none, or by number. Not plain dicts: of these the first is the harder
        # to find the more were taken before it.
        self._urgent: OrderedDict[str | int, Message | Statement] = OrderedDict()
        self._bulk: OrderedDict[str | int, Message | Statement] = OrderedDict()
        self._late: OrderedDict[str | int, Message | Statement] = OrderedDict()
        self._turn: deque[Message] = deque()  # of the room whose turn it is, what is left
        self._count = 0

    def __bool__(self) -> bool:
        return self.pressing or bool(self._late)

    def __len__(self) -> int:
        """How many things wait; a room is one."""
        return len(self._turn) + len(self._urgent) + len(self._bulk) + len(self._late)

    @property
    def pressing(self) -> bool:
        """Whether anything waits that is not late."""
        return bool(self._turn or self._urgent or self._bulk)

    def put(self, message: Message, *, urgent: bool = False, late: bool = False) -> None:
        """Adds a message."""
        if message.retain and (late or not message.payload):
            self._drop(message.topic)
            self._late[message.topic] = message
        elif not message.retain:
            self._count += 1
            self._urgent[self._count] = message
        else:
            self._put(message.topic, message, urgent=urgent)

    def put_room(self, statement: Statement, *, urgent: bool = False) -> None:
        """Adds all messages of a room."""
        room_id = statement.room.id
        for topic in self._topics_of(room_id):  # such as what clears them, from when it was gone
            self._drop(topic)
        self._put(room_id, statement, urgent=urgent)

    def put_row(self, messages: Iterable[Message]) -> None:
        """Adds messages that go out next, one right after the other."""
        self._turn.extend(messages)

    def drop_room(self, room_id: str) -> None:
        """A room is gone: what was to be told of it is not."""
        self._drop(room_id)

    def take(self, now: datetime) -> tuple[Message | None, list[Message]]:
        """The message whose turn it is, if any, and those before it that have expired their time."""
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

    def _first(self) -> Message | None:
        while True:
            if self._turn:
                # Before all else: what is said of the room from now on comes after it.
                return self._turn.popleft()
            queue = self._urgent or self._bulk or self._late
            if not queue:
                for empty in (self._urgent, self._bulk, self._late):
                    empty.clear()  # else they stay as large as they ever were
                return None
            _, waiting = queue.popitem(last=False)
            if isinstance(waiting, Message):
                return waiting
            self._turn.extend(self._write_up(waiting))


class InitialPublication:
    """Topics, and rooms whose turn has not come, of which it takes only the ids. True while there are any."""

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = set(topics)
        self._rooms: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._topics or self._rooms)

    def add_room(self, room_id: str) -> None:
        """All of a room is owed."""
        self._rooms.add(room_id)

    def drop_room(self, room_id: str) -> None:
        """A room is gone before its turn came: nothing is owed of it."""
        self._rooms.discard(room_id)

    def start_room(self, room_id: str, topics: Iterable[str]) -> None:
        """A room's turn has come, and it is told on these topics."""
        if room_id in self._rooms:
            self._rooms.remove(room_id)
            self._topics.update(topics)

    def acknowledge(self, topic: str) -> None:
        """Something on a topic was acknowledged, or is not to be told any more."""
        self._topics.discard(topic)
