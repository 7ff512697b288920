"""What a real Home Assistant makes of the discovery of rooms."""

from __future__ import annotations

import asyncio
import json
import signal
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from placed.domain.model import Reason
from placed.mqtt.publisher_context import Timing
from placed.settings.output_settings import HomeAssistant as Settings
from tests.support.mosquitto import Subscriber
from tests.support.placed_process import Program
from tests.support.publisher_setup import PublisherSetup, cut, room, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.end_to_end.home_assistant.home_assistant_server import HomeAssistant
    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Mosquitto

    Install = Callable[[Mosquitto], HomeAssistant]

pytestmark = pytest.mark.home_assistant

INTERVAL = 1.0  # seconds, of polling
DISCOVERY = Settings(discovery=True)
BOARDROOM = (
    "binary_sensor.boardroom_occupancy",
    "sensor.boardroom_status",
    "sensor.boardroom_busy_until",
    "sensor.boardroom_free_until",
    "sensor.boardroom_next_start",
    "binary_sensor.boardroom_stale",
    "sensor.boardroom_reason",
)
BRIDGE = ("binary_sensor.placed_connection", "binary_sensor.placed_problem")


@pytest.fixture
def publisher_setup() -> PublisherSetup:
    """Two rooms, one of them busy."""
    return PublisherSetup.furnished()


def complaints(hass: HomeAssistant) -> list[str]:
    """What its log reports about the messages.

    Early versions log that a missing time cannot be read, and show it as unknown.
    """
    reported = [line for line in hass.log if "mqtt" in line and (" WARNING " in line or " ERROR " in line)]
    return [line for line in reported if "Invalid state message" not in line]


async def test_every_room_is_a_device_that_follows_its_bookings(
    install: Install, deployment: Deployment
) -> None:
    """And shows nothing else of them, whatever may be seen in other places."""
    deployment.configure(home_assistant={"discovery": True}, privacy={"show": "everything"})
    hass = install(deployment.broker)
    async with hass.running(), deployment.daemon():
        await hass.until(lambda: {*BOARDROOM, *BRIDGE} <= hass.states.keys())
        await hass.becomes("binary_sensor.boardroom_occupancy", "off")
        await hass.becomes("sensor.boardroom_status", "free")

        now = deployment.clock.now().replace(microsecond=0)
        start, until = now + timedelta(minutes=40), now + timedelta(minutes=50)
        deployment.tenant.book("boardroom", now, start, subject="Secret merger", organizer="Grace Example")
        deployment.tenant.book("boardroom", start, until)
        booked = asyncio.get_running_loop().time()
        await hass.becomes("binary_sensor.boardroom_occupancy", "on")
        assert asyncio.get_running_loop().time() - booked < INTERVAL + 2
        await hass.becomes("sensor.boardroom_status", "busy")
        await hass.becomes("sensor.boardroom_busy_until", until.isoformat())
        await hass.becomes("sensor.boardroom_next_start", start.isoformat())
        await hass.becomes("sensor.boardroom_free_until", "unknown")
        await hass.becomes("binary_sensor.boardroom_stale", "off")
        await hass.becomes("sensor.boardroom_reason", "none")
        await hass.becomes("binary_sensor.placed_connection", "on")
        await hass.becomes("binary_sensor.placed_problem", "off")
        await hass.becomes("binary_sensor.library_occupancy", "off")

        entities, devices = await hass.entities(), await hass.devices()
        categories = {entity["entity_category"] for entity in map(entities.__getitem__, BOARDROOM[:-2])}
        assert categories == {None}
        assert {entities[name]["entity_category"] for name in BOARDROOM[-2:]} == {"diagnostic"}
        assert {entities[name]["device_id"] for name in BOARDROOM} == {devices["boardroom"]["id"]}
        assert devices["boardroom"]["via_device_id"] == devices["placed"]["id"]
        for hidden in ("Secret", "Grace"):
            assert hidden not in str([hass.states, entities, devices])
        assert complaints(hass) == []


async def test_a_room_that_is_not_known_is_not_shown_as_anything(
    install: Install, mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    hass = install(mosquitto)
    async with running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)), hass.running():
        await hass.becomes("sensor.library_status", "free")
        publisher_setup.board.forget("contoso", Reason.FORBIDDEN)
        for entity in (
            "binary_sensor.library_occupancy",
            "sensor.library_status",
            "sensor.library_free_until",
        ):
            await hass.becomes(entity, "unavailable")
        # The reason is still published.
        await hass.becomes("sensor.library_reason", "forbidden")
        await hass.becomes("binary_sensor.library_stale", "on")
        publisher_setup.read("library")
        await hass.becomes("binary_sensor.library_occupancy", "off")

        # What is over already when it comes, as from a broker that lets nothing expire.
        topic = "placed/rooms/library/state"
        async with Subscriber(mosquitto, topic) as somebody:
            late = (await somebody.message(topic)).document | {"valid_until": "2024-01-01T00:00:00Z"}
            await somebody.publish(topic, json.dumps(late))
        for entity in ("binary_sensor.library_occupancy", "sensor.library_status"):
            await hass.becomes(entity, "unknown")
        await hass.becomes("sensor.library_reason", "expired")
        await hass.becomes("binary_sensor.library_stale", "on")


@asynccontextmanager
async def placed(deployment: Deployment) -> AsyncIterator[Program]:
    """`placed run`, as soon as it is ready."""
    async with Program.start(
        deployment.folder, "run", "-c", deployment.file, "--log-format", "json"
    ) as program:
        await program.logged("daemon.became_ready")
        yield program


async def test_a_killed_daemon_leaves_nothing_behind_that_looks_free(
    install: Install, deployment: Deployment
) -> None:
    hass = install(deployment.broker)
    async with hass.running():
        async with placed(deployment) as program:
            await hass.becomes("sensor.boardroom_status", "free")
            program.signal(signal.SIGKILL)
            await hass.until(lambda: all(hass.state(entity) == "unavailable" for entity in BOARDROOM))
            await hass.becomes("binary_sensor.placed_connection", "off")
        async with placed(deployment):
            await hass.becomes("sensor.boardroom_status", "free")
            await hass.becomes("binary_sensor.placed_connection", "on")


async def test_entities_become_unavailable_when_their_state_expires(
    install: Install, mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    """As when a daemon hangs, or the broker dies together with it: no will is published."""
    hass = install(mosquitto)
    timing = Timing(first_pause=60, will_delay=600)
    publisher = publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY, budget=4, timing=timing)
    async with hass.running(), running(publisher):
        await hass.becomes("sensor.library_status", "free")
        await hass.becomes("sensor.boardroom_status", "busy")
        cut(publisher)
        await hass.until(lambda: all(hass.state(entity) == "unavailable" for entity in BOARDROOM))
        await hass.becomes("sensor.library_status", "unavailable")
        assert hass.state("binary_sensor.placed_connection") == "on"  # for 90 s, the expiry of its topic


async def test_rooms_that_are_renamed_or_gone_are_so_here_too(
    install: Install, mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    hass = install(mosquitto)
    async with running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)), hass.running():
        await hass.becomes("sensor.boardroom_status", "busy")
        await hass.becomes("sensor.library_status", "free")
        await hass.shows("placed", "Boardroom", "Library")
        names = '{{ states | count }} "\u202e'
        publisher_setup.board.enroll(
            "contoso", [replace(room("library"), name=names, building="{% raw %}", floor="EG")]
        )
        await hass.until(lambda: not set(BOARDROOM) & hass.states.keys())
        await hass.shows("placed", '{{ states | count }} "')
        assert not set(BOARDROOM) & (await hass.entities()).keys()
        await hass.becomes("sensor.library_status", "free")
        assert complaints(hass) == []


async def test_when_home_assistant_starts_the_discovery_is_published_again(
    install: Install, mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    """Also where the broker has lost its retained messages."""
    hass = install(mosquitto)
    async with running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)):
        async with hass.running(last=False):
            await hass.becomes("sensor.library_status", "free")
        async with Subscriber(mosquitto, "homeassistant/#") as seen:
            await seen.caught_up()
            for topic in seen.latest:
                await seen.publish(topic, "", retain=True)
            async with hass.running():
                await seen.message("homeassistant/status", "online")
                await hass.becomes("sensor.library_status", "free")


async def test_where_discovery_is_switched_off_again_nothing_is_left(
    install: Install, mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    hass = install(mosquitto)
    async with hass.running():
        async with running(publisher_setup.publisher(mosquitto, home_assistant=DISCOVERY)):
            await hass.becomes("sensor.library_status", "free")
        later = PublisherSetup(epoch=8)
        later.enroll("boardroom", "library")
        async with running(later.publisher(mosquitto)):
            await hass.until(lambda: hass.states.keys() <= {"zone.home"})
            await hass.shows()
