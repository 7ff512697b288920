"""Feeds that other programs had trouble with, named by the issues in which people reported them.

The texts are our own; each has what the issue is about.
"""

from __future__ import annotations

import asyncio

import pytest

from placed.domain.model import ShowAs
from placed_icalendar.occurrences.calendar_reader import CalendarReader, Malformed
from tests.drivers.icalendar.calendar_bodies import (
    AT_NINE,
    NINE,
    calendar,
    event,
    meetings,
    occupied,
    window,
)

WEEKLY = (
    "DTSTART;TZID=Europe/Berlin:20261109T090000",
    "DTEND;TZID=Europe/Berlin:20261109T100000",
    "RRULE:FREQ=WEEKLY",
)
MOVED = ("DTSTART;TZID=Europe/Berlin:20261201T140000", "DTEND;TZID=Europe/Berlin:20261201T150000")
AT_TWO = ("2026-12-01 13:00", "2026-12-01 14:00")


async def test_home_assistant_core_142164() -> None:
    """An O365 feed with zones that nobody knows: refused only if such a time could be near the window."""
    custom = ("DTSTART;TZID=Custom Zone 7:20240902T090000", "DTEND;TZID=Custom Zone 7:20240902T100000")
    assert await occupied(calendar(event(*custom, uid="old"), event(*NINE))) == [AT_NINE]
    near = [line.replace("20240902", "20261202") for line in custom]
    with pytest.raises(Malformed, match=r"the time zone is not known.*\(DTSTART, line 10\)"):
        await occupied(calendar(event(*NINE), event(*near, uid="new")))


async def test_home_assistant_core_142122_and_170999() -> None:
    """iCloud: one line that is no property, or has invalid parameters, made the whole feed unreadable."""
    odd = (
        "ACKNOWLEDGED",
        "X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE=Office: 2nd floor\\nStreet:geo:1,2",
        'ATTENDEE;CN="half quoted:mailto:a@rooms.example',
        "ORGANIZER;=:nobody",
    )
    assert await occupied(calendar(event(*odd, *NINE))) == [AT_NINE]


async def test_home_assistant_core_146716_and_146173() -> None:
    """`X-Link:` in mixed case, and text with a line break that was not folded."""
    assert await occupied(calendar(event("X-Link: a", "DESCRIPTION:one", "two", "- three: 3", *NINE))) == [
        AT_NINE
    ]


async def test_home_assistant_core_178736() -> None:
    """A broken REFRESH-INTERVAL is not about any meeting."""
    head = ("REFRESH-INTERVAL:VALUE=DURATION:PT1H",)
    assert await occupied(calendar(event(*NINE), head=head)) == [AT_NINE]


async def test_home_assistant_core_156282() -> None:
    """A value of CLASS that RFC 5545 does not know means private."""
    (found,) = await meetings(calendar(event("CLASS:Test", *NINE)))
    assert found.private


async def test_home_assistant_core_40127() -> None:
    """A series has an occurrence on each of its days, not only on the first."""
    start = ("DTSTART;TZID=Europe/Berlin:20261130T090000", "DTEND;TZID=Europe/Berlin:20261130T100000")
    found = await occupied(calendar(event(*start, "RRULE:FREQ=DAILY;COUNT=5")))
    assert [begin for begin, _ in found] == [
        f"2026-{day} 08:00" for day in ("11-30", "12-01", "12-02", "12-03", "12-04")
    ]


async def test_home_assistant_core_28720() -> None:
    """A series that began in summer is not an hour off in winter."""
    summer = ("DTSTART;TZID=Europe/Berlin:20260701T090000", "DTEND;TZID=Europe/Berlin:20260701T100000")
    assert await occupied(calendar(event(*summer, "RRULE:FREQ=WEEKLY"))) == [AT_NINE]


async def test_ics_calendar_45_and_113() -> None:
    """A feed that is not readable harms no other: neither in the same moment nor afterwards."""
    reader = CalendarReader(worker=False)
    bodies = [b"<html>", calendar(event(*NINE)), calendar(event(*NINE, "RRULE:FREQ=SECONDLY")), calendar()]
    found = await asyncio.gather(*(reader.read([body], window()) for body in bodies), return_exceptions=True)
    assert [isinstance(one, Malformed) for one in found] == [True, False, True, False]
    again = await reader.read([bodies[1]], window())
    assert again is not None
    assert len(again.meetings) == 1


async def test_magic_mirror_1798_and_1803() -> None:
    """Exchange names its zones "Customized Time Zone" and defines them."""
    zone = (
        "TZID:Customized Time Zone",
        "BEGIN:STANDARD",
        "DTSTART:16010101T000000",
        "TZOFFSETFROM:+0300",
        "TZOFFSETTO:+0300",
        "END:STANDARD",
    )
    body = calendar(
        ("BEGIN:VTIMEZONE", *zone, "END:VTIMEZONE"),
        event(
            "DTSTART;TZID=Customized Time Zone:20261202T110000",
            "DTEND;TZID=Customized Time Zone:20261202T120000",
        ),
    )
    assert await occupied(body) == [AT_NINE]


async def test_magic_mirror_2097() -> None:
    """The first occurrence counts, though the rule does not name its day."""
    first = ("DTSTART;TZID=Europe/Berlin:20261202T090000", "DTEND;TZID=Europe/Berlin:20261202T100000")
    found = await occupied(calendar(event(*first, "RRULE:FREQ=WEEKLY;BYDAY=FR")))
    assert found == [AT_NINE, ("2026-12-04 08:00", "2026-12-04 09:00")]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20261202", "12-02"),
        ("20261202T080000Z", "12-02"),
        ("20261202T075959Z", "12-01"),
        ("20261202T090000", "12-02"),
        ("20261202T085959", "12-01"),
    ],
)
async def test_magic_mirror_3781_and_3701(until: str, last: str) -> None:
    """UNTIL is the last moment of an occurrence, inclusive; as a date, the whole day."""
    start = ("DTSTART;TZID=Europe/Berlin:20261130T090000", "DTEND;TZID=Europe/Berlin:20261130T100000")
    found = await occupied(calendar(event(*start, f"RRULE:FREQ=DAILY;UNTIL={until}")))
    assert found[-1][0] == f"2026-{last} 08:00"


async def test_magic_mirror_1942_and_3157_and_3351() -> None:
    """A series in New York follows New York's clock, seen from Berlin in the weeks in which they differ."""
    start = ("DTSTART;TZID=America/New_York:20260301T090000", "DTEND;TZID=America/New_York:20260301T100000")
    asked = window(window().since.replace(month=3, day=6), window().since.replace(month=3, day=31))
    found = await occupied(calendar(event(*start, "RRULE:FREQ=WEEKLY")), asked=asked)
    assert [begin for begin, _ in found] == [
        "2026-03-08 13:00",
        "2026-03-15 13:00",
        "2026-03-22 13:00",
        "2026-03-29 13:00",
    ]


@pytest.mark.parametrize(
    "exdate",
    [
        "EXDATE;TZID=W. Europe Standard Time:20261201T000000",
        "EXDATE:20261130T230000Z",
        "EXDATE:20261201T000000Z",
        "EXDATE;VALUE=DATE:20261201",
    ],
)
async def test_node_ical_456_and_460(exdate: str) -> None:
    """O365 excludes and moves whole days by times."""
    days = ("DTSTART;VALUE=DATE:20261130", "DTEND;VALUE=DATE:20261201", "RRULE:FREQ=DAILY;COUNT=3")
    moved = ("DTSTART;VALUE=DATE:20261204", "DTEND;VALUE=DATE:20261205")
    named = exdate.replace("EXDATE", "RECURRENCE-ID")
    first, second = ("2026-11-29 23:00", "2026-11-30 23:00"), ("2026-12-01 23:00", "2026-12-02 23:00")
    assert await occupied(calendar(event(*days, exdate))) == [first, second]
    assert await occupied(calendar(event(*days), event(named, *moved))) == [
        first,
        second,
        ("2026-12-03 23:00", "2026-12-04 23:00"),
    ]


async def test_ical_js_257() -> None:
    """Thunderbird: an exception in UTC and a moved occurrence of one series."""
    moved = event("RECURRENCE-ID;TZID=Europe/Berlin:20261130T090000", *MOVED)
    assert await occupied(calendar(event(*WEEKLY, "EXDATE:20261207T080000Z"), moved)) == [AT_TWO]


@pytest.mark.parametrize(
    "named",
    [
        "RECURRENCE-ID:20261130T080000Z",
        "RECURRENCE-ID;TZID=Asia/Tokyo:20261130T170000",
        "RECURRENCE-ID;TZID=GMT:20261130T080000",
    ],
)
async def test_synctools_80(named: str) -> None:
    """DAVx5: an exception in another zone replaces its occurrence, and is not a second meeting."""
    assert await occupied(calendar(event(*WEEKLY), event(named, *MOVED))) == [AT_TWO]


async def test_recurring_ical_events_20() -> None:
    """EXDATE is compared as a moment, in whatever zone it is."""
    for exdate in ("EXDATE:20261130T080000Z", "EXDATE;TZID=America/New_York:20261130T030000"):
        assert await occupied(calendar(event(*WEEKLY, exdate))) == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "W. Europe Standard Time"])
async def test_radicale_662_and_1618_and_1621(zone: str) -> None:
    """What a server expands wrongly: the hour after a change of clocks, EXDATE, a replaced occurrence."""
    start = (f"DTSTART;TZID={zone}:20260701T090000", f"DTEND;TZID={zone}:20260701T100000")
    series = event(*start, "RRULE:FREQ=DAILY", f"EXDATE;TZID={zone}:20261130T090000", uid="series")
    moved = event(f"RECURRENCE-ID;TZID={zone}:20261201T090000", *MOVED, uid="series")
    assert (await occupied(calendar(series, moved)))[:2] == [AT_TWO, AT_NINE]


async def test_calcom_cal_diy_1101() -> None:
    """Zimbra: TRANSP makes a whole day free; X-MICROSOFT-CDO-INTENDEDSTATUS alone does not."""
    day = ("DTSTART;VALUE=DATE:20261202", "DTEND;VALUE=DATE:20261203", "X-MICROSOFT-CDO-INTENDEDSTATUS:FREE")
    (free,) = await meetings(calendar(event(*day, "TRANSP:TRANSPARENT")))
    (busy,) = await meetings(calendar(event(*day)))
    assert [free.show_as, busy.show_as] == [ShowAs.FREE, ShowAs.BUSY]


async def test_gas_ics_sync_384() -> None:
    """Exchange publishes a tentative meeting as opaque; BUSYSTATUS goes before TRANSP."""
    (found,) = await meetings(calendar(event(*NINE, "TRANSP:OPAQUE", "X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE")))
    assert found.show_as is ShowAs.TENTATIVE


async def test_ical4j_510() -> None:
    """An occurrence that is moved to another day is not lost, whether its series is read first or last."""
    moved = event("RECURRENCE-ID;TZID=Europe/Berlin:20261214T090000", *MOVED)
    rest = ("2026-11-30 08:00", "2026-11-30 09:00")
    for components in ((event(*WEEKLY), moved), (moved, event(*WEEKLY))):
        assert await occupied(calendar(*components)) == [rest, AT_TWO]
    assert await occupied(calendar(event(*WEEKLY)), calendar(moved)) == [rest, AT_TWO]
