"""Makes the discovery messages for Home Assistant: a device for each room, a config message per entity. Pure.

The keys are those of https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery. Home Assistant ignores
keys that its version does not know: `options` and `default_entity_id` are for later versions, `object_id` is
for earlier ones.

Only a room's names and its size get into these messages, and never into a template: all templates are
constants in this file. They read the room's state document, so that all entities of a room change together.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from placed.domain.model import Reason, Status
from placed.mqtt.messages import HEALTH_HOLDS, ONLINE_HOLDS, Message, clear
from placed.mqtt.topics import BRIDGE_ENTITIES, PRESENCE_ENTITY, ROOM_ENTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from placed.domain.model import Room
    from placed.domain.state_document import Statement
    from placed.mqtt.messages import BridgeInfo
    from placed.mqtt.topics import Topics

_LONGEST_NAME = 120  # characters; what is longer is cut
_DIAGNOSTIC = {"entity_category": "diagnostic"}

_encode = msgspec.json.Encoder().encode


def _while_valid(value: str, otherwise: str) -> str:
    """Returns a template for `value`, which is valid until `valid_until` by Home Assistant's clock.

    Home Assistant evaluates it when a message arrives. `expire_after` and `availability` make sure that an
    entity does not show an old value for ever.
    """
    fresh = "as_timestamp(value_json.valid_until, 0) > as_timestamp(now())"
    return f"{{{{ {value} if {fresh} else {otherwise} }}}}"


# `None` is an unknown state in a sensor and a binary_sensor. For an enum sensor not every version accepts it,
# but all versions show `unknown`.
_ROOM: dict[str, dict[str, Any]] = {
    "occupancy": {
        "name": "Occupancy",
        "device_class": "occupancy",
        "value_template": _while_valid("{true: 'ON', false: 'OFF'}.get(value_json.occupied)", "None"),
    },
    "status": {
        "name": "Status",
        "device_class": "enum",
        "options": [status.value for status in Status],
        "value_template": _while_valid("value_json.status", "'unknown'"),
    },
    "busy_until": {
        "name": "Busy until",
        "device_class": "timestamp",
        "value_template": _while_valid("value_json.busy_until", "None"),
    },
    "free_until": {
        "name": "Free until",
        "device_class": "timestamp",
        "value_template": _while_valid("value_json.free_until", "None"),
    },
    "next_start": {
        "name": "Next meeting",
        "device_class": "timestamp",
        "value_template": _while_valid("(value_json.next or {'start': None}).start", "None"),
    },
    "stale": {
        "name": "Calendar",
        "device_class": "problem",
        "value_template": _while_valid(
            "('ON' if value_json.stale or value_json.status == 'unknown' else 'OFF')", "'ON'"
        ),
        **_DIAGNOSTIC,
    },
    "reason": {
        "name": "Reason",
        "device_class": "enum",
        "options": ["none", *(reason.value for reason in Reason)],
        "value_template": _while_valid("(value_json.reason or 'none')", f"'{Reason.EXPIRED}'"),
        **_DIAGNOSTIC,
    },
}
# Of rooms with a presence sensor. It expires by itself within the statement.
_PRESENCE: dict[str, Any] = {
    "name": "Presence",
    "device_class": "occupancy",
    "value_template": _while_valid(
        "{'present': 'ON', 'empty': 'OFF'}.get((value_json.presence or {'state': None}).state)", "None"
    ),
}
# These entities show why a room is unknown, so they must be available then.
_EXPLAIN_UNKNOWN = {"stale", "reason"}

_BRIDGE: dict[str, dict[str, Any]] = {
    "connection": {
        "name": "Connection",
        "device_class": "connectivity",
        "value_template": "{{ 'ON' if value_json.state == 'online' else 'OFF' }}",
        **_DIAGNOSTIC,
    },
    "problem": {
        "name": "Calendar services",
        "device_class": "problem",
        "value_template": (
            "{{ 'ON' if value_json.connections | rejectattr('state', 'in', ['ok', 'starting']) | list"
            " else 'OFF' }}"
        ),
        **_DIAGNOSTIC,
    },
}


@dataclass(frozen=True, slots=True)
class Discovery:
    """Makes the config messages.

    Attributes:
        topics: with a discovery prefix.
        info: of the bridge.
        birth: the topic of Home Assistant's birth message.
    """

    topics: Topics
    info: BridgeInfo
    birth: str

    def bridge(self) -> Iterator[Message]:
        """Yields the config messages of the bridge: a device with the daemon's state and its problems."""
        topics = self.topics
        states = {
            "connection": (topics.bridge_state, ONLINE_HOLDS),
            "problem": (topics.bridge_health, HEALTH_HOLDS),
        }
        configs = topics.bridge_configs()
        for name, parts in _BRIDGE.items():
            state, holds = states[name]
            yield self._config(
                configs[name],
                parts,
                component=BRIDGE_ENTITIES[name],
                unique_id=f"{topics.base}/bridge/{name}",
                object_id=f"{topics.base}_{name}",
                state_topic=state,
                holds=holds,
                # The entity `connection` shows the availability itself.
                availability=[] if name == "connection" else [self._bridge_online()],
                device=self._bridge_device(),
            )

    def room(self, room: Room) -> Iterator[Message]:
        """Yields the config messages of a room: a device with its entities."""
        topics = self.topics
        configs = topics.room_configs(room.id)
        device = self._room_device(room)
        known = {"topic": topics.availability(room.id)}
        for name, parts in _ROOM.items():
            yield self._config(
                configs[name],
                parts,
                component=ROOM_ENTITIES[name],
                unique_id=f"{_room_identifier(topics, room.id)}/{name}",
                object_id=f"{room.id}_{name}",
                state_topic=topics.state(room.id),
                holds=self.info.life or self.info.freshness_budget,
                availability=[self._bridge_online()]
                if name in _EXPLAIN_UNKNOWN
                else [self._bridge_online(), known],
                device=device,
            )

    def presence(self, statement: Statement) -> Iterator[Message]:
        """Yields the config message of the entity for the presence, or what clears it."""
        topics, room = self.topics, statement.room
        topic = topics.presence_config(room.id)
        if topic is None or (statement.presence is None and not statement.had_presence):
            return
        if statement.presence is None:
            yield clear(topic)
            return
        yield self._config(
            topic,
            _PRESENCE,
            component=PRESENCE_ENTITY["presence"],
            unique_id=f"{_room_identifier(topics, room.id)}/presence",
            object_id=f"{room.id}_presence",
            state_topic=topics.state(room.id),
            holds=self.info.life or self.info.freshness_budget,
            availability=[self._bridge_online()],
            device=self._room_device(room),
        )

    def _config(  # noqa: PLR0913 - the parts of an entity
        self,
        topic: str,
        parts: dict[str, Any],
        *,
        component: str,
        unique_id: str,
        object_id: str,
        state_topic: str,
        holds: timedelta,
        availability: list[dict[str, str]],
        device: dict[str, Any],
    ) -> Message:
        named = re.sub(r"[^a-z0-9]+", "_", object_id.lower()).strip("_")
        document = {
            **parts,
            "unique_id": unique_id,
            "object_id": named,
            "default_entity_id": f"{component}.{named}",
            "state_topic": state_topic,
            "qos": 1,
            # Home Assistant does not notice that a message expires. States are renewed before that.
            "expire_after": max(1, math.ceil(holds.total_seconds())),
            "device": device,
            "origin": {"name": "placed", "sw_version": self.info.version},
        }
        if availability:
            document |= {"availability": availability, "availability_mode": "all"}
        return Message(topic, _encode(document))

    def _bridge_online(self) -> dict[str, str]:
        return {"topic": self.topics.bridge_state, "value_template": "{{ value_json.state }}"}

    def _bridge_device(self) -> dict[str, Any]:
        return {
            "identifiers": [_bridge_identifier(self.topics)],
            "name": self.topics.base,
            "manufacturer": "placed",
            "model": "Room calendars",
            "sw_version": self.info.version,
        }

    def _room_device(self, room: Room) -> dict[str, Any]:
        return {
            "identifiers": [_room_identifier(self.topics, room.id)],
            "name": _plain(room.name) or room.id,
            "manufacturer": "placed",
            "model": f"Meeting room for {room.capacity}" if room.capacity else "Meeting room",
            "sw_version": self.info.version,
            "via_device": _bridge_identifier(self.topics),
            "suggested_area": _area(room),
        }


def _area(room: Room) -> str:
    """Returns building and floor if they are known; otherwise each room is an area of its own."""
    floor = _plain(room.floor or "")
    parts = [_plain(room.building or ""), f"Floor {floor}" if floor.lstrip("-").isdigit() else floor]
    return ", ".join(filter(None, parts)) or _plain(room.name) or room.id


def _plain(name: str) -> str:
    """Returns a name in one line, without invisible characters."""
    visible = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(visible.split())[:_LONGEST_NAME]


# Identifiers begin as the topics do, so that they are unique across all base topics.
def _bridge_identifier(topics: Topics) -> str:
    return f"{topics.base}/bridge"


def _room_identifier(topics: Topics, room_id: str) -> str:
    return f"{topics.rooms}/{room_id}"
