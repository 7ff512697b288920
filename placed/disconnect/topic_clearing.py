"""Clears the topics of one connection's rooms at the broker, for `placed disconnect`.

It has its own client identifier and no will, so that a running daemon is not disturbed. Everything else at
the broker stays as it is, to the byte; only these rooms are removed from the index.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from placed.mqtt.client.publish_properties import PublishProperties
from placed.mqtt.connection_problems import BrokerLost, Trouble, not_subscribed
from placed.mqtt.oneshot import connected
from placed.mqtt.room_index import LARGEST, earlier_discovery, earlier_rooms, is_room_id
from placed.mqtt.topics import Topics
from placed.settings.output_settings import HomeAssistant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.client.reason_code import ReasonCode
    from placed.settings.output_settings import Mqtt

_RETAINED = 60.0  # seconds for the broker to send all retained messages of rooms
_USUAL_PREFIX = HomeAssistant().discovery_prefix
_JSON = PublishProperties(content_type="application/json")  # of the daemon's own index
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Retained:
    """What the broker holds of a connection.

    Attributes:
        rooms: the ids of its rooms, both those in the index and those with a state.
        discovery: the prefix of their Home Assistant discovery topics; None if there are none, or if it is
            not the prefix of the settings.
        index: the index without these rooms; None if it lists none of them.
        online: whether a daemon is online.
        connections: the connections that the daemon published last.
    """

    rooms: tuple[str, ...] = ()
    index: bytes | None = None
    discovery: str | None = None
    online: bool = False
    connections: tuple[str, ...] = ()


async def look(settings: Mqtt, connection: str, prefix: str = _USUAL_PREFIX) -> Retained:
    """Returns what the broker holds of the connection; `prefix` is the discovery prefix of the settings.

    Raises:
        BrokerLost: that could not be found out.
        CannotStart: files that the settings name cannot be used.
    """
    async with connected(settings, "disconnect") as broker:
        return await _look(broker, Topics(settings.base_topic), connection, prefix)


async def clear(settings: Mqtt, connection: str, prefix: str = _USUAL_PREFIX) -> Retained:
    """Clears all topics of the connection's rooms, and removes them from the index; returns what there was.

    Only topics below the base topic and `prefix` are cleared, whatever the index names: anybody who may
    publish can have written it.

    Raises:
        BrokerLost: not everything was cleared; it can be tried again.
        CannotStart: files that the settings name cannot be used.
    """
    topics = Topics(settings.base_topic)
    async with connected(settings, "disconnect") as broker:
        found = await _look(broker, topics, connection, prefix)
        refused = await _clear_rooms(broker, replace(topics, discovery=found.discovery), found.rooms)
        if found.index is not None:  # last: if the connection is lost before, it still names what is left
            code = await broker.publish(topics.rooms, found.index, retain=True, properties=_JSON)
            refused = refused or code
        left = await _look(broker, topics, connection, prefix)
        if refused or left.rooms:  # MQTT 3.1.1 reports no refusal
            raise BrokerLost(
                Trouble.of(
                    "broker.refused_messages",
                    f"the broker does not let us clear topics{f': {refused}' if refused else ''}",
                    "base_topic",
                    f"have its access rules let this login write {topics.base}/#",
                )
            )
    return found


# --- reading ------------------------------------------------------------------------------------------------


class _Owner(msgspec.Struct):
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
    rooms |= _owned_by(held, topics, connection) - (listed.keys() - rooms)
    return Retained(
        rooms=tuple(sorted(rooms)),
        index=_without(index, connection) if rooms & listed.keys() else None,
        discovery=prefix if earlier_discovery(index) == prefix else None,
        online=state is not None and state.state == "online",
        connections=info.connections if info else (),
    )


async def _retained(broker: BrokerClient, filters: list[str]) -> dict[str, bytes]:
    """Returns the retained messages on these topics; the broker sends them before it answers the UNSUBSCRIBE.

    With QoS 0: with QoS 1 brokers send only some until they are acknowledged, and have a limited queue.
    """
    codes = await broker.subscribe(filters, qos=0)
    for topic, code in zip(filters, codes, strict=False):
        if (trouble := not_subscribed(topic, code)) is not None:
            raise BrokerLost(trouble)
    await broker.unsubscribe(filters, within=_RETAINED)
    held: dict[str, bytes] = {}
    for _ in range(len(broker.messages)):
        message = await anext(broker.messages)
        if message.retain:
            held[message.topic] = message.payload
    return held


def _owned_by(held: Mapping[str, bytes], topics: Topics, connection: str) -> set[str]:
    """Returns the rooms whose state names the connection; anybody who may publish can have written it."""
    before, _, after = topics.state("+").partition("+")
    found = set()
    for topic, payload in held.items():
        room_id = topic.removeprefix(before).removesuffix(after)
        if topic == topics.state(room_id) and is_room_id(room_id):
            owner = _decoded(payload, _Owner)
            if owner is not None and owner.connection == connection:
                found.add(room_id)
    return found


def _without(index: bytes, connection: str) -> bytes:
    """Returns the index without the connection's rooms; everything else in it stays to the byte."""
    whole = msgspec.json.decode(index, type=dict[str, msgspec.Raw])
    rooms = msgspec.json.decode(whole["rooms"], type=list[msgspec.Raw])
    kept = [room for room in rooms if _connection_of(room) != connection]
    return msgspec.json.encode({**whole, "rooms": kept})


def _connection_of(entry: msgspec.Raw) -> str | None:
    owner = _decoded(bytes(entry), _Owner)
    return owner.connection if owner is not None else None


def _decoded(payload: bytes | None, kind: type[Any]) -> Any:
    """Returns the decoded payload; None if it is invalid. Anybody may have written it."""
    if not payload or len(payload) > LARGEST:
        return None
    try:
        return msgspec.json.decode(payload, type=kind)
    except _BROKEN:
        return None


# --- clearing -----------------------------------------------------------------------------------------------


async def _clear_rooms(broker: BrokerClient, topics: Topics, rooms: Iterable[str]) -> ReasonCode | None:
    """Clears as many topics at once as the broker allows in flight; returns the reason of a refusal."""
    answers: list[ReasonCode | None] = []
    waiting = iter([topic for room_id in rooms for topic in topics.retained(room_id)])

    async def clear_one_by_one() -> None:
        for topic in waiting:
            code = await broker.publish(topic, b"", retain=True)
            answers.append(code)

    await asyncio.gather(*(clear_one_by_one() for _ in range(broker.in_flight)))
    return next((code for code in answers if code is not None), None)
