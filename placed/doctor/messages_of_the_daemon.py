"""The messages that the daemon will publish for given settings and rooms, one for each topic. Pure.

They are made by the daemon's own functions, so that the doctor tries the same topics with messages of the
same size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.calendar_event_detection import Event, EventKind
from placed.domain.connection_health import ConnectionHealth
from placed.domain.machine_clock_health import ClockHealth, ClockState
from placed.domain.model import Meeting, Occupancy, Status
from placed.domain.state_document import Statement, state_document
from placed.mqtt.discovery.home_assistant import Discovery
from placed.mqtt.messages import (
    BridgeInfo,
    Message,
    bridge_health,
    bridge_info,
    event_message,
    online,
    room_messages,
)
from placed.mqtt.room_index import encode_at_once, encode_rooms, index_message
from placed.mqtt.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from placed.domain.model import Room
    from placed.settings.schema import Settings

_TEXT = "x" * 120  # a long title or name; the document allows 255 characters
_EPOCH = 2_000_000_000
_INSTANCE = "00000000"


def expected_messages(
    settings: Settings, rooms: Iterable[Room], *, version: str, now: datetime
) -> Iterator[Message]:
    """Returns one message for each topic that the daemon will publish on; none without `settings.mqtt`.

    Each message has the topic, the retain flag and about the size of the daemon's own: a room has two
    meetings, with a long title and organizer where the privacy setting shows them. The content is invented,
    so none of these messages may stay on the broker.
    """
    if settings.mqtt is None:
        return
    rooms = list(rooms)
    topics = Topics.of(settings.mqtt, settings.home_assistant)
    info, plain = BridgeInfo.of(settings, version), settings.mqtt.plain_topics
    health = [ConnectionHealth(c.name, c.driver, rooms=len(rooms)) for c in settings.connections]
    yield online(topics, _EPOCH, _INSTANCE, now)
    yield bridge_info(topics, info, _EPOCH, len(rooms))
    yield bridge_health(topics, health, _EPOCH, now, ClockHealth(ClockState.UNSET, now))
    document = bytearray()
    encode_at_once(encode_rooms(document, topics, rooms, (), plain=plain))
    yield index_message(topics, document, _EPOCH)
    discovery = Discovery(topics, info, settings.home_assistant.status_topic) if topics.discovery else None
    if discovery is not None:
        yield from discovery.bridge()
    for room in rooms:
        statement = _statement(settings, room, now)
        yield from room_messages(topics, statement, plain=plain)
        event = Event(EventKind.STARTED, now, statement.occupancy.current)
        yield event_message(topics, statement, event, settings.privacy.show, now)
        if discovery is not None:
            yield from discovery.room(room)
            yield from discovery.buttons(room)


def _statement(settings: Settings, room: Room, now: datetime) -> Statement:
    """A statement with all fields set: the longest document that is usual."""
    now = now.replace(microsecond=0)
    current, following = (
        Meeting("", now, now + settings.policy.expire_after, title=_TEXT, organizer=_TEXT) for _ in range(2)
    )
    occupancy = Occupancy(
        Status.BUSY,
        stale=False,
        valid_until=now + settings.policy.expire_after,
        current=current,
        next=following,
        busy_until=now,
        free_until=now,
        observed_at=now,
    )
    document = state_document(
        room, occupancy, changed_at=now, epoch=_EPOCH, seq=_EPOCH, show=settings.privacy.show
    )
    return Statement(room, occupancy, now, _EPOCH, _EPOCH, document)
