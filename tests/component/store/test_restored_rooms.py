"""A restart restores the rooms of the run before, with the time of their reading."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
import pytest
from msgspec.structs import replace

from placed.board.board import Board
from placed.domain.corrected_clock import CorrectedClock, ServiceTimes
from placed.domain.model import Reason, Status
from placed.domain.privacy import Show
from placed.domain.problem import Problem
from placed.driver import Fence, FenceState, ServiceTime
from placed.store import PeriodicWriter
from placed.store.database import NAME
from placed.store.records import Key, Kind
from tests.component.store.daemon_run import FOUND, ROOMS, SETTINGS, DaemonRun
from tests.support.domain_builders import POLICY, FakeClock, at, room

if TYPE_CHECKING:
    from pathlib import Path

    from placed.store import Journal


async def test_after_a_restart_schedules_keep_the_time_of_their_reading(daemon_run: DaemonRun) -> None:
    daemon_run.read("boardroom", ("8:00", "10:00"))
    daemon_run.read("library")
    daemon_run.pass_(minutes=1)
    daemon_run.confirm("library")
    await daemon_run.store_writer.write_all()
    after = daemon_run.later(minutes=2)
    after.begin()
    boardroom, library = (after.board.statement(name) for name in ROOMS)
    assert boardroom
    assert library
    assert (boardroom.occupancy.status, boardroom.occupancy.observed_at) == (Status.BUSY, at("9:00"))
    assert (library.occupancy.status, library.occupancy.observed_at) == (Status.FREE, at("9:01"))
    assert boardroom.occupancy.busy_until == at("10:00")
    assert boardroom.occupancy.stale
    assert not library.occupancy.stale or library.occupancy.observed_at == at("9:01")


async def test_since_when_a_room_is_what_it_is_is_remembered_unless_that_changed_meanwhile(
    daemon_run: DaemonRun,
) -> None:
    daemon_run.read("boardroom", ("9:02", "9:04"))
    daemon_run.read("library")
    await daemon_run.store_writer.write_all()
    after = daemon_run.later(minutes=3)
    after.begin()
    boardroom, library = (after.board.statement(name) for name in ROOMS)
    assert boardroom
    assert library
    assert boardroom.changed_at == at("9:03")
    assert library.changed_at == at("9:00")


async def test_what_is_too_old_is_unknown(daemon_run: DaemonRun) -> None:
    daemon_run.read("boardroom", ("8:00", "10:00"))
    await daemon_run.store_writer.write_all()
    after = daemon_run.later(minutes=15)
    after.begin()
    statement = after.board.statement("boardroom")
    assert statement
    assert (statement.occupancy.status, statement.occupancy.reason) == (Status.UNKNOWN, Reason.EXPIRED)


async def test_why_a_room_could_not_be_read_is_remembered(daemon_run: DaemonRun) -> None:
    daemon_run.read("boardroom")
    daemon_run.pass_(minutes=2)
    daemon_run.board.fail("boardroom", Reason.UNAVAILABLE)
    await daemon_run.store_writer.write_all()
    assert daemon_run.later(minutes=1).recalled()["boardroom"].failure is Reason.UNAVAILABLE


async def test_a_new_booking_is_written_soon_and_a_confirmation_with_all_the_rest(
    daemon_run: DaemonRun,
) -> None:
    daemon_run.read("boardroom")
    await daemon_run.store_writer.write_all()
    daemon_run.read("boardroom", ("9:30", "10:00"))
    daemon_run.pass_(seconds=1)
    daemon_run.confirm("library")
    await daemon_run.store_writer._write_touched()
    found = daemon_run.later(seconds=1).recalled()["boardroom"].schedule
    assert found
    assert [m.start for m in found.meetings] == [at("9:30")]


async def test_a_confirmation_applies_only_to_the_confirmed_schedule(
    daemon_run: DaemonRun, tmp_path: Path
) -> None:
    """An old reading whose successor got lost is not believed for as long as that."""
    daemon_run.read("boardroom", ("9:30", "10:00"))
    await daemon_run.store_writer.write_all()
    old = rows(tmp_path)
    daemon_run.pass_(minutes=5)
    daemon_run.read("boardroom", ("11:00", "12:00"))
    await daemon_run.store_writer.write_all()
    with closing(sqlite3.connect(tmp_path / "state" / NAME)) as file, file:
        file.executemany("INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)", old)
    found = daemon_run.later(seconds=1).recalled()["boardroom"].schedule
    assert found
    assert found.read_at == at("9:00")


def rows(tmp_path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(tmp_path / "state" / NAME)) as file:
        return file.execute("SELECT * FROM record WHERE kind = 'schedule'").fetchall()


async def test_expired_schedules_are_not_restored(daemon_run: DaemonRun, tmp_path: Path) -> None:
    daemon_run.read("boardroom", ("8:00", "10:00"))
    daemon_run.read("library")
    await daemon_run.store_writer.write_all()
    assert len(rows(tmp_path)) == 2
    daemon_run.board.forget("contoso", Reason.REFUSED)
    await daemon_run.store_writer._write_touched()
    assert rows(tmp_path) == []
    assert [known.schedule for known in daemon_run.later(seconds=1).recalled().values()] == [None, None]


async def test_rooms_that_are_gone_are_forgotten(daemon_run: DaemonRun, tmp_path: Path) -> None:
    daemon_run.read("boardroom")
    daemon_run.read("library")
    await daemon_run.store_writer.write_all()
    daemon_run.board.enroll("contoso", [room("library")])
    daemon_run.notes.listed(FOUND[1:])
    await daemon_run.store_writer._write_touched()
    assert len(rows(tmp_path)) == 1
    assert daemon_run.later(seconds=1).recalled().keys() == {"library"}


async def test_what_has_not_changed_is_not_written_again(daemon_run: DaemonRun, tmp_path: Path) -> None:
    daemon_run.read("boardroom", ("9:30", "10:00"))
    await daemon_run.store_writer.write_all()
    with closing(sqlite3.connect(tmp_path / "state" / NAME)) as file:
        version = file.execute("PRAGMA data_version").fetchone()
        await daemon_run.store_writer._write_touched()
        assert file.execute("PRAGMA data_version").fetchone() == version
    before = rows(tmp_path)
    daemon_run.read("boardroom", ("9:30", "10:00"))  # as a start reads it again
    await daemon_run.store_writer.write_all()
    assert rows(tmp_path) == before


async def test_under_other_settings_nothing_is_recalled(daemon_run: DaemonRun) -> None:
    daemon_run.read("boardroom")
    await daemon_run.store_writer.write_all()
    other = DaemonRun(
        daemon_run.journal, daemon_run.clock, settings=SETTINGS.model_copy(update={"driver": "another"})
    )
    assert other.recalled() == {}
    assert DaemonRun(daemon_run.journal, daemon_run.clock).recalled() != {}


async def test_a_fence_that_did_not_hold_keeps_its_rooms_untold(daemon_run: DaemonRun) -> None:
    daemon_run.read("boardroom")
    await daemon_run.store_writer.write_all()
    daemon_run.notes.tried(Fence(FenceState.BREACHED, at("9:00"), enforce=True))
    after = daemon_run.later(seconds=1)
    recollection = after.notes.recall(after.clock.now(), after.clock.steady())
    assert recollection.rooms == ()
    assert recollection.fence
    assert recollection.fence.state is FenceState.BREACHED
    daemon_run.notes.tried(Fence(FenceState.VERIFIED, at("9:00")))
    assert after.recalled().keys() == set(ROOMS)


def test_a_fence_is_recalled_with_the_lines_of_its_warnings(daemon_run: DaemonRun) -> None:
    flaw = Problem("", "a canary is no mailbox", "name another one", joint=": ")
    tried = Fence(FenceState.EXCESS, at("9:00"), excess=("Mail.Read",), warnings=(flaw,), remedy="fix it")
    daemon_run.enroll()
    daemon_run.notes.tried(tried)
    recalled = daemon_run.notes.recall(daemon_run.clock.now(), daemon_run.clock.steady()).fence
    line = "a canary is no mailbox: name another one"
    assert recalled == replace(tried, warnings=(Problem("", line),))
    daemon_run.notes.tried(recalled)
    assert daemon_run.notes.recall(daemon_run.clock.now(), daemon_run.clock.steady()).fence == recalled


def test_a_fence_that_an_earlier_version_stored_is_recalled(daemon_run: DaemonRun) -> None:
    daemon_run.enroll()
    stored = {
        "state": "excess",
        "checked_at": at("9:00"),
        "enforce": False,
        "excess": ["Mail.Read"],
        "warnings": ["a canary is no mailbox: name another one"],
        "awaits_rooms": False,
        "remedy": "",
    }
    daemon_run.journal.write([(Key(Kind.FENCE, SETTINGS.name), msgspec.msgpack.encode(stored))])
    flaw = Problem("", "a canary is no mailbox: name another one")
    assert daemon_run.notes.recall(daemon_run.clock.now(), daemon_run.clock.steady()).fence == Fence(
        FenceState.EXCESS, at("9:00"), enforce=False, excess=("Mail.Read",), warnings=(flaw,)
    )


async def test_titles_are_not_kept_once_they_are_not_wanted(journal: Journal, tmp_path: Path) -> None:
    before = DaemonRun(journal, show=Show.EVERYTHING)
    before.enroll()
    before.read("boardroom", ("9:30", "10:00"))
    await before.store_writer.write_all()
    assert b"Budget" in rows(tmp_path)[0][4]  # type: ignore[operator]
    after = DaemonRun(journal, before.clock, show=Show.NOTHING)
    after.begin()
    known = after.board.known_of("boardroom")
    assert known
    assert known.schedule
    assert known.schedule.meetings[0].title is None
    await after.store_writer.write_all()
    assert b"Budget" not in rows(tmp_path)[0][4]  # type: ignore[operator]
    journal.close()
    assert b"Budget" not in (tmp_path / "state" / NAME).read_bytes()


# --- clocks -------------------------------------------------------------------------------------------------


async def test_a_clock_that_was_steered_back_makes_nothing_younger(daemon_run: DaemonRun) -> None:
    daemon_run.read("boardroom")
    await daemon_run.store_writer.write_all()
    daemon_run.clock.elapsed += 64  # by which the clock on the wall shows one minute more
    daemon_run.clock.step(60)
    found = DaemonRun(daemon_run.journal, daemon_run.clock).recalled()["boardroom"].schedule
    assert found
    assert daemon_run.clock.now() - found.read_at == timedelta(seconds=64)


async def test_by_a_clock_that_was_set_back_no_room_is_judged(daemon_run: DaemonRun) -> None:
    """It may also have been wrong all the time, and the services' time was what rooms were judged by."""
    daemon_run.read("boardroom")
    await daemon_run.store_writer.write_all()
    daemon_run.clock.elapsed += 7200  # two hours pass, and the clock on the wall shows one minute more
    daemon_run.clock.step(60)
    assert DaemonRun(daemon_run.journal, daemon_run.clock).recalled()["boardroom"].schedule is None


async def test_by_a_clock_that_shows_less_than_the_machine_has_run_no_room_is_judged(
    daemon_run: DaemonRun,
) -> None:
    daemon_run.read("boardroom")
    await daemon_run.store_writer.write_all()
    daemon_run.clock.elapsed = 600  # since the machine was started; its clock shows the time of before
    assert DaemonRun(daemon_run.journal, daemon_run.clock).recalled()["boardroom"].schedule is None


async def test_by_a_clock_that_is_ahead_of_what_was_noted_no_room_is_judged(daemon_run: DaemonRun) -> None:
    """It was set ahead, or it was wrong all the time and rooms were judged by the services' time."""
    daemon_run.read("boardroom")
    await daemon_run.store_writer.write_all()
    daemon_run.clock.elapsed += 60
    daemon_run.clock.step(660)
    assert DaemonRun(daemon_run.journal, daemon_run.clock).recalled()["boardroom"].schedule is None


@pytest.mark.parametrize("wrong", [False, True])
async def test_schedules_read_with_a_wrong_clock_are_not_restored_after_a_boot(
    journal: Journal, *, wrong: bool
) -> None:
    machine = FakeClock(at("9:10") if wrong else at("9:00"))
    times = ServiceTimes(at("0:00"))
    times.keep(["contoso"])
    clock = CorrectedClock(machine, times)
    for second in range(1, 4):
        machine.pass_(1)
        shown = at("9:00") + timedelta(seconds=second)
        clock.hear("contoso", ServiceTime(shown, machine.steady(), machine.steady()))
    before = DaemonRun(journal, machine)
    before.board = Board(POLICY, Show.NOTHING, clock.now, epoch=1)
    before.store_writer = PeriodicWriter(before.board, journal, clock)
    clock.settle()
    before.enroll()
    before.read("boardroom")
    await before.store_writer.write_all()
    machine.elapsed = 1.0  # the machine has just been started
    machine.step(60)
    assert (DaemonRun(journal, machine).recalled()["boardroom"].schedule is None) is wrong


async def test_schedules_read_in_the_future_are_not_restored(daemon_run: DaemonRun) -> None:
    daemon_run.read("boardroom")
    await daemon_run.store_writer._write_touched()  # no confirmation, and so no clocks, are written yet
    daemon_run.clock.step(-3600)
    assert DaemonRun(daemon_run.journal, daemon_run.clock).recalled()["boardroom"].schedule is None


async def test_a_room_of_which_nothing_was_read_is_listed(daemon_run: DaemonRun) -> None:
    assert {
        name: known.schedule for name, known in daemon_run.later(seconds=1).recalled().items()
    } == dict.fromkeys(ROOMS)
