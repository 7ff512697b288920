"""The metrics of sensors, and of how rooms are used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.model import ShowPresence
from placed.domain.presence import Sensor
from placed.domain.sensor_traffic import MessageResult
from tests.component.http.test_metrics import scrape
from tests.support.board_setup import BoardSetup, meeting, minutes

if TYPE_CHECKING:
    from tests.support.status_endpoint import Endpoint


def of_presence(samples: dict[str, float]) -> dict[str, float]:
    names = ("placed_rooms_by_use", "placed_sensor")
    return {name: value for name, value in samples.items() if name.startswith(names)}


async def test_rooms_are_counted_by_their_use(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.read("boardroom", meeting(-10, 60))
    board_setup.read("atrium")
    board_setup.sense("boardroom", present=False)
    board_setup.sense("atrium", present=True)

    async def counts() -> dict[str, float]:
        samples = await scrape(endpoint)
        uses = ("used", "booked_empty", "unbooked", "empty", "unknown")
        return {use: samples[f"placed_rooms_by_use{{connection=contoso,use={use}}}"] for use in uses}

    assert await counts() == {"used": 0, "booked_empty": 1, "unbooked": 1, "empty": 0, "unknown": 0}
    board_setup.moment += minutes(10)  # nothing was evaluated since
    assert await counts() == {"used": 0, "booked_empty": 0, "unbooked": 0, "empty": 0, "unknown": 2}


async def test_sensors_are_counted_by_whether_they_report(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    never, lost = Sensor("never"), Sensor("lost")
    board_setup.board.set_sensors({"atrium": [never, lost]})
    board_setup.board.set_sensor_available("atrium", lost, available=False)
    board_setup.sense("library", present=True)
    samples = await scrape(endpoint)
    assert samples["placed_sensors{state=reporting}"] == 1
    assert samples["placed_sensors{state=silent}"] == 1
    assert samples["placed_sensors{state=unavailable}"] == 1
    board_setup.wait(minutes(10))
    assert (await scrape(endpoint))["placed_sensors{state=silent}"] == 2


async def test_messages_of_sensors_are_counted_by_what_became_of_them(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.sensors.messages = {MessageResult.TAKEN: 977, MessageResult.DROPPED: 3}
    board_setup.sensors.brokers = {"mqtt": True, "sensor_brokers.other": False}
    samples = await scrape(endpoint)
    for result, number in (("taken", 977), ("dropped", 3), ("unreadable", 0), ("ignored", 0), ("no_room", 0)):
        assert samples[f"placed_sensor_messages_total{{result={result}}}"] == number
    assert samples["placed_sensor_broker_connected{broker=mqtt}"] == 1
    assert samples["placed_sensor_broker_connected{broker=sensor_brokers.other}"] == 0


async def test_without_sensors_there_are_no_metrics_of_presence(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.sensors.configured = False
    assert of_presence(await scrape(endpoint)) == {}


async def test_no_metric_differs_by_the_presence_of_a_room_that_shows_none(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.board.change_show_presence(ShowPresence.NOTHING)
    board_setup.read("boardroom")
    seen = []
    for present in (True, False):
        board_setup.sense("boardroom", present=present)
        board_setup.wait(minutes(2))
        board_setup.sense("boardroom", present=present)
        seen.append(of_presence(await scrape(endpoint)))
    assert seen[0] == seen[1]
    assert not [name for name in seen[0] if "by_use" in name]
