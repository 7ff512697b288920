"""No-shows in rooms with sensors: who was noticed keeps the room."""

from __future__ import annotations

from datetime import timedelta

import pytest

from placed.domain.presence import Reading, Sensor, SensorKind
from tests.support.no_show_setup import NoShowSetup
from tests.unit.actions.test_no_show_service import STAND_UP

RADAR = Sensor("radar", SensorKind.RADAR, hold=timedelta(minutes=1), check_in=True)


def sense(setup: NoShowSetup, *, present: bool) -> None:
    setup.board.sense("boardroom", RADAR, Reading(present=present, at=setup.clock.now()))


async def with_radar(seen: range, until: int = 12 * 60) -> NoShowSetup:
    """A room without a panel, whose radar reports every minute; it notices somebody in these minutes."""
    setup = NoShowSetup()
    setup.panels = False
    setup.board.set_sensors({"boardroom": [RADAR]})
    setup.book(STAND_UP)
    for minute in range(until // 60 + 30):
        await setup.pass_until(f"9:{30 + minute}" if minute < 30 else f"10:{minute - 30}")
        sense(setup, present=minute - 30 in seen)
    await setup.pass_until("10:15")
    return setup


async def test_a_sensor_that_finds_the_room_empty_all_the_time_is_enough() -> None:
    setup = await with_radar(range(0))
    assert setup.releaser.released == [("boardroom", STAND_UP)]


@pytest.mark.parametrize("minute", [-1, 0, 5, 9, 10])
async def test_somebody_whom_a_sensor_has_noticed_keeps_the_room(minute: int) -> None:
    setup = await with_radar(range(minute, minute + 1))
    assert (setup.releaser.asked, setup.week["kept"]) == (0, {"presence": 1})


async def test_messages_of_sensors_that_do_not_arrive_keep_the_room() -> None:
    setup = NoShowSetup()
    setup.board.set_sensors({"boardroom": [RADAR]})
    setup.book(STAND_UP)
    for minute in range(75):
        hours, minutes = divmod(9 * 60 + 30 + minute, 60)
        await setup.pass_until(f"{hours}:{minutes:02}")
        sense(setup, present=False)
        if minute == 33:
            setup.sensor_links = 1  # the broker was lost, and is connected again
    assert (setup.releaser.asked, setup.week["kept"]) == (0, {"presence_unknown": 1})
