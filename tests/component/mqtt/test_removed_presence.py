"""A presence that an earlier run published is cleared when the room has no presence sensor any more."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.model import ShowPresence
from placed.domain.presence import Reading, Sensor, SensorKind
from placed.settings.output_settings import HomeAssistant
from tests.component.mqtt.test_publisher import becomes
from tests.support.mosquitto import Subscriber
from tests.support.publisher_setup import PublisherSetup, running

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto

DISCOVERY = HomeAssistant(discovery=True)
TOPIC = "placed/rooms/boardroom/presence"
CONFIG = "homeassistant/binary_sensor/placed/boardroom_presence/config"
RADAR = Sensor("radar", SensorKind.RADAR, timedelta(minutes=1), timedelta(minutes=30))


def with_sensor(publisher_setup: PublisherSetup) -> None:
    """The boardroom has a sensor, and somebody is there."""
    publisher_setup.board.set_sensors({"boardroom": [RADAR]})
    publisher_setup.board.sense("boardroom", RADAR, Reading(present=True, at=publisher_setup.now()))


def without_sensor(publisher_setup: PublisherSetup, *, anywhere: bool = False) -> None:
    """No room has a sensor by the settings; with `anywhere` one may be found in each room."""
    publisher_setup.board.set_sensors({}, may_be_found_in=lambda _: anywhere)


def later_run(*, anywhere: bool = False) -> PublisherSetup:
    """The same rooms, without sensors, in a later run."""
    later = PublisherSetup(epoch=8)
    without_sensor(later, anywhere=anywhere)
    later.enroll("boardroom", "library")
    later.read("boardroom")
    later.read("library")
    later.report()
    return later


async def earlier_run(broker: Mosquitto, publisher_setup: PublisherSetup, protocol: str = "5") -> None:
    """A daemon published a presence of the boardroom, and has ended."""
    with_sensor(publisher_setup)
    publisher = publisher_setup.publisher(broker, home_assistant=DISCOVERY, protocol=protocol)
    async with running(publisher), Subscriber(broker, "#") as seen:
        await seen.message(TOPIC, "ON")
        await seen.message(CONFIG)


async def gone(broker: Mosquitto, *topics: str) -> None:
    """Waits until the broker holds nothing on these topics."""
    async with Subscriber(broker, "#") as seen:
        await seen.caught_up()
        if held := [topic for topic in topics if topic in seen.latest]:
            await seen.until(lambda _: not any(topic in seen.latest for topic in held))


async def becomes_held(broker: Mosquitto, topics: set[str]) -> None:
    """Waits until the broker holds a presence on these topics, and on no other."""
    async with Subscriber(broker, "#") as seen:
        await seen.caught_up()

        def held() -> set[str]:
            return {topic for topic in seen.latest if "presence" in topic}

        if held() != topics:
            await seen.until(lambda _: held() == topics)


async def test_the_index_names_the_presence_of_rooms_that_have_one(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    publisher = publisher_setup.publisher(mosquitto)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms") as seen:
        index = await seen.message("placed/rooms")
        assert [room["presence"] for room in index.document["rooms"]] == [False, False]
        with_sensor(publisher_setup)  # found by its first message
        index = await seen.until(lambda a: a.document["rooms"][0]["presence"])
        first, second = index.document["rooms"]
        assert first["topics"]["presence"] == TOPIC
        assert "presence" not in second["topics"]


async def test_sensors_that_are_found_one_after_the_other_do_not_repeat_the_index_each_time(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    """With 5,500 rooms an index takes a tenth of a second, and edges were up to 3 s late meanwhile."""
    rooms = [f"room-{number:0>60}" for number in range(200)]
    publisher_setup.enroll(*rooms)
    async with running(publisher_setup.publisher(mosquitto)), Subscriber(mosquitto, "placed/rooms/#") as seen:
        size = len((await seen.message("placed/rooms")).payload)
        begun, before = time.monotonic(), len(seen.on("placed/rooms"))
        for room_id in rooms:
            publisher_setup.board.set_sensors({room_id: [RADAR]})
            publisher_setup.board.sense(room_id, RADAR, Reading(present=True, at=publisher_setup.now()))
            await seen.message(f"placed/rooms/{room_id}/presence", "ON")
        took, indexes = time.monotonic() - begun, len(seen.on("placed/rooms")) - before
        assert indexes <= 2 + took * 256 * 1024 / size
        await seen.until(
            lambda a: a.topic == "placed/rooms" and all(room["presence"] for room in a.document["rooms"])
        )


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_topic_and_entity_of_a_sensor_that_was_removed_while_it_was_down_are_cleared(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup, protocol: str
) -> None:
    await earlier_run(mosquitto, publisher_setup, protocol)
    publisher = later_run().publisher(mosquitto, home_assistant=DISCOVERY, protocol=protocol)
    async with running(publisher):
        await gone(mosquitto, TOPIC, CONFIG)
    async with Subscriber(mosquitto, "placed/rooms", "homeassistant/#") as seen:
        await seen.caught_up()
        assert CONFIG.replace("presence", "occupancy") in seen.latest


@pytest.mark.parametrize("keeps_sensor", [True, False])
async def test_the_entity_is_cleared_when_discovery_was_switched_off_while_it_was_down(
    mosquitto: Mosquitto,
    publisher_setup: PublisherSetup,
    keeps_sensor: bool,  # noqa: FBT001 - a row of the table
) -> None:
    await earlier_run(mosquitto, publisher_setup)
    later = later_run()
    if keeps_sensor:
        with_sensor(later)
    async with running(later.publisher(mosquitto)):
        await gone(mosquitto, CONFIG)
        await becomes_held(mosquitto, {TOPIC} if keeps_sensor else set())


async def test_rooms_that_are_listed_later_are_cleared_as_well(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    await earlier_run(mosquitto, publisher_setup, "3.1.1")
    later = PublisherSetup(epoch=8)
    publisher = later.publisher(mosquitto, home_assistant=DISCOVERY, protocol="3.1.1")
    async with running(publisher, published=False), Subscriber(mosquitto, "#") as seen:
        await seen.until(lambda a: a.topic == "placed/rooms" and a.document["epoch"] == 8)
        assert seen.latest["placed/rooms"].document["rooms"][0]["presence"]
        later.enroll("boardroom", "library")
        later.report()
        await gone(mosquitto, TOPIC, CONFIG)


async def test_a_cleared_presence_is_not_named_any_more(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    await earlier_run(mosquitto, publisher_setup)
    later = later_run()
    publisher = later.publisher(mosquitto, home_assistant=DISCOVERY)
    async with running(publisher), Subscriber(mosquitto, "placed/rooms") as seen:
        await becomes(lambda: not publisher._context.retained_rooms.holds_presence("boardroom"))
        later.enroll("boardroom", "library", "attic")
        index = await seen.until(lambda a: a.topic == "placed/rooms" and b"attic" in a.payload)
        assert [room["presence"] for room in index.document["rooms"]] == [False, False, False]


async def test_a_presence_that_may_not_be_shown_any_more_is_cleared(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    await earlier_run(mosquitto, publisher_setup)
    later = PublisherSetup(epoch=8)
    later.board.set_sensors({"boardroom": [RADAR]}, may_be_found_in=lambda _: True)
    later.board.change_show_presence(ShowPresence.NOTHING)
    later.enroll("boardroom", "library")
    later.report()
    async with running(later.publisher(mosquitto, home_assistant=DISCOVERY), published=False):
        await gone(mosquitto, TOPIC, CONFIG)


async def test_the_entity_of_a_room_whose_sensor_may_still_report_stays(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    """A sensor of a topic with {room} is known only by its messages; the entity is unknown until then."""
    await earlier_run(mosquitto, publisher_setup)
    publisher = later_run(anywhere=True).publisher(mosquitto, home_assistant=DISCOVERY)
    async with running(publisher), Subscriber(mosquitto, "#") as seen:
        await publisher.published()
        await becomes_held(mosquitto, {CONFIG})
        index = await seen.message("placed/rooms")
        assert index.document["rooms"][0]["presence"]


async def test_a_presence_that_is_there_at_the_start_is_not_cleared(
    mosquitto: Mosquitto, publisher_setup: PublisherSetup
) -> None:
    await earlier_run(mosquitto, publisher_setup)
    later = PublisherSetup(epoch=8)
    with_sensor(later)
    later.enroll("boardroom", "library")
    later.report()
    publisher = later.publisher(mosquitto, home_assistant=DISCOVERY)
    async with Subscriber(mosquitto, "#") as seen:
        before = len(seen.arrivals)
        async with running(publisher, published=False):
            await seen.until(lambda a: a.topic == "placed/rooms" and a.document["epoch"] == 8)
            await seen.message(CONFIG, after=before)
            await seen.caught_up()
        cleared = {arrival.topic for arrival in seen.arrivals if not arrival.payload}
        assert not {TOPIC, CONFIG} & cleared
