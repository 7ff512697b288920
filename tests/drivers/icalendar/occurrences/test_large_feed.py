"""The twentieth feed of the corpus: 6 MB, which are made and not stored."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed_icalendar.occurrences.calendar_reader import CalendarReader
from tests.benchmarks.harness.published_calendars import large_feed
from tests.drivers.icalendar.calendar_bodies import BERLIN, SINCE, UNTIL, window
from tests.drivers.icalendar.occurrences.slow_oracle import moment, touching

if TYPE_CHECKING:
    from collections.abc import Iterator

WEEK = timedelta(weeks=1)


def blocks(body: bytes) -> Iterator[dict[str, list[str]]]:
    """The events of the feed, each by the names of its properties; no line of it that matters is folded."""
    for block in body.decode().split("BEGIN:VEVENT\r\n")[1:]:
        event: dict[str, list[str]] = {}
        for line in block.split("END:VEVENT")[0].splitlines():
            head, _, value = line.rpartition(":")
            event.setdefault(head.partition(";")[0], []).append(value)
        yield event


def expected(body: bytes) -> set[tuple[datetime, datetime]]:
    """What touches the window, found week by week."""
    changed = {(e["UID"][0], wall(e["RECURRENCE-ID"][0])) for e in blocks(body) if "RECURRENCE-ID" in e}
    found = []
    for event in blocks(body):
        start, end = wall(event["DTSTART"][0]), wall(event["DTEND"][0])
        weeks = range((UNTIL.replace(tzinfo=None) - start).days // 7 + 2) if "RRULE" in event else range(1)
        gone = {wall(value) for value in event.get("EXDATE", [])}
        for week in weeks:
            begin = start + week * WEEK
            if begin in gone or ("RRULE" in event and (event["UID"][0], begin) in changed):
                continue
            found.append((moment(begin, BERLIN), moment(end + week * WEEK, BERLIN)))
    return touching(found, SINCE, UNTIL)


def wall(value: str) -> datetime:
    return datetime.fromisoformat(value)  # a clock on the wall; midnight for a date


@pytest.mark.slow
async def test_every_meeting_of_the_large_feed_is_found_in_the_worker() -> None:
    body = large_feed()
    assert len(body) > 5_000_000
    reader = CalendarReader()
    found = await reader.read([body], window())
    assert reader.worker_pid is not None
    await reader.close()
    assert found is not None
    assert found.events == 5000
    assert {(meeting.start, meeting.end) for meeting in found.meetings} == expected(body)
    assert found.newest == datetime(2026, 11, 1, tzinfo=UTC)


def test_the_worker_imports_neither_drivers_nor_schemas() -> None:
    heavy = "{'pydantic', 'aiohttp', 'asyncio', 'placed.driver', 'placed_icalendar.feeds', 'dateutil'}"
    program = f"import placed_icalendar.occurrences.worker, sys; print(*sys.modules.keys() & {heavy})"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert shown.split() == ["dateutil"]
