"""Takes from the broker what it holds of one connection's rooms, for `placed disconnect`.

It comes with a client identifier of its own and without a will, so that a daemon beside it is not disturbed.
What else is on the broker stays as it is, to the byte; of the index only those rooms are taken out.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from placed.mqtt.errors import BrokerLost, Trouble
from placed.mqtt.oneshot import connected
from placed.mqtt.room_index import LARGEST, earlier_discovery, earlier_rooms, is_room_id
from placed.mqtt.topics import Topics
from placed.settings.schema import HomeAssistant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from placed.mqtt.client import BrokerClient
    from placed.settings.schema import Mqtt

_RETAINED = 60.0  # seconds for the broker to send all that it holds of rooms
_FAILED = 0x80  # and above, of a SUBACK: MQTT 3.1.1, 3.9.3; MQTT 5, 2.4
_USUAL_PREFIX = HomeAssistant().discovery_prefix
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Retained:
    """What the broker holds.

    Attributes:
        rooms: the ids of the connection's rooms, those that the index lists and those that are told.
        discovery: what the topics begin with of their Home Assistant discovery; None if it is not, or
            if that is not the prefix of the settings.
        index: the index without them; None if it lists none of them.
        online: whether a daemon is there.
        connections: what the daemon said last of its connections.
    """

    rooms: tuple[str, ...] = ()
    index: bytes | None = None
    discovery: str | None = None
    online: bool = False
    connections: tuple[str, ...] = ()


async def look(settings: Mqtt, connection: str, prefix: str = _USUAL_PREFIX) -> Retained:
    """What the broker holds of the connection; `prefix` is that of Home Assistant's topics by the settings.

    Raises:
        BrokerLost: that can not be told.
        CannotStart: files that the settings name can not be used.
    """
    async with connected(settings, "disconnect") as broker:
        return await _look(broker, Topics(settings.base_topic), connection, prefix)


async def clear(settings: Mqtt, connection: str, prefix: str = _USUAL_PREFIX) -> Retained:
    """Clears all topics of the connection's rooms, and takes them out of the index; returns what there was.

    Whatever the index names, only topics below the base topic and `prefix` are cleared: anybody who may
    publish can have written it.

    Raises:
        BrokerLost: it was not all cleared, and can be tried again.
        CannotStart: files that the settings name can not be used.
    """
    topics = Topics(settings.base_topic)
    async with connected(settings, "disconnect") as broker:
        found = await _look(broker, topics, connection, prefix)
        await _clear_rooms(broker, replace(topics, discovery=found.discovery), found.rooms)
        if found.index is not None:  # at last: should we be cut off, it still names what is left
            properties = _json(v5=settings.protocol == "5")
            await broker.publish_qos1(topics.rooms, found.index, retain=True, properties=properties)
        refused = f"{broker.refusals[0]}" if broker.refusals else ""
        left = await _look(broker, topics, connection, prefix)
        if refused or left.rooms:  # without a refusal where MQTT 3.1.1 has no word for it
            raise BrokerLost(
                Trouble.of(
                    "broker.refused_messages",
                    f"the broker does not let us clear topics{f': {refused}' if refused else ''}",
                    "base_topic",
                    f"have its access rules let this login write {topics.base}/#",
                )
            )
    return found


# --- looking ------------------------------------------------------------------------------------------------


class _Told(msgspec.Struct):
    connection: str


class _State(msgspec.Struct):
    state: str


class _Info(msgspec.Struct):
    connections: tuple[str, ...]


async def _look(broker: BrokerClient, topics: Topics, connection: str, prefix: str) -> Retained:
    held = await _retained(broker, [topics.bridge_state, topics.bridge_info, topics.rooms, topics.state("+")])
    state = _decoded(held.get(topics.bridge_state), _State)
    info = _decoded(held.get(topics.bridge_info), _Info)
    index = held.get(topics.rooms, b"")
    listed = {room_id: entry.connection for room_id, entry in earlier_rooms(index).items()}
    rooms = {room_id for room_id, whose in listed.items() if whose == connection}
    rooms |= _told_of(held, topics, connection) - (listed.keys() - rooms)
    return Retained(
        rooms=tuple(sorted(rooms)),
        index=_without(index, connection) if rooms & listed.keys() else None,
        discovery=prefix if earlier_discovery(index) == prefix else None,
        online=state is not None and state.state == "online",
        connections=info.connections if info else (),
    )


async def _retained(broker: BrokerClient, filters: list[str]) -> dict[str, bytes]:
    """What the broker keeps on these topics; what it has is on its way before it answers the end of it.

    At QoS 0, since of QoS 1 brokers send only some until they are acknowledged, and keep a limited queue.
    """
    codes: Sequence[int | ReasonCode] = await broker.subscribe([(topic, 0) for topic in filters])
    for topic, code in zip(filters, codes, strict=False):
        if (code if isinstance(code, int) else code.value) >= _FAILED:
            told = f"the broker does not let us subscribe to {topic}: {code}"
            remedy = "have its access rules let this login read there"
            raise BrokerLost(Trouble.of("topic.was_not_readable", told, "base_topic", remedy))
    await broker.unsubscribe(filters, timeout=_RETAINED)
    held: dict[str, bytes] = {}
    for _ in range(len(broker.messages)):
        message = await anext(broker.messages)
        if message.retain and isinstance(message.payload, bytes):
            held[message.topic.value] = message.payload
    return held


def _told_of(held: Mapping[str, bytes], topics: Topics, connection: str) -> set[str]:
    """The rooms whose state says that they are the connection's; anybody who may publish can have said so."""
    before, _, after = topics.state("+").partition("+")
    found = set()
    for topic, payload in held.items():
        room_id = topic.removeprefix(before).removesuffix(after)
        if topic == topics.state(room_id) and is_room_id(room_id):
            told = _decoded(payload, _Told)
            if told is not None and told.connection == connection:
                found.add(room_id)
    return found


def _without(index: bytes, connection: str) -> bytes:
    """The index without the connection's rooms; all else in it stays to the byte."""
    whole = msgspec.json.decode(index, type=dict[str, msgspec.Raw])
    rooms = msgspec.json.decode(whole["rooms"], type=list[msgspec.Raw])
    kept = [room for room in rooms if _connection_of(room) != connection]
    return msgspec.json.encode({**whole, "rooms": kept})


def _connection_of(entry: msgspec.Raw) -> str | None:
    told = _decoded(bytes(entry), _Told)
    return told.connection if told is not None else None


def _decoded(payload: bytes | None, kind: type[Any]) -> Any:
    """The payload, if it is what it should be; anybody may have written it."""
    if not payload or len(payload) > LARGEST:
        return None
    try:
        return msgspec.json.decode(payload, type=kind)
    except _BROKEN:
        return None


# --- clearing -----------------------------------------------------------------------------------------------


async def _clear_rooms(broker: BrokerClient, topics: Topics, rooms: Iterable[str]) -> None:
    """As many at once as the broker allows; the next begins as soon as one of them is acknowledged."""
    waiting = iter([topic for room_id in rooms for topic in topics.retained(room_id)])

    async def clear_one_by_one() -> None:
        for topic in waiting:
            await broker.publish_qos1(topic, b"", retain=True)

    await asyncio.gather(*(clear_one_by_one() for _ in range(broker.in_flight)))


def _json(*, v5: bool) -> Properties | None:
    """As the daemon's own index has them."""
    if not v5:
        return None
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
    properties.PayloadFormatIndicator = 1
    properties.ContentType = "application/json"
    return properties
