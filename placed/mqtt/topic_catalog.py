"""What the daemon publishes for given settings and rooms: every topic, and a message of its size. Pure.

The daemon and `placed doctor` share this module: what the doctor tries at the broker is what the daemon will
publish there, and both agree on which topics matter.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from placed.domain.clock_health import ClockHealth, ClockState
from placed.domain.connection_health import ConnectionHealth
from placed.domain.model import Meeting, Occupancy, Status
from placed.domain.room_events import Event, Happening
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
from placed.mqtt.room_index import index_message
from placed.mqtt.topics import Topics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from placed.domain.model import Room
    from placed.settings.schema import HomeAssistant, Mqtt, Settings

_TEXT = "x" * 120  # a long title or name; the document allows 255 characters
_EPOCH = 2_000_000_000
_INSTANCE = "00000000"
_INSTANCE_KEY = "instance"
# MQTT 5, 2.2.2: an identifier of one byte, and what follows it.
_PAYLOAD_FORMAT, _EXPIRY, _TEXT_PROPERTY = 2, 5, 3
_LENGTHS = (0x80, 0x4000, 0x200000)  # from here on a variable byte integer takes a byte more (1.5.5)


class Weight(Enum):
    """What depends on a topic."""

    STATE = "state"  # whether panels show what is true: /readyz and READY depend on it
    PLAIN = "plain"  # the same for building systems and for lists of rooms: /readyz depends on it
    OPTIONAL = "optional"  # neither does


def weight(topics: Topics, topic: str) -> Weight:
    """What depends on a topic; of one that is not the daemon's, nothing."""
    if topic == topics.bridge_state:
        return Weight.STATE
    if topic == topics.rooms:
        return Weight.PLAIN
    room_id = topics.room_of(topic)
    if room_id is None:
        return Weight.OPTIONAL
    if topic in (topics.state(room_id), topics.availability(room_id)):
        return Weight.STATE
    if topic in (topics.occupied(room_id), topics.status(room_id)):
        return Weight.PLAIN
    return Weight.OPTIONAL


def topics_for(mqtt: Mqtt, home_assistant: HomeAssistant) -> Topics:
    """The topics of these settings."""
    return Topics(
        mqtt.base_topic,
        discovery=home_assistant.discovery_prefix if home_assistant.discovery else None,
    )


def info_for(settings: Settings, version: str) -> BridgeInfo:
    """What `bridge/info` says under these settings."""
    return BridgeInfo(
        version=version,
        freshness_budget=settings.policy.freshness_budget,
        life=settings.policy.expire_after,
        connections=tuple(connection.name for connection in settings.connections),
    )


def expected_messages(
    settings: Settings, rooms: Iterable[Room], *, version: str, now: datetime
) -> Iterator[Message]:
    """Everything that the daemon will publish for these settings and rooms, one message for each topic.

    Each has the topic, the retain flag and about the size of the daemon's own: both meetings are there, with
    a long title and organizer where the privacy setting shows them. Nothing of it is true of the rooms, so
    none of it may stay on the broker. Without `settings.mqtt` there is nothing.
    """
    if settings.mqtt is None:
        return
    rooms = list(rooms)
    topics = topics_for(settings.mqtt, settings.home_assistant)
    info, plain = info_for(settings, version), settings.mqtt.plain_topics
    health = [ConnectionHealth(c.name, c.driver, rooms=len(rooms)) for c in settings.connections]
    yield online(topics, _EPOCH, _INSTANCE, now)
    yield bridge_info(topics, info, _EPOCH, len(rooms))
    yield bridge_health(topics, health, _EPOCH, now, ClockHealth(ClockState.UNSET, now))
    yield index_message(topics, rooms, (), _EPOCH, plain=plain)
    discovery = Discovery(topics, info, settings.home_assistant.status_topic) if topics.discovery else None
    if discovery is not None:
        yield from discovery.bridge()
    for room in rooms:
        statement = _statement(settings, room, now)
        yield from room_messages(topics, statement, plain=plain)
        event = Event(Happening.STARTED, now, statement.occupancy.current)
        yield event_message(topics, statement, event, settings.privacy.show, now)
        if discovery is not None:
            yield from discovery.room(room)


def packet_size(message: Message, *, v5: bool) -> int:
    """Bytes of the whole PUBLISH packet, as the daemon sends it with QoS 1."""
    body = 2 + len(message.topic.encode()) + 2 + len(message.payload)
    if v5:
        properties = _properties(message) if message.payload else 0
        body += _length(properties) + properties
    return 1 + _length(body) + body


def _properties(message: Message) -> int:
    size = _PAYLOAD_FORMAT + _TEXT_PROPERTY + len("application/json" if message.json else "text/plain")
    if message.expires_at is not None:
        size += _EXPIRY
    if message.instance:
        size += _TEXT_PROPERTY + len(_INSTANCE_KEY) + 2 + len(message.instance)
    return size


def _length(size: int) -> int:
    return 1 + sum(size >= limit for limit in _LENGTHS)


def _statement(settings: Settings, room: Room, now: datetime) -> Statement:
    """A room between two meetings of which all is known; the longest document that is usual."""
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
