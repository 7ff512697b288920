"""All-day meetings: from midnight to midnight on the room's own clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.drivers.microsoft365.driver_setup import BOARDROOM, DriverSetup

if TYPE_CHECKING:
    from tests.drivers.microsoft365.simulator.conftest import Clock


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("UTC", date(2026, 10, 6), datetime(2026, 10, 6, tzinfo=UTC), 24),
        ("Europe/Berlin", date(2026, 10, 6), datetime(2026, 10, 5, 22, tzinfo=UTC), 24),
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        ("America/Los_Angeles", date(2026, 10, 6), datetime(2026, 10, 6, 7, tzinfo=UTC), 24),
        ("Asia/Kolkata", date(2026, 10, 6), datetime(2026, 10, 5, 18, 30, tzinfo=UTC), 24),
        ("Pacific/Kiritimati", date(2026, 10, 6), datetime(2026, 10, 5, 10, tzinfo=UTC), 24),
        ("Pacific/Pago_Pago", date(2026, 10, 6), datetime(2026, 10, 6, 11, tzinfo=UTC), 24),
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC), 23),
    ],
)
@pytest.mark.parametrize("into", [timedelta(0), timedelta(hours=12), timedelta(hours=22, minutes=59)])
async def test_an_all_day_meeting_is_the_room_s_own_day(  # noqa: PLR0913, PLR0917 - two fixtures and a table
    driver_setup: DriverSetup,
    clock: Clock,
    zone: str,
    day: date,
    start: datetime,
    hours: int,
    into: timedelta,
) -> None:
    """It is in the window at every hour of that day."""
    clock.moment = start + into
    driver_setup.tenant.book(BOARDROOM, day, day + timedelta(days=1), all_day=True)
    (meeting,) = await driver_setup.meetings(driver_setup.open(), driver_setup.query(BOARDROOM, zone))
    assert (meeting.start, meeting.end) == (start, start + timedelta(hours=hours))
    assert meeting.all_day
    assert meeting.start <= clock() < meeting.end
