"""If nobody has set a room's time zone, its whole days are those of its calendar, and never too short."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tests.drivers.icalendar.calendar_bodies import calendar, contents, event, occupied, window

UNSET = window(zone=ZoneInfo("UTC"), zone_is_default=True)
DAY = event("DTSTART;VALUE=DATE:20261202", "DTEND;VALUE=DATE:20261203")
IN_NEW_YORK = ("2026-12-02 05:00", "2026-12-03 05:00")
HEAD = ("X-WR-TIMEZONE:America/New_York",)


def used(name: str, offset: str = "+0900") -> tuple[str, ...]:
    standard = ("DTSTART:16010101T000000", f"TZOFFSETFROM:{offset}", f"TZOFFSETTO:{offset}")
    return ("BEGIN:VTIMEZONE", f"TZID:{name}", "BEGIN:STANDARD", *standard, "END:STANDARD", "END:VTIMEZONE")


async def test_whole_days_are_in_the_zone_that_the_calendar_states() -> None:
    tokyo = used("Asia/Tokyo")
    for body in (calendar(DAY, head=HEAD), calendar(tokyo, DAY, head=HEAD)):
        assert await occupied(body, asked=UNSET) == [IN_NEW_YORK]
        assert (await contents(body, asked=UNSET)).zone == "America/New_York"
    weekly = event("DTSTART;VALUE=DATE:20261104", "RRULE:FREQ=WEEKLY")
    assert await occupied(calendar(weekly, head=HEAD), asked=UNSET) == [IN_NEW_YORK]
    marked = event("DTSTART:20261202T000000", "DTEND:20261203T000000", "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE")
    assert await occupied(calendar(marked, head=HEAD), asked=UNSET) == [IN_NEW_YORK]


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        ((), ("2026-12-02 00:00", "2026-12-03 00:00")),
        ((used("W. Europe Standard Time"),), ("2026-12-01 23:00", "2026-12-03 00:00")),
        ((used("Customized Time Zone", "-0800"),), ("2026-12-02 00:00", "2026-12-03 08:00")),
        ((used("Asia/Tokyo"), used("America/New_York")), ("2026-12-01 15:00", "2026-12-03 05:00")),
    ],
)
async def test_if_it_states_none_days_last_through_every_zone_that_it_uses(
    zones: tuple[tuple[str, ...], ...], expected: tuple[str, str]
) -> None:
    assert await occupied(calendar(*zones, DAY), asked=UNSET) == [expected]
    assert await occupied(*(calendar(zone) for zone in zones), calendar(DAY), asked=UNSET) == [expected]


async def test_a_zone_that_was_set_counts_alone() -> None:
    body = calendar(used("Asia/Tokyo"), DAY, head=HEAD)
    assert await occupied(body, asked=window(zone=ZoneInfo("UTC"))) == [
        ("2026-12-02 00:00", "2026-12-03 00:00")
    ]


async def test_zones_that_are_not_known_or_invalid_do_not_matter_to_whole_days() -> None:
    broken = ("BEGIN:VTIMEZONE", "TZID:Home", "END:VTIMEZONE")
    unnamed = ("BEGIN:VTIMEZONE", "END:VTIMEZONE")
    body = calendar(broken, unnamed, DAY, head=("X-WR-TIMEZONE:Mars/Olympus",))
    assert await occupied(body, asked=UNSET) == [("2026-12-02 00:00", "2026-12-03 00:00")]
    assert (await contents(body, asked=UNSET)).zone is None


async def test_a_calendar_whose_own_zone_changes_is_another_one() -> None:
    before = (await contents(calendar(DAY, head=HEAD), asked=UNSET)).digest
    bodies = (
        calendar(DAY),
        calendar(DAY, head=("X-WR-TIMEZONE:Asia/Tokyo",)),
        calendar(used("Asia/Tokyo"), DAY),
    )
    digests = [(await contents(body, asked=UNSET)).digest for body in bodies]
    assert len({before, *digests}) == 4
    apart = (await contents(calendar(used("Asia/Tokyo")), calendar(DAY), asked=UNSET)).digest
    assert apart != (await contents(calendar(), calendar(DAY), asked=UNSET)).digest
