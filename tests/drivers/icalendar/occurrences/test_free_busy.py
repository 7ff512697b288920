from __future__ import annotations

import pytest

from placed.domain.model import ShowAs
from placed_icalendar.occurrences.calendar_reader import Malformed
from tests.drivers.icalendar.calendar_bodies import AT_NINE, calendar, contents, meetings, times

PERIOD = "20261202T080000Z/20261202T090000Z"


def free_busy(*lines: str) -> bytes:
    return calendar(("BEGIN:VFREEBUSY", "UID:times", *lines, "END:VFREEBUSY"))


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ("", ShowAs.BUSY),
        (";FBTYPE=BUSY", ShowAs.BUSY),
        (";fbtype=busy", ShowAs.BUSY),
        (";FBTYPE=BUSY-UNAVAILABLE", ShowAs.OOF),
        (";FBTYPE=BUSY-TENTATIVE", ShowAs.TENTATIVE),
        (";FBTYPE=X-OTHER", ShowAs.UNRECOGNISED),
    ],
)
async def test_a_busy_time_is_a_private_meeting(parameters: str, shown: ShowAs) -> None:
    (found,) = await meetings(free_busy(f"FREEBUSY{parameters}:{PERIOD}"))
    assert times([found]) == [AT_NINE]
    assert (found.show_as, found.private, found.title) == (shown, True, None)


async def test_a_free_time_is_no_meeting() -> None:
    assert await meetings(free_busy(f"FREEBUSY;FBTYPE=FREE:{PERIOD}")) == []


async def test_several_periods_are_read_from_one_property() -> None:
    found = await meetings(free_busy(f"FREEBUSY:{PERIOD},20261203T080000Z/PT90M,20270101T080000Z/PT1H"))
    assert times(found) == [AT_NINE, ("2026-12-03 08:00", "2026-12-03 09:30")]


async def test_the_same_time_in_two_components_is_one_meeting() -> None:
    assert len(await meetings(free_busy(f"FREEBUSY:{PERIOD}"), free_busy(f"FREEBUSY:{PERIOD}"))) == 1


@pytest.mark.parametrize("value", ["soon", "20261202T080000Z", "20261202T080000Z/soon", "/PT1H"])
async def test_an_invalid_period_makes_the_calendar_malformed(value: str) -> None:
    with pytest.raises(Malformed, match="FREEBUSY, line 5"):
        await meetings(free_busy(f"FREEBUSY:{value}"))


async def test_free_busy_counts_as_content() -> None:
    assert (await contents(free_busy("FREEBUSY:"))).events == 1
