from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.calendar_text.zone_names import zone_by_name
from tests.drivers.icalendar.calendar_bodies import AT_NINE, calendar, event, occupied, window

STANDARD = (
    "DTSTART:16010101T030000",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
)
DAYLIGHT = (
    "DTSTART:16010101T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
)
AT_HOME = ("DTSTART;TZID=Home:20261202T090000", "DTEND;TZID=Home:20261202T100000")


def zone(standard: tuple[str, ...] = STANDARD, daylight: tuple[str, ...] = DAYLIGHT) -> tuple[str, ...]:
    return (
        "BEGIN:VTIMEZONE", "TZID:Home",
        "BEGIN:STANDARD", *standard, "END:STANDARD",
        "BEGIN:DAYLIGHT", *daylight, "END:DAYLIGHT",
        "END:VTIMEZONE",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("/mozilla.org/20050126_1/America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("US/Eastern", "US/Eastern"),
    ],
)
def test_a_zone_is_found_by_its_names(name: str, expected: str) -> None:
    assert zone_by_name(name) == ZoneInfo(expected)


@pytest.mark.parametrize("name", ["UTC", "Z", "gmt", "Etc/UTC", "tzone://Microsoft/Utc"])
def test_utc_has_many_names(name: str) -> None:
    assert zone_by_name(name) is UTC


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Mars/Olympus",
        "localtime",
        "../../etc/passwd",
        "/etc/localtime",
        "Europe",
        "Berlin",
        "/a/b",
        "a\0b",
        "x" * 9999,
    ],
)
def test_what_is_no_zone_is_none(name: str) -> None:
    assert zone_by_name(name) is None


def test_every_name_of_windows_leads_to_a_zone() -> None:
    assert len(WINDOWS_TO_OLSON) > 100
    assert [name for name in WINDOWS_TO_OLSON if zone_by_name(name) is None] == []


async def test_a_zone_is_as_the_calendar_defines_it() -> None:
    assert await occupied(calendar(zone(), event(*AT_HOME))) == [AT_NINE]
    assert await occupied(calendar(event(*AT_HOME), zone())) == [AT_NINE]


@pytest.mark.parametrize(
    ("wall", "moment"),
    [
        ("20260329T013000", "2026-03-29 00:30"),
        ("20260329T023000", "2026-03-29 01:30"),
        ("20260329T033000", "2026-03-29 01:30"),
        ("20261025T023000", "2026-10-25 00:30"),
        ("20261025T033000", "2026-10-25 02:30"),
    ],
)
async def test_a_defined_zone_changes_its_clocks_as_a_known_one(wall: str, moment: str) -> None:
    asked = window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    for name in ("Home", "Europe/Berlin"):
        body = calendar(zone(), event(f"DTSTART;TZID={name}:{wall}", "DURATION:PT15M"))
        assert (await occupied(body, asked=asked))[0][0] == moment


async def test_a_defined_zone_without_rules_has_one_offset() -> None:
    fixed = ("DTSTART:19700101T000000", "TZOFFSETFROM:+0530", "TZOFFSETTO:+0530")
    body = calendar(zone(fixed, fixed), event("DTSTART;TZID=Home:20261202T133000", "DURATION:PT1H"))
    assert await occupied(body) == [AT_NINE]


async def test_rules_of_a_zone_that_have_ended_do_not_count() -> None:
    ended = tuple(f"{line};UNTIL=20070101T000000Z" if "RRULE" in line else line for line in DAYLIGHT)
    asked = window(datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC))
    body = calendar(zone(STANDARD, ended), event("DTSTART;TZID=Home:20260701T090000", "DURATION:PT1H"))
    assert await occupied(body, asked=asked) == [("2026-07-01 08:00", "2026-07-01 09:00")]


async def test_zones_of_one_name_are_those_of_their_own_calendar() -> None:
    other = tuple(line.replace("+0200", "-0400").replace("+0100", "-0500") for line in STANDARD)
    bodies = [calendar(zone(), event(*AT_HOME)), calendar(zone(other, other), event(*AT_HOME, uid="second"))]
    expected = [AT_NINE, ("2026-12-02 14:00", "2026-12-02 15:00")]
    assert await occupied(*bodies) == expected
    assert await occupied(bodies[0]) == expected[:1]
    assert await occupied(bodies[1]) == expected[1:]


@pytest.mark.parametrize(
    "standard",
    [
        (),
        ("DTSTART:16010101T030000", "TZOFFSETFROM:+0200"),
        ("DTSTART:16010101T030000", "TZOFFSETFROM:+2", "TZOFFSETTO:+0100"),
        ("DTSTART:soon", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100"),
        (*STANDARD[:3], "RRULE:FREQ=SECONDLY"),
        (*STANDARD[:3], "RRULE:FREQ=DAILY"),
        (*STANDARD[:3], "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31"),
    ],
)
async def test_an_invalid_definition_makes_only_those_malformed_who_use_it(standard: tuple[str, ...]) -> None:
    at_nine = ("DTSTART:20261202T080000Z", "DTEND:20261202T090000Z")
    assert await occupied(calendar(zone(standard), event(*at_nine))) == [AT_NINE]
    with pytest.raises(Malformed):
        await occupied(calendar(zone(standard), event(*AT_HOME)))


async def test_an_unknown_zone_of_the_calendar_matters_only_to_floating_times() -> None:
    head = ("X-WR-TIMEZONE:Mars/Olympus",)
    assert await occupied(calendar(event("DTSTART:20261202T080000Z", "DURATION:PT1H"), head=head)) == [
        AT_NINE
    ]
    with pytest.raises(Malformed, match="X-WR-TIMEZONE"):
        await occupied(calendar(event("DTSTART:20261202T080000", "DURATION:PT1H"), head=head))


@pytest.mark.parametrize("name", ["GMT", "UTC", "EST", "CET"])
async def test_an_abbreviation_is_as_the_calendar_defines_it(name: str) -> None:
    own = tuple(line.replace("TZID:Home", f"TZID:{name}") for line in zone())
    at_ten = event(f"DTSTART;TZID={name}:20260701T100000", "DURATION:PT1H")
    asked = window(datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 7, 2, tzinfo=UTC))
    assert (await occupied(calendar(own, at_ten), asked=asked))[0][0] == "2026-07-01 08:00"


async def test_an_abbreviation_without_a_definition_is_known_by_its_name() -> None:
    at_eight = event("DTSTART;TZID=UTC:20261202T080000", "DTEND;TZID=UTC:20261202T090000")
    assert await occupied(calendar(at_eight)) == [AT_NINE]
    nothing = ("BEGIN:VTIMEZONE", "TZID:UTC", "END:VTIMEZONE")
    assert await occupied(calendar(nothing, at_eight)) == [AT_NINE]


async def test_whole_days_are_those_of_the_room_wherever_the_calendar_is_kept() -> None:
    head = ("X-WR-TIMEZONE:America/New_York",)
    expected = [("2026-12-01 23:00", "2026-12-02 23:00")]
    single = event("DTSTART;VALUE=DATE:20261202", "DTEND;VALUE=DATE:20261203")
    weekly = event("DTSTART;VALUE=DATE:20261104", "RRULE:FREQ=WEEKLY")
    assert await occupied(calendar(single, head=head)) == expected
    assert await occupied(calendar(weekly, head=head)) == expected
    floating = event("DTSTART:20261202T090000", "DURATION:PT1H")
    assert await occupied(calendar(floating, head=head)) == [("2026-12-02 14:00", "2026-12-02 15:00")]


async def test_a_defined_zone_is_right_for_a_series_that_began_years_ago() -> None:
    weekly = ("DTSTART;TZID=Home:20150701T090000", "RRULE:FREQ=WEEKLY;BYDAY=WE")
    ends_in_utc = event(*weekly, "DTEND:20150701T080000Z")
    assert await occupied(calendar(zone(), ends_in_utc)) == [AT_NINE]
    earlier = event("RECURRENCE-ID;RANGE=THISANDFUTURE:20180704T070000Z", "DTSTART;TZID=Home:20180704T080000",
                    "DURATION:PT2H")  # fmt: skip
    found = await occupied(calendar(zone(), event(*weekly, "DURATION:PT1H"), earlier))
    assert found == [("2026-12-02 07:00", "2026-12-02 09:00")]


@pytest.mark.parametrize("outside", ["X-ARCHIVE", "VTODO"])
async def test_a_zone_inside_of_another_component_spoils_no_other_zone(outside: str) -> None:
    far = ("DTSTART:16010101T000000", "TZOFFSETFROM:-0900", "TZOFFSETTO:-0900")
    inner = tuple(line.replace("TZID:Home", "TZID:Away") for line in zone(far, far))
    nested = (f"BEGIN:{outside}", *inner, f"END:{outside}")
    assert await occupied(calendar(zone(), nested, event(*AT_HOME))) == [AT_NINE]
    assert await occupied(calendar(nested, zone(), event(*AT_HOME))) == [AT_NINE]


async def test_zones_whose_definitions_differ_in_one_observance_are_two_zones() -> None:
    """Though a definition that was read before is known by its text."""
    for offset, begin in (("+0100", "08:00"), ("+0200", "07:00"), ("+0100", "08:00")):
        standard = (*STANDARD[:2], f"TZOFFSETTO:{offset}", STANDARD[3])
        assert (await occupied(calendar(zone(standard), event(*AT_HOME))))[0][0] == f"2026-12-02 {begin}"
