"""Makes messages from statements and health: topic, payload, retain flag and properties. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from placed.domain.model import Status
from placed.domain.mqtt_delivery_status import documents
from placed.domain.presence import PresenceState
from placed.domain.state_document import SCHEMA, meeting_document
from placed.domain.timestamps import timestamp
from placed.mqtt.client.publish_properties import PublishProperties

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from placed.domain.calendar_event_detection import Event
    from placed.domain.command_sink import Offer
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.machine_clock_health import ClockHealth
    from placed.domain.mqtt_delivery_status import Undelivered
    from placed.domain.privacy import Show
    from placed.domain.state_document import Statement
    from placed.mqtt.client.publish_properties import Received
    from placed.mqtt.topics import Topics
    from placed.settings.schema import Settings

ONLINE_HOLDS = timedelta(seconds=90)
HEALTH_HOLDS = timedelta(minutes=3)
EVENT_HOLDS = timedelta(seconds=60)

_encode = msgspec.json.Encoder().encode
_SECOND = timedelta(seconds=1)
# For the size of a packet. MQTT 5, 2.2.2: an identifier of one byte, and what follows it.
_PAYLOAD_FORMAT, _EXPIRY, _TEXT_PROPERTY = 2, 5, 3
_JSON_PROPERTIES = _PAYLOAD_FORMAT + _TEXT_PROPERTY + len("application/json")
_TEXT_PROPERTIES = _PAYLOAD_FORMAT + _TEXT_PROPERTY + len("text/plain")
_LONGEST_EXPIRY = 2**32 - 1  # seconds, some 136 years: MQTT 5, 1.5.3
_MOST_BESIDE = 150  # bytes of a packet beside its topic and payload
_LENGTHS = (0x80, 0x4000, 0x200000)  # from here on a variable byte integer takes one byte more (1.5.5)
INSTANCE = "instance"  # key of the user property that names the running program that published a message


@dataclass(frozen=True, slots=True)
class BridgeInfo:
    """What `bridge/info` contains besides the epoch and the number of rooms; and which buttons there are."""

    version: str
    freshness_budget: timedelta  # the greatest age of a reading; beyond it a room is unknown
    connections: tuple[str, ...]  # the names of all connections in the settings, read or not
    life: timedelta | None = None  # the longest validity of a statement; by default the budget
    offers: Mapping[str, Offer] = field(default_factory=dict)  # for buttons in Home Assistant, by connection

    @classmethod
    def of(cls, settings: Settings, version: str) -> BridgeInfo:
        """Returns the information for these settings."""
        return cls(
            version=version,
            freshness_budget=settings.policy.freshness_budget,
            life=settings.policy.expire_after,
            connections=tuple(connection.name for connection in settings.connections),
            offers=offers_for_buttons(settings),
        )


def offers_for_buttons(settings: Settings) -> dict[str, Offer]:
    """Returns what Home Assistant shows buttons for, by connection; nothing if they are off."""
    if not (settings.home_assistant.discovery and settings.home_assistant.actions):
        return {}
    return {c.name: offer for c in settings.connections if (offer := c.offer) is not None}


class Message(msgspec.Struct, frozen=True, gc=False):
    """One publish. An empty payload clears what the broker holds on the topic."""

    topic: str
    payload: bytes
    retain: bool = True
    expires_at: datetime | None = None
    json: bool = True
    instance: str = ""  # which running program published it; a user property

    def expired(self, now: datetime) -> bool:
        """Returns whether the message must not be sent any more."""
        return self.expires_at is not None and self.expires_at <= now

    def expiry(self, now: datetime) -> int | None:
        """Returns the seconds until it expires, rounded up, at least one; None if it never expires."""
        return _seconds_until(self.expires_at, now) if self.expires_at is not None else None


@lru_cache(maxsize=64)  # the messages of a room expire together, and many rooms do
def _seconds_until(expires_at: datetime, now: datetime) -> int:
    return min(max(1, -((now - expires_at) // _SECOND)), _LONGEST_EXPIRY)


def online(topics: Topics, epoch: int, instance: str, now: datetime) -> Message:
    """Returns `{"state":"online","epoch":7}`, which panels believe for `ONLINE_HOLDS`."""
    document = {"state": "online", "epoch": epoch}
    return Message(topics.bridge_state, _encode(document), expires_at=now + ONLINE_HOLDS, instance=instance)


def offline(topics: Topics, epoch: int, instance: str) -> Message:
    """Returns `{"state":"offline","epoch":7}`. It is true until the daemon is back, so it does not expire."""
    return Message(topics.bridge_state, _encode({"state": "offline", "epoch": epoch}), instance=instance)


def bridge_info(topics: Topics, info: BridgeInfo, epoch: int, rooms: int) -> Message:
    """Returns the message that describes the daemon."""
    document = {
        "schema": SCHEMA,
        "version": info.version,
        "epoch": epoch,
        "connections": list(info.connections),
        "rooms": rooms,
        "freshness_budget": info.freshness_budget.total_seconds(),
    }
    return Message(topics.bridge_info, _encode(document))


def bridge_health(  # noqa: PLR0913 - the document has that many parts
    topics: Topics,
    health: Iterable[ConnectionHealth],
    epoch: int,
    now: datetime,
    clock: ClockHealth | None = None,
    *,
    undelivered: Iterable[Undelivered] = (),
) -> Message:
    """Returns the health of all connections by name, of the clock, and what the broker refuses."""
    document = {
        "schema": SCHEMA,
        "epoch": epoch,
        "at": timestamp(now),
        "connections": [h.document() for h in sorted(health, key=lambda h: h.name)],
        "clock": clock.document() if clock is not None else None,
        "undelivered": documents(undelivered),
    }
    return Message(topics.bridge_health, _encode(document), expires_at=now + HEALTH_HOLDS)


def room_messages(topics: Topics, statement: Statement, *, plain: bool) -> list[Message]:
    """Returns the retained messages of a statement; `plain` adds those for building systems."""
    room_id, occupancy = statement.room.id, statement.occupancy
    until, occupied = occupancy.valid_until, occupancy.occupied  # an unknown room is neither ON nor OFF
    messages = [
        Message(topics.state(room_id), statement.document, expires_at=until),
        _word(topics.availability(room_id), "offline" if occupied is None else "online", until),
    ]
    if plain:
        topic = topics.occupied(room_id)
        messages += (
            clear(topic) if occupied is None else _word(topic, "ON" if occupied else "OFF", until),
            _word(topics.status(room_id), occupancy.status.value, until),
        )
        if statement.presence is not None or statement.had_presence:
            messages.append(_presence(topics.presence(room_id), statement))
    return messages


def _presence(topic: str, statement: Statement) -> Message:
    presence = statement.presence
    if presence is None or presence.state is PresenceState.UNKNOWN:
        return clear(topic)
    word = "ON" if presence.state is PresenceState.PRESENT else "OFF"
    return _word(topic, word, statement.occupancy.valid_until)


def event_message(topics: Topics, statement: Statement, event: Event, show: Show, now: datetime) -> Message:
    """Returns the message of an event, which is not retained."""
    document = {
        "schema": SCHEMA,
        "room": statement.room.id,
        "event": event.happening.value,
        "at": timestamp(event.at),
        "meeting": meeting_document(event.meeting, show) if event.meeting else None,
        "previous": {"start": timestamp(event.before.start), "end": timestamp(event.before.end)}
        if event.before
        else None,
        "epoch": statement.epoch,
        "seq": statement.seq,
    }
    if event.rehearsal is not None:
        document |= {"rehearsal": event.rehearsal, "strikes": event.strikes}
    return Message(
        topics.event(statement.room.id), _encode(document), retain=False, expires_at=now + EVENT_HOLDS
    )


def instance_of(message: Received) -> str | None:
    """Returns which instance of placed published a message of MQTT 5; None if it does not name one."""
    return next((value for name, value in message.user if name == INSTANCE), None)


def clear(topic: str) -> Message:
    """Returns the message that removes the retained message on a topic."""
    return Message(topic, b"")


def unknown_room_messages(topics: Topics, room_id: str) -> Iterator[Message]:
    """Yields the plain messages of a room that an earlier run published and that is not on the board yet."""
    yield _word(topics.availability(room_id), "offline", None)
    yield clear(topics.occupied(room_id))
    yield _word(topics.status(room_id), Status.UNKNOWN.value, None)
    yield clear(topics.presence(room_id))


def _word(topic: str, word: str, until: datetime | None) -> Message:
    return Message(topic, word.encode(), expires_at=until, json=False)


def properties_of(message: Message, expiry: int | None = None) -> PublishProperties:
    """Returns the properties of a message in MQTT 5; `expiry` is in seconds."""
    return _properties(expiry, json=message.json, instance=message.instance)


@lru_cache(maxsize=256)
def _properties(expiry: int | None, *, json: bool, instance: str) -> PublishProperties:
    content_type = "application/json" if json else "text/plain"
    return PublishProperties(expiry, content_type, ((INSTANCE, instance),) if instance else ())


def packet_size(message: Message, *, v5: bool) -> int:
    """Returns the size in bytes of the whole PUBLISH packet with QoS 1."""
    topic, payload = message.topic, message.payload
    body = 4 + (len(topic) if topic.isascii() else len(topic.encode())) + len(payload)
    if v5:
        body += 1 + _property_bytes(message) if payload else 1
    if body < _LENGTHS[0]:
        return 2 + body
    return 3 + body if body < _LENGTHS[1] else 4 + body if body < _LENGTHS[2] else 5 + body


def largest_size(message: Message) -> int:
    """Returns a number of bytes that the packet does not exceed, whatever the version of MQTT."""
    return _MOST_BESIDE + 4 * len(message.topic) + len(message.payload)


def _property_bytes(message: Message) -> int:
    """Returns the size of the properties, which is below 128 bytes."""
    size = _JSON_PROPERTIES if message.json else _TEXT_PROPERTIES
    if message.expires_at is not None:
        size += _EXPIRY
    if message.instance:
        size += _TEXT_PROPERTY + len(INSTANCE) + 2 + len(message.instance)
    return size
