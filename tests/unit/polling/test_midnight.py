"""With `days_ahead = 0` a room is known through midnight, on its own clocks, however seldom it is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from placed.domain.model import Meeting, Status
from placed.driver import Unavailable
from placed.settings.polling_settings import Polling
from tests.support.domain_builders import POLICY
from tests.unit.polling.poller_setup import PollerSetup

MINUTE = timedelta(minutes=1)
ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati", "Asia/Kathmandu"]


def poller_setup_at(moment: datetime, zone: str, interval: timedelta) -> PollerSetup:
    """A boardroom in that zone, and a clock that shows the moment."""
    poller_setup = PollerSetup(
        "boardroom", polling=Polling(interval=interval, days_ahead=0), zone=ZoneInfo(zone)
    )
    poller_setup.clock.moment = moment
    return poller_setup


@pytest.mark.parametrize("interval", [timedelta(seconds=10), 5 * MINUTE])
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", ["2026-10-06", "2026-10-25", "2026-10-26", "2026-03-29", "2026-03-30"])
async def test_a_room_is_known_at_every_moment_around_midnight(
    day: str, zone: str, interval: timedelta
) -> None:
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    poller_setup = poller_setup_at(midnight - timedelta(minutes=40, seconds=7), zone, interval)
    booked = Meeting("early", midnight + 3 * MINUTE, midnight + 33 * MINUTE)
    poller_setup.driver.meetings = (booked,)
    seen: dict[datetime, Status] = {}
    while poller_setup.clock.now() < midnight + 40 * MINUTE:
        pause = await poller_setup.poller.step()
        until = poller_setup.clock.steady() + pause
        while poller_setup.clock.steady() < until:
            poller_setup.clock.pass_(min(1.0, until - poller_setup.clock.steady()))
            poller_setup.board.judge_due()
            seen[poller_setup.clock.now()] = poller_setup.status("boardroom")[0]
    assert Status.UNKNOWN not in seen.values()
    for moment, status in seen.items():
        if midnight - 10 * MINUTE < moment < midnight + 3 * MINUTE:
            starting = moment >= booked.start - POLICY.lead
            assert status is (Status.STARTING if starting else Status.FREE), moment
        elif booked.start <= moment < booked.end:
            assert status is Status.BUSY, moment


async def test_an_outage_at_midnight_is_bridged_for_as_long_as_any_other() -> None:
    midnight = datetime(2026, 10, 7, tzinfo=UTC)
    poller_setup = poller_setup_at(midnight - timedelta(minutes=10), "UTC", timedelta(seconds=30))
    poller_setup.driver.meetings = ()
    await poller_setup.steps(9 * 60)
    poller_setup.driver.broken = Unavailable("down")
    await poller_setup.steps(POLICY.expire_after.total_seconds() - 60)
    assert poller_setup.clock.now() > midnight + 10 * MINUTE
    assert poller_setup.status("boardroom")[0] is Status.FREE
    await poller_setup.steps(120)
    assert poller_setup.status("boardroom")[0] is Status.UNKNOWN


async def test_before_that_only_the_day_is_read() -> None:
    poller_setup = poller_setup_at(datetime(2026, 10, 6, 9, tzinfo=UTC), "UTC", timedelta(seconds=30))
    await poller_setup.steps(60)
    known = poller_setup.board.known_of("boardroom")
    assert known is not None
    assert known.schedule is not None
    assert known.schedule.until == datetime(2026, 10, 7, tzinfo=UTC)
