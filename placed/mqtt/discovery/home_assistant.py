"""Makes the discovery messages for Home Assistant: a device for each room, a config message per entity. Pure.

The keys are those of https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery. Home Assistant ignores
keys that its version does not know: `options` and `default_entity_id` are for later versions, `object_id` is
for earlier ones.

Only a room's names and its size get into these messages, and never into a template: all templates are
constants in `entities` and `buttons`. They read the room's state document, so that all entities of a room
change together.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from placed.mqtt.command_topics import command_topic
from placed.mqtt.discovery.buttons import BUTTONS, MEETING_ATTRIBUTES, names_a_meeting, offered
from placed.mqtt.discovery.entities import BRIDGE, EXPLAIN_UNKNOWN, PRESENCE, ROOM, while_valid
from placed.mqtt.messages import HEALTH_HOLDS, ONLINE_HOLDS, Message, clear
from placed.mqtt.topics import BRIDGE_ENTITIES, BUTTON_ENTITIES, PRESENCE_ENTITY, ROOM_ENTITIES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from placed.domain.model import Room
    from placed.domain.state_document import Statement
    from placed.mqtt.messages import BridgeInfo
    from placed.mqtt.topics import Topics

_LONGEST_NAME = 120  # characters; what is longer is cut

_encode = msgspec.json.Encoder().encode


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
        for name, parts in BRIDGE.items():
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
        for name, common in ROOM.items():
            parts = common
            if name == "status" and names_a_meeting(self.info.offers.get(room.connection)):
                parts = common | {
                    "json_attributes_topic": topics.state(room.id),
                    "json_attributes_template": while_valid(MEETING_ATTRIBUTES, "'{}'"),
                }
            yield self._config(
                configs[name],
                parts,
                component=ROOM_ENTITIES[name],
                unique_id=f"{_room_identifier(topics, room.id)}/{name}",
                object_id=f"{room.id}_{name}",
                state_topic=topics.state(room.id),
                holds=self.info.life or self.info.freshness_budget,
                availability=[self._bridge_online()]
                if name in EXPLAIN_UNKNOWN
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
            PRESENCE,
            component=PRESENCE_ENTITY["presence"],
            unique_id=f"{_room_identifier(topics, room.id)}/presence",
            object_id=f"{room.id}_presence",
            state_topic=topics.state(room.id),
            holds=self.info.life or self.info.freshness_budget,
            availability=[self._bridge_online()],
            device=self._room_device(room),
        )

    def buttons(self, room: Room, held: Collection[str] = ()) -> Iterator[Message]:
        """Yields the config messages of a room's buttons, and what clears those that it has no more.

        `held` has the config topics of buttons that the broker may hold of the room.
        """
        topics = self.topics
        wanted = set(offered(self.info.offers.get(room.connection)))
        for name, topic in topics.button_configs(room.id).items():
            if name not in wanted:
                if topic in held:
                    yield clear(topic)
                continue
            button = BUTTONS[name]
            yield self._config(
                topic,
                {
                    "name": button.name,
                    "command_topic": command_topic(topics, room.id, button.action),
                    "command_template": button.template,
                    "retain": False,
                },
                component=BUTTON_ENTITIES[name],
                unique_id=f"{_room_identifier(topics, room.id)}/{name}",
                object_id=f"{room.id}_{name}",
                availability=[self._bridge_online(), {"topic": topics.availability(room.id)}],
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
        availability: list[dict[str, str]],
        device: dict[str, Any],
        state_topic: str | None = None,
        holds: timedelta = timedelta(0),
    ) -> Message:
        named = re.sub(r"[^a-z0-9]+", "_", object_id.lower()).strip("_")
        document = {
            **parts,
            "unique_id": unique_id,
            "object_id": named,
            "default_entity_id": f"{component}.{named}",
            "qos": 1,
            "device": device,
            "origin": {"name": "placed", "sw_version": self.info.version},
        }
        if state_topic is not None:
            # Home Assistant does not notice that a message expires. States are renewed before that.
            expiry = max(1, math.ceil(holds.total_seconds()))
            document |= {"state_topic": state_topic, "expire_after": expiry}
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
