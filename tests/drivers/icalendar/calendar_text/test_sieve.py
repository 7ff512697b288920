from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from placed_icalendar.calendar_text import sieve
from placed_icalendar.occurrences.calendar_reader import CalendarReader, Malformed
from tests.drivers.icalendar.calendar_bodies import (
    AT_NINE,
    NINE,
    calendar,
    contents,
    event,
    occupied,
    window,
)

if TYPE_CHECKING:
    from placed_icalendar.occurrences.calendar_reader import Window

Z = ";TZID=Europe/Berlin:"
PAST = (f"DTSTART{Z}20251202T090000", f"DTEND{Z}20251202T100000")
LINES = ("SUMMARY:Budget", "DTSTAMP:20261101T080000Z", "LAST-MODIFIED:20261101T080000Z")


async def digest(*lines: str, asked: Window | None = None) -> bytes:
    return (await contents(calendar(event(*lines)), asked=asked)).digest


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART:2025-12-02 09:00", "DTEND:20251202T090000Z"),
        (*PAST, "DURATION:P2Y"),
        (*PAST, "RRULE:FREQ=SOMETIMES"),
        (*PAST, "RECURRENCE-ID:then"),
        (*PAST, "RDATE:then"),
        ("DTSTART:20251302T090000Z", "DTEND:20251302T100000Z"),
    ],
)
async def test_what_is_not_understood_is_not_left_out(lines: tuple[str, ...]) -> None:
    with pytest.raises(Malformed):
        await contents(calendar(event(*lines)))


@pytest.mark.parametrize(
    ("start", "end", "is_found"),
    [
        ("20261127T220000Z", "20261129T230000Z", False),
        ("20261127T220000Z", "20261129T230001Z", True),
        ("20261206T225959Z", "20261206T233000Z", True),
        ("20261206T230000Z", "20261206T233000Z", False),
        ("20200101T000000Z", "20300101T000000Z", True),
        ("20261129", "20261130", False),
        ("20261130", "20261201", True),
        ("20261206", "20261207", True),
        ("20261207", "20261208", False),
    ],
)
async def test_an_event_at_the_edge_of_the_window_is_found_if_it_touches_it(
    start: str, end: str, *, is_found: bool
) -> None:
    assert bool(await occupied(calendar(event(f"DTSTART:{start}", f"DTEND:{end}")))) is is_found


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue", "Asia/Kolkata"])
async def test_an_event_far_from_the_rooms_zone_is_found_at_the_edges(zone: str) -> None:
    for moment in ("2026-11-29T23:00", "2026-12-06T22:00"):
        wall = datetime.fromisoformat(moment).replace(tzinfo=UTC).astimezone(ZoneInfo(zone))
        body = calendar(event(f"DTSTART;TZID={zone}:{wall:%Y%m%dT%H%M%S}", "DURATION:PT1H"))
        assert len(await occupied(body)) == 1


async def test_the_digest_changes_with_what_matters_only() -> None:
    before = await digest(*NINE, *LINES)
    assert await digest(*NINE, "DTSTAMP:20261102T080000Z", LINES[0], "X-A:b", "DESCRIPTION:c") == before
    changed = [
        (*NINE, "SUMMARY:Other", *LINES[1:]),
        (*NINE, *LINES, "STATUS:CANCELLED"),
        (*PAST, *LINES),
        (NINE[0], *LINES),
    ]
    assert len({before, *[await digest(*lines) for lines in changed]}) == 5


async def test_the_digest_is_of_the_window_and_of_what_is_wanted() -> None:
    windows = [
        window(),
        window(until=window().until.replace(hour=22)),
        window(zone=ZoneInfo("UTC")),
        window(details=False),
    ]
    assert len({await digest(*NINE, *LINES, asked=asked) for asked in windows}) == 4


async def test_the_digest_changes_with_the_definition_of_a_zone() -> None:
    lines = (
        "BEGIN:VTIMEZONE",
        "TZID:Home",
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0100",
        "END:STANDARD",
        "END:VTIMEZONE",
    )
    at_home = event("DTSTART;TZID=Home:20261202T090000", "DTEND;TZID=Home:20261202T100000")
    moved = tuple(line.replace("+0100", "+0200") for line in lines)
    one, other = [await contents(calendar(zone, at_home)) for zone in (lines, moved)]
    assert one.digest != other.digest


async def test_a_known_digest_needs_no_reading() -> None:
    reader = CalendarReader(worker=False)
    body = calendar(event(*NINE))
    first = await reader.read([body], window())
    assert first is not None
    assert await reader.read([body], window(), known=first.digest) is None
    assert await reader.read([body], window(details=False), known=first.digest) is not None


async def test_all_components_are_counted() -> None:
    found = await contents(calendar(event(*PAST), event(*NINE)), calendar(event(*PAST)))
    assert (found.events, len(found.meetings)) == (3, 1)
    assert (await contents(calendar())).events == 0


async def test_the_newest_change_and_the_latest_end_are_reported() -> None:
    found = await contents(
        calendar(
            event(*PAST, "DTSTAMP:20261101T080000Z", "LAST-MODIFIED:20261115T080000Z"),
            event(*NINE, "CREATED:20261001T080000Z", "DTSTAMP:never"),
            event(*NINE, "RRULE:FREQ=DAILY;UNTIL=20300101", uid="series"),
        )
    )
    assert found.newest == datetime(2026, 11, 15, 8, tzinfo=UTC)
    assert found.last_end == datetime(2026, 12, 2, 9, tzinfo=UTC)
    empty = await contents(calendar())
    assert (empty.newest, empty.last_end) == (None, None)


async def test_obsolete_exception_rules_are_counted() -> None:
    found = await contents(calendar(event(*NINE, "EXRULE:FREQ=DAILY", "RRULE:FREQ=DAILY;COUNT=2")))
    assert (found.exrules, len(found.meetings)) == (1, 2)


async def test_a_calendar_with_too_many_events_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sieve, "MOST_EVENTS", 2)
    assert len(await occupied(calendar(event(*NINE), event(*PAST)))) == 1
    with pytest.raises(Malformed, match="more than 2 events"):
        await occupied(calendar(event(*NINE)), calendar(event(*PAST), event(*PAST)))


async def test_a_calendar_that_is_not_gregorian_is_malformed() -> None:
    assert await occupied(calendar(event(*NINE), head=("CALSCALE:Gregorian",))) == [AT_NINE]
    with pytest.raises(Malformed, match="CALSCALE, line 3"):
        await occupied(calendar(event(*NINE), head=("CALSCALE:HEBREW",)))
