"""The event loop is never held for long, however a calendar is read."""

from __future__ import annotations

import asyncio
import time

import pytest

from placed_icalendar.occurrences import reading, series
from placed_icalendar.occurrences.calendar_reader import (
    MOST_BYTES_HERE,
    CalendarReader,
    Malformed,
    OverBudget,
)
from tests.drivers.icalendar.calendar_bodies import NINE, calendar, event, meetings, window

SERIES = (
    "DTSTART;TZID=Europe/Berlin:20200101T090000",
    "DTEND;TZID=Europe/Berlin:20200101T100000",
    "RRULE:FREQ=WEEKLY",
)


async def longest_step(work: asyncio.Task[object]) -> float:
    """Seconds of the processor that the loop's thread needs between two turns of this coroutine, at most."""
    longest = 0.0
    while not work.done():
        begun = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - begun)
    return longest


def filled(line: str, *, head: str = "", lines: tuple[str, ...] = NINE) -> bytes:
    """A calendar with a line that is repeated until it is as large as may be read in the event loop."""
    return calendar(event(*lines, head + line * ((MOST_BYTES_HERE - 500) // len(line))))


@pytest.mark.alone
@pytest.mark.long
@pytest.mark.parametrize(
    "body",
    [
        filled("BEGIN:X\r\n"),
        filled("/x", head="DTEND;TZID=/"),
        filled("MO,1TU,", head="RRULE:FREQ=YEARLY;BYDAY="),
        filled("MO,", head="RRULE:FREQ=YEARLY;BYDAY=1TU,"),
        filled("20260101T080000Z,", head="RDATE:"),
        filled("20260101T080000Z/PT1H,", head="RDATE;VALUE=PERIOD:"),
        filled('"', head="ATTENDEE;CN="),
        filled(';A="b"', head="ATTENDEE"),
        filled("\r\n a", head="SUMMARY:"),
        filled("END:VEVENT\r\nBEGIN:VEVENT\r\nUID:meeting@rooms.example\r\nDTSTART:20261202\r\n"),
        filled(
            "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:meeting@rooms.example\r\n"
            "RECURRENCE-ID:20261202\r\nDTSTART:20261202\r\n"
        ),
        calendar(
            *(event(*SERIES) for _ in range(150)),
            *(event(*NINE, "RECURRENCE-ID:20261202T080000Z") for _ in range(150)),
        ),
        filled("20261202T080000Z/PT1H,", head="END:VEVENT\r\nBEGIN:VFREEBUSY\r\nFREEBUSY:").replace(
            b"END:VEVENT\r\nEND:VCAL", b"END:VFREEBUSY\r\nEND:VCAL"
        ),
    ],
    ids=[
        "nesting",
        "zone",
        "days",
        "mixed-days",
        "dates",
        "periods",
        "quotes",
        "parameters",
        "folds",
        "same-uid",
        "changes",
        "pairs",
        "free-busy",
    ],
)
async def test_hostile_text_does_not_hold_the_event_loop(body: bytes) -> None:
    assert len(body) < MOST_BYTES_HERE
    reader = CalendarReader()
    await reader.read([calendar(event(*SERIES))], window())
    work: asyncio.Task[object] = asyncio.create_task(reader.read([body], window()))
    assert await longest_step(work) < 0.04  # twice what usual text may take
    assert isinstance(work.exception(), Malformed | None)
    await reader.close()


@pytest.mark.alone
@pytest.mark.long
@pytest.mark.parametrize(
    "body",
    [
        calendar(*(event(*NINE, uid=str(number)) for number in range(400))),
        calendar(*(event(*SERIES, uid=str(number)) for number in range(350))),
        calendar(event(*SERIES, "EXDATE:" + ",".join(["20260101T080000Z"] * 3000))),
        calendar(event(*SERIES[:2], "RRULE:FREQ=DAILY;COUNT=900")),
        calendar(event(*SERIES[:2], "RRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6")),
        calendar(event(*NINE, "X-A:" + "b" * 10 * MOST_BYTES_HERE)),
    ],
    ids=["events", "series", "exceptions", "count", "never", "large"],
)
async def test_the_event_loop_gets_its_turn_within_20_ms(body: bytes) -> None:
    reader = CalendarReader()
    await reader.read([calendar(event(*SERIES))], window())  # imports, which are done in another thread
    work: asyncio.Task[object] = asyncio.create_task(reader.read([body], window()))
    assert await longest_step(work) < 0.02
    assert work.result() is not None
    await reader.close()


async def test_an_error_that_no_check_foresees_is_of_that_calendar_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_arguments: object) -> None:
        raise KeyError("a title")

    monkeypatch.setattr(series.Series, "__init__", fail)
    with pytest.raises(Malformed, match=r"failed with KeyError in test_calendar_reader\.py:\d+$"):
        await meetings(calendar(event(*SERIES)))


async def test_a_calendar_with_far_too_many_meetings_is_over_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_MEETINGS", 3)
    with pytest.raises(OverBudget, match="more than 3 meetings"):
        await meetings(calendar(event(*SERIES[:2], "RRULE:FREQ=DAILY")))


async def test_meetings_are_in_the_order_of_their_starts() -> None:
    later = ("DTSTART:20261203T080000Z", "DTEND:20261203T090000Z")
    found = await meetings(calendar(event(*later, uid="later"), event(*NINE), event(*SERIES, uid="series")))
    assert [meeting.start for meeting in found] == sorted(meeting.start for meeting in found)
    assert len(found) == 3
