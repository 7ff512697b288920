"""What of the discovery for Home Assistant a broker holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.mqtt.topics import Topics
from tests.support.mosquitto import Subscriber

if TYPE_CHECKING:
    from tests.support.mosquitto import Arrival, Mosquitto


async def kept(broker: Mosquitto, *topics: str) -> dict[str, Arrival]:
    """What the broker holds for Home Assistant."""
    async with Subscriber(broker, *(topics or ("homeassistant/#",))) as late:
        await late.caught_up()
    return late.latest


def expected(*rooms: str, prefix: str = "homeassistant") -> set[str]:
    """The discovery topics of the bridge and of these rooms."""
    topics = Topics("placed", discovery=prefix)
    configs = [topics.bridge_configs(), *map(topics.room_configs, rooms)]
    return {topic for part in configs for topic in part.values()}


async def announced(broker: Mosquitto, *rooms: str, prefix: str = "homeassistant") -> dict[str, Arrival]:
    """Waits until the broker holds the discovery of the bridge and these rooms, and nothing else."""
    wanted = expected(*rooms, prefix=prefix)
    async with Subscriber(broker, f"{prefix}/+/+/+/config") as seen:
        await seen.until(lambda _: seen.latest.keys() == wanted)
        return seen.latest


async def nothing_announced(broker: Mosquitto) -> None:
    """Waits until the broker holds nothing for Home Assistant."""
    async with Subscriber(broker) as seen:
        await seen.until(lambda _: not [topic for topic in seen.latest if topic.endswith("/config")])
    assert await kept(broker) == {}
