"""Makes the messages that are true now, from the board: for a room, for the bridge, or for any topic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.mqtt.discovery.buttons import offered
from placed.mqtt.messages import (
    bridge_health,
    bridge_info,
    clear,
    online,
    room_messages,
    unknown_room_messages,
)
from placed.mqtt.room_index import encode_at_once, encode_rooms, index_message

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

    from placed.domain.state_document import Statement
    from placed.mqtt.messages import Message
    from placed.mqtt.publisher_context import PublisherContext


class CurrentMessages:
    """The messages of one session.

    Attributes:
        higher_epoch: ids of rooms that an earlier run published with a higher epoch than ours. Their state is
            cleared before the first publication, or panels would take every state of ours for an older one.
    """

    def __init__(self, context: PublisherContext) -> None:
        self.higher_epoch: set[str] = set()
        self._context = context

    def room(self, statement: Statement) -> list[Message]:
        """Returns the messages of a room."""
        room_id, messages = statement.room.id, self._of_room(statement)
        if room_id in self.higher_epoch:
            self.higher_epoch.discard(room_id)
            messages.insert(0, clear(self._context.topics.state(room_id)))
        return messages

    def online(self) -> Message:
        """Returns the message that reports the daemon as online."""
        context = self._context
        return online(context.topics, context.board.epoch, context.instance, context.now())

    def info(self) -> Message:
        """Returns the message that describes the daemon."""
        context = self._context
        return bridge_info(context.topics, context.info, context.board.epoch, len(context.board.rooms))

    def health(self) -> Message:
        """Returns the message with the health of all connections."""
        context, board = self._context, self._context.board
        return bridge_health(
            context.topics,
            board.health.values(),
            board.epoch,
            context.now(),
            board.clock,
            undelivered=context.refusals.undelivered,
        )

    def encode_rooms(self, document: bytearray, presence: Container[str]) -> Iterator[None]:
        """Appends the array of rooms of the index, with pauses in which other tasks can run.

        `presence`: the ids of the rooms whose presence the broker may hold.
        """
        context = self._context
        return encode_rooms(
            document,
            context.topics,
            context.board.rooms,
            context.retained_rooms.undecided,
            plain=context.plain,
            presence=presence,
        )

    def index(self, rooms: bytearray) -> Message:
        """Returns the index of rooms with that array."""
        context = self._context
        return index_message(context.topics, rooms, context.board.epoch, buttons=self._button_names())

    def rooms_with_presence(self) -> set[str]:
        """Returns the ids of the rooms whose presence the broker may hold."""
        context = self._context
        return {s.room.id for s in context.board.statements if context.may_hold_presence(s)}

    def for_topic(self, topic: str, *, clear_first: bool = False) -> Iterable[Message]:
        """Returns the messages that are true now for a topic; none if nothing belongs on it.

        `clear_first`: the topic is cleared before.
        """
        context, topics = self._context, self._context.topics
        room_id = topics.room_of(topic)
        found = [message for message in self._candidates(topic, room_id) if message.topic == topic]
        gone = topic in context.retained_rooms.to_clear or (room_id is not None and not context.plain)
        return [*([clear(topic)] if clear_first or (gone and not found) else []), *found]

    def _whole_index(self) -> Message:
        document = bytearray()
        encode_at_once(self.encode_rooms(document, self.rooms_with_presence()))
        return self.index(document)

    def _button_names(self) -> set[str]:
        context = self._context
        offers = context.info.offers.values() if context.discovery is not None else ()
        return context.retained_rooms.button_names.union(*map(offered, offers))

    def _of_room(self, statement: Statement) -> list[Message]:
        context = self._context
        if context.retained_rooms.holds_presence(statement.room.id):
            statement = replace(statement, had_presence=True)
        return room_messages(context.topics, statement, plain=context.plain)

    def _candidates(self, topic: str, room_id: str | None) -> Iterable[Message]:
        context, topics = self._context, self._context.topics
        bridge = {
            topics.bridge_state: self.online,
            topics.bridge_info: self.info,
            topics.bridge_health: self.health,
            topics.rooms: self._whole_index,
        }
        if topic in bridge:
            return (bridge[topic](),)
        statement = context.board.statement(room_id) if room_id is not None else None
        discovery = context.discovery
        if statement is not None:
            messages = self._of_room(statement)
            if discovery is None:
                return messages
            configs = discovery.presence(context.with_earlier_presence(statement))
            held = context.retained_rooms.held_buttons(statement.room.id)
            buttons = discovery.buttons(statement.room, held)
            return (*messages, *discovery.room(statement.room), *buttons, *configs)
        if room_id is not None and any(entry.id == room_id for entry in context.retained_rooms.undecided):
            return unknown_room_messages(topics, room_id)
        return discovery.bridge() if discovery else ()
