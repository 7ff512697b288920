"""The process that reads large calendars: its budget, its end, and that nobody starts it without need."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from placed.domain.model import ShowAs
from placed_icalendar.occurrences import calendar_reader
from placed_icalendar.occurrences.calendar_reader import CalendarReader, Malformed, OverBudget
from placed_icalendar.occurrences.process_use import process_use
from placed_icalendar.occurrences.worker_process import Budget
from tests.drivers.icalendar.calendar_bodies import AT_NINE, NINE, calendar, event, times, window
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

START = ("DTSTART:20200101T080000Z", "DTEND:20200101T090000Z")
NEVER = calendar(event(*START, "RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO"))
"""dateutil searches until the year 9999, for about a second."""
ENDLESS = calendar(*(event(*START, "RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO", uid=str(n)) for n in range(200)))
LARGE = calendar(event(*NINE, "SUMMARY:Budget", "X-A:" + "b" * calendar_reader.MOST_BYTES_HERE))
SMALL = calendar(event(*NINE))


@pytest.fixture
async def reader() -> AsyncIterator[CalendarReader]:
    opened = CalendarReader()
    yield opened
    await opened.close()


def is_running(pid: int) -> bool:
    """Whether a process exists that is more than a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def seconds_of(pid: int) -> float:
    used = process_use(pid)
    return 0 if used is None else used.seconds


def environment_of(pid: int | None) -> bytes:
    return Path(f"/proc/{pid}/environ").read_bytes()


async def until(condition: Callable[[], bool]) -> None:
    """Waits for what no event reports: another process."""
    async with asyncio.timeout(DEADLINE):
        while not condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(0.01)


async def ended(pid: int) -> None:
    await until(lambda: not is_running(pid))


async def test_a_usual_calendar_starts_no_process(reader: CalendarReader) -> None:
    weekly = calendar(event(*START, "RRULE:FREQ=WEEKLY;BYDAY=WE"), event(*NINE, uid="single"))
    found = await reader.read([weekly], window())
    assert found is not None
    assert times(found.meetings) == [AT_NINE, AT_NINE]
    assert reader.worker_pid is None


@pytest.mark.slow
async def test_a_large_calendar_is_read_by_a_process_with_the_same_result(reader: CalendarReader) -> None:
    body = calendar(
        event(*NINE, "SUMMARY:Caf\u00e9", "ORGANIZER;CN=Ada:mailto:ada@rooms.example", "CLASS:PRIVATE"),
        event("DTSTART;VALUE=DATE:20261203", "TRANSP:TRANSPARENT", "RRULE:FREQ=DAILY;COUNT=2", uid="days"),
        head=("X-A:" + "b" * calendar_reader.MOST_BYTES_HERE,),
    )
    asked = window(address="boardroom@rooms.example", bookings=True)
    found = await reader.read([body], asked)
    assert reader.worker_pid is not None
    assert found == await CalendarReader(worker=False).read([body], asked)
    assert found is not None
    assert [meeting.show_as for meeting in found.meetings] == [ShowAs.BUSY, ShowAs.FREE, ShowAs.FREE]
    assert await reader.read([body], asked, known=found.digest) is None


@pytest.mark.slow
async def test_a_rule_that_takes_long_is_followed_by_the_process(reader: CalendarReader) -> None:
    found = await reader.read([NEVER], window())
    assert reader.worker_pid is not None
    assert found is not None
    assert found.meetings == ()


@pytest.mark.slow
async def test_a_malformed_calendar_is_reported_from_the_process_with_its_place(
    reader: CalendarReader,
) -> None:
    broken = LARGE.replace(b"20261202T090000", b"tomorrow")
    with pytest.raises(Malformed) as caught:
        await reader.read([broken], window())
    assert str(caught.value) == "this is no date and no time (DTSTART, line 5)"
    pid = reader.worker_pid
    assert await reader.read([LARGE], window()) is not None
    assert reader.worker_pid == pid


@pytest.mark.slow
async def test_a_calendar_beyond_the_budget_of_time_harms_no_other() -> None:
    reader = CalendarReader(budget=Budget(seconds=0.5))
    hostile = asyncio.create_task(reader.read([ENDLESS], window()))
    harmless = asyncio.create_task(reader.read([LARGE], window()))
    small = await reader.read([SMALL], window())
    with pytest.raises(OverBudget, match=r"more than 0\.5 s"):
        await hostile
    found = await harmless
    assert found is not None
    assert small is not None
    assert times(found.meetings) == times(small.meetings) == [AT_NINE]
    await reader.close()


@pytest.mark.slow
async def test_a_calendar_beyond_the_budget_of_memory_is_reported() -> None:
    reader = CalendarReader(budget=Budget(memory=1 << 20))
    with pytest.raises(OverBudget, match="more than 1 MiB of memory"):
        await reader.read([ENDLESS], window())
    assert reader.worker_pid is None


@pytest.mark.slow
async def test_the_process_ends_when_the_reader_is_closed(reader: CalendarReader) -> None:
    await reader.read([LARGE], window())
    pid = reader.worker_pid
    assert pid is not None
    await reader.close()
    assert not is_running(pid)
    await reader.close()


@pytest.mark.slow
async def test_a_reading_that_is_given_up_leaves_no_process(reader: CalendarReader) -> None:
    reading = asyncio.create_task(reader.read([ENDLESS], window()))
    await until(lambda: reader.worker_pid is not None)
    pid = reader.worker_pid or 0
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not is_running(pid)
    assert await reader.read([LARGE], window()) is not None


@pytest.mark.slow
async def test_a_process_that_was_killed_is_started_again(reader: CalendarReader) -> None:
    await reader.read([LARGE], window())
    first = reader.worker_pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert await reader.read([LARGE], window()) is not None
    assert reader.worker_pid not in (None, first)


@pytest.mark.slow
async def test_a_process_without_tasks_ends_after_a_while() -> None:
    reader = CalendarReader(budget=Budget(idle=0.01))
    await reader.read([LARGE], window())
    pid = reader.worker_pid
    assert pid is not None
    await ended(pid)
    assert await reader.read([LARGE], window()) is not None
    await reader.close()


async def test_a_process_that_does_not_start_makes_the_room_malformed(
    reader: CalendarReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(OverBudget, match="does not start: No such file"):
        await reader.read([LARGE], window())


@pytest.mark.slow
async def test_a_process_that_ends_at_once_makes_the_room_malformed(
    reader: CalendarReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(OverBudget, match="ended with status 1"):
        await reader.read([LARGE], window())


@pytest.mark.slow
async def test_the_process_has_none_of_the_daemons_secrets(
    reader: CalendarReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACED_MQTT__PASSWORD", "secret")
    await reader.read([LARGE], window())
    assert b"PATH" in environment_of(reader.worker_pid)
    assert b"secret" not in environment_of(reader.worker_pid)


@pytest.mark.slow
async def test_the_process_ends_with_a_daemon_that_is_killed_whatever_it_calculates(tmp_path: Path) -> None:
    body, shown = tmp_path / "body.ics", tmp_path / "pid"
    body.write_bytes(ENDLESS)
    program = f"""
        import asyncio, pathlib
        from placed_icalendar.occurrences.calendar_reader import CalendarReader
        from tests.drivers.icalendar.calendar_bodies import window

        async def main():
            reader = CalendarReader()
            reading = asyncio.create_task(reader.read([pathlib.Path({str(body)!r}).read_bytes()], window()))
            while reader.worker_pid is None:
                await asyncio.sleep(0.01)
            pathlib.Path({str(shown)!r}).write_text(str(reader.worker_pid))
            await reading

        asyncio.run(main())
    """
    daemon = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(program),
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    await until(lambda: shown.exists() and bool(shown.read_text()))
    worker = int(shown.read_text())
    await until(lambda: seconds_of(worker) > 0.3)  # it calculates
    daemon.kill()
    await daemon.wait()
    await ended(worker)


def test_the_budget_is_the_one_that_the_operators_manual_names() -> None:
    page = Path(__file__).parents[4].joinpath("docs", "operators.md").read_text("utf-8")
    budget = Budget()
    assert f"{calendar_reader.MOST_BYTES_HERE // 1000} kB" in page
    assert f"{budget.seconds:g} s of processor time ({budget.clock:g} s by the clock)" in page
    assert f"and {budget.memory >> 20} MiB" in page
    assert f"after {budget.idle / 60:g} minutes without one" in page
