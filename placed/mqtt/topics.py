"""The names of all topics, and what depends on each. Pure."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed.settings.output_settings import HomeAssistant, Mqtt

# The entities of the bridge and of each room in Home Assistant, and their kinds. No name is in both, and none
# is the end of another one after a `_`, so that no two entities have the same topic.
BRIDGE_ENTITIES = {"connection": "binary_sensor", "problem": "binary_sensor"}
ROOM_ENTITIES = {
    "occupancy": "binary_sensor",
    "status": "sensor",
    "busy_until": "sensor",
    "free_until": "sensor",
    "next_start": "sensor",
    "stale": "binary_sensor",
    "reason": "sensor",
}
PRESENCE_ENTITY = {"presence": "binary_sensor"}  # of rooms with a presence sensor
# Of rooms in which actions are allowed, if the settings want buttons.
BUTTON_ENTITIES = dict.fromkeys(("check_in", "end", "extend_15", "book_15", "book_30", "book_60"), "button")
_ENTITIES_OF_ROOMS = ROOM_ENTITIES | PRESENCE_ENTITY | BUTTON_ENTITIES
_LEAVES = frozenset({"state", "availability", "occupied", "status", "presence", "event"})


class Importance(Enum):
    """What depends on a topic."""

    STATE = "state"  # what panels show; `/readyz` and READY depend on it
    PLAIN = "plain"  # what building systems and lists of rooms show; `/readyz` depends on it
    OPTIONAL = "optional"  # neither `/readyz` nor READY


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics below a base topic such as `placed/hq`.

    `discovery` is the prefix of Home Assistant's discovery topics; None if discovery is off.
    """

    base: str
    discovery: str | None = None

    @classmethod
    def of(cls, mqtt: Mqtt, home_assistant: HomeAssistant) -> Topics:
        """Returns the topics of these settings."""
        prefix = home_assistant.discovery_prefix if home_assistant.discovery else None
        return cls(mqtt.base_topic, discovery=prefix)

    @property
    def bridge_state(self) -> str:
        """`online` or `offline`; also the topic of the will."""
        return f"{self.base}/bridge/state"

    @property
    def bridge_info(self) -> str:
        """Describes the daemon."""
        return f"{self.base}/bridge/info"

    @property
    def bridge_health(self) -> str:
        """The health of its connections."""
        return f"{self.base}/bridge/health"

    @property
    def rooms(self) -> str:
        """The index of rooms."""
        return f"{self.base}/rooms"

    def state(self, room_id: str) -> str:
        """The state document of a room."""
        return f"{self.base}/rooms/{room_id}/state"

    def availability(self, room_id: str) -> str:
        """Whether anything is known of the room: `online`, `offline`."""
        return f"{self.base}/rooms/{room_id}/availability"

    def occupied(self, room_id: str) -> str:
        """`ON`, `OFF`, or nothing."""
        return f"{self.base}/rooms/{room_id}/occupied"

    def status(self, room_id: str) -> str:
        """The status word."""
        return f"{self.base}/rooms/{room_id}/status"

    def presence(self, room_id: str) -> str:
        """`ON`, `OFF`, or nothing; only of rooms with a presence sensor."""
        return f"{self.base}/rooms/{room_id}/presence"

    def event(self, room_id: str) -> str:
        """The events of a room; not retained."""
        return f"{self.base}/rooms/{room_id}/event"

    def room_topics(self, room_id: str, *, plain: bool) -> tuple[str, ...]:
        """Returns the topics of a statement; `plain` adds those for building systems."""
        always = self.state(room_id), self.availability(room_id)
        return (*always, self.occupied(room_id), self.status(room_id)) if plain else always

    def statement_topics(self, room_id: str, *, plain: bool) -> tuple[str, ...]:
        """Returns all topics that a statement may be published on: also that of a room's presence."""
        always = self.room_topics(room_id, plain=plain)
        return (*always, self.presence(room_id)) if plain else always

    def retained(self, room_id: str) -> tuple[str, ...]:
        """Returns all topics on which the broker may hold messages of a room."""
        return (*self.statement_topics(room_id, plain=True), *self.all_room_configs(room_id))

    def bridge_configs(self) -> dict[str, str]:
        """Returns the config topics of the bridge by entity; none if discovery is off."""
        return self._configs("bridge", BRIDGE_ENTITIES)

    def room_configs(self, room_id: str) -> dict[str, str]:
        """Returns the config topics of a room by entity; none if discovery is off."""
        return self._configs(room_id, ROOM_ENTITIES)

    def all_room_configs(self, room_id: str) -> tuple[str, ...]:
        """Returns the config topics of all entities that a room may have; none if discovery is off."""
        return tuple(self._configs(room_id, _ENTITIES_OF_ROOMS).values())

    def button_configs(self, room_id: str) -> dict[str, str]:
        """Returns the config topics of the buttons that a room may have; none if discovery is off."""
        return self._configs(room_id, BUTTON_ENTITIES)

    def presence_config(self, room_id: str) -> str | None:
        """Returns the config topic of a room's presence; None if discovery is off."""
        return self._configs(room_id, PRESENCE_ENTITY).get("presence")

    def room_of(self, topic: str) -> str | None:
        """Returns the room id of a topic; None if it has none, or is not ours."""
        prefix = f"{self.rooms}/"
        if topic.startswith(prefix):
            room_id, _, leaf = topic.removeprefix(prefix).partition("/")
            return room_id if leaf in _LEAVES else None
        return self._configured_room(topic)

    def importance_of(self, topic: str) -> Importance:
        """Returns what depends on a topic; of a topic that is not the daemon's, nothing does."""
        if topic == self.bridge_state:
            return Importance.STATE
        if topic == self.rooms:
            return Importance.PLAIN
        room_id = self.room_of(topic)
        if room_id is None:
            return Importance.OPTIONAL
        if topic in (self.state(room_id), self.availability(room_id)):
            return Importance.STATE
        if topic in (self.occupied(room_id), self.status(room_id), self.presence(room_id)):
            return Importance.PLAIN
        return Importance.OPTIONAL

    def pattern_of(self, topic: str) -> str:
        """Returns the topic with wildcards, as access rules name it: `placed/rooms/+/state`."""
        if (
            self.discovery is not None
            and topic.startswith(f"{self.discovery}/")
            and topic.endswith("/config")
        ):
            return self.config_pattern
        room_id = self.room_of(topic)
        if room_id is None:
            return topic
        return f"{self.rooms}/+/{topic.rpartition('/')[2]}"

    @property
    def config_pattern(self) -> str:
        """The pattern of all discovery topics; only if discovery is on."""
        return f"{self.discovery}/+/{_node(self.base)}/+/config"

    def _configured_room(self, topic: str) -> str | None:
        if self.discovery is None or not topic.startswith(f"{self.discovery}/"):
            return None
        levels = topic.removeprefix(f"{self.discovery}/").split("/")
        match levels:
            case [component, node, configured, "config"] if node == _node(self.base):
                for name, kind in _ENTITIES_OF_ROOMS.items():
                    if kind == component and configured.endswith(f"_{name}"):
                        return configured.removesuffix(f"_{name}")
            case _:
                pass
        return None

    def _configs(self, whose: str, entities: dict[str, str]) -> dict[str, str]:
        """`<prefix>/<component>/<node>/<object>/config`, which every version of Home Assistant supports."""
        if self.discovery is None:
            return {}
        node = _node(self.base)
        return {
            name: f"{self.discovery}/{component}/{node}/{whose}_{name}/config"
            for name, component in entities.items()
        }


def _node(base: str) -> str:
    """Returns one topic level for the base topic, unique to it, which may hold a-z A-Z 0-9 - _ alone."""
    if re.fullmatch(r"[A-Za-z0-9/-]+", base):
        return base.replace("/", "_")
    return f"{re.sub(r'[^A-Za-z0-9-]', '_', base)}_{zlib.crc32(base.encode()):08x}"
