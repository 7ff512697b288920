"""A process that ends at some moment of a command: nothing is written twice, and the outcome is known."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.actions.written_check import LOOKS
from placed.domain.action import Action, Command, Outcome, Refusal
from placed.driver import Unavailable
from placed.store import Journal
from placed.store.records import Kind
from tests.support.action_setup import ActionSetup
from tests.support.deadlines import DEADLINE
from tests.support.domain_builders import at, meeting, room
from tests.support.fake_calendar import settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from placed.domain.action import Reply
    from placed.domain.model import Room
    from placed.driver import Booking, Order, WriteResult
    from tests.support.fake_calendar import WritingSettings

FORGETS_EVERY = 600.0  # seconds
BOOK, END, CHECK_IN, EXTEND = Action.BOOK, Action.END, Action.CHECK_IN, Action.EXTEND


class Setup(ActionSetup):
    """A service whose journal is a file, and whose process may end while the calendar is asked."""

    def __init__(self, folder: Path, wanted: WritingSettings | None = None) -> None:
        self.folder = folder
        super().__init__(wanted or settings())

    def start(self) -> None:
        """A start of the process."""
        self.journal = Journal(self.folder)
        super().start()

    async def ended_in(self, command: Command, moment: str) -> None:
        """The process ends before the calendar is looked at, before it is written to, or after that."""
        reached = asyncio.Event()
        look, write = self.calendar.look, self.calendar.write

        async def stuck() -> None:
            reached.set()
            await asyncio.Event().wait()

        async def looked(room: Room, since: object, until: object) -> Sequence[Booking]:
            if moment == "look" or (moment == "check" and self.calendar.orders):
                await stuck()
            return await look(room, since, until)  # type: ignore[arg-type]

        async def written(order: Order) -> WriteResult:
            if moment == "before":
                await stuck()
            result = await write(order)
            if moment == "after":
                await stuck()
            return result

        self.calendar.look, self.calendar.write = looked, written  # type: ignore[method-assign]
        execution = self.service.submit(command)
        async with asyncio.timeout(DEADLINE):
            await reached.wait()
        for task in asyncio.all_tasks():
            if task.get_name().startswith("command"):
                task.cancel()
        await asyncio.sleep(0)
        assert not execution.reply.final
        self.journal.close()
        self.calendar.look, self.calendar.write = look, write  # type: ignore[method-assign]

    async def answered_again(self, command: Command) -> Reply:
        """The reply to a command that is delivered again after the next start."""
        self.start()
        sleep = self.clock.sleep

        async def seldom(seconds: float) -> None:
            """Old commands are forgotten once: else days would pass while a thread writes the journal."""
            await (asyncio.Event().wait() if seconds >= FORGETS_EVERY else sleep(seconds))

        self.clock.sleep = seldom  # type: ignore[method-assign]
        running = asyncio.create_task(self.service.run())
        async with asyncio.timeout(DEADLINE):
            await asyncio.sleep(0)
            reply = await self.service.submit(command).final()
        running.cancel()
        self.clock.sleep = sleep  # type: ignore[method-assign]
        return reply


@pytest.mark.parametrize(
    ("moment", "outcome", "orders"),
    [
        ("look", Outcome.DONE, 1),  # nothing was written yet, so the command is new
        ("before", Outcome.REFUSED, 0),
        ("after", Outcome.DONE, 1),
        ("check", Outcome.DONE, 1),
    ],
)
async def test_a_room_is_booked_once_whenever_the_process_ends(
    moment: str, outcome: Outcome, orders: int, tmp_path: Path
) -> None:
    setup = Setup(tmp_path)
    command = setup.command(BOOK, until=at("12:30"))
    await setup.ended_in(command, moment)
    assert (await setup.answered_again(command)).outcome is outcome
    assert len(setup.calendar.orders) == len(setup.calendar.meetings("boardroom")) == orders


@pytest.mark.parametrize(("moment", "end"), [("before", "13:00"), ("after", "12:00")])
async def test_the_outcome_of_an_interrupted_end_is_what_the_calendar_shows(
    moment: str, end: str, tmp_path: Path
) -> None:
    setup = Setup(tmp_path)
    setup.book(meeting("11:00", "13:00"))
    command = setup.command(END, meeting=at("11:00"))
    await setup.ended_in(command, moment)
    reply = await setup.answered_again(command)
    assert setup.end_of("11:00") == end
    assert (reply.outcome is Outcome.DONE) == (end == "12:00")


@pytest.mark.parametrize("end", ["shorten", "decline"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_interrupted_end_is_not_refused_if_the_meeting_was_changed_by_somebody_since(
    moment: str, end: str, tmp_path: Path
) -> None:
    """It may have been ended, and its organizer has moved it, whereupon the room has accepted it again."""
    setup = Setup(tmp_path, settings(end=end))
    setup.book(meeting("11:00", "13:00", key="sync"))
    command = setup.command(END, meeting=at("11:00"))
    await setup.ended_in(command, moment)
    setup.book(meeting("11:00", "13:30", key="sync"))
    looks = setup.calendar.looks
    reply = await setup.answered_again(command)
    assert (reply.outcome, reply.reason) == (Outcome.UNCERTAIN, Refusal.UNCERTAIN)
    assert setup.calendar.looks - looks == len(LOOKS)  # no later one would show it


@pytest.mark.parametrize("hours", [2, 100 * 24])
async def test_an_interrupted_command_is_looked_for_also_after_a_long_time(
    hours: int, tmp_path: Path
) -> None:
    """A machine may sleep for months. The outcome is known for a day from when it was found out."""
    setup = Setup(tmp_path)
    command = setup.command(BOOK, until=at("12:30"))
    await setup.ended_in(command, "after")
    setup.clock.pass_(hours * 3600)
    reply = await setup.answered_again(command)
    assert reply.outcome is Outcome.DONE
    setup.journal.close()
    setup.clock.pass_(23 * 3600)
    assert await setup.answered_again(command) == reply


@pytest.mark.parametrize("action", [BOOK, EXTEND])
async def test_a_room_is_booked_once_although_the_journal_is_lost(action: Action, tmp_path: Path) -> None:
    """As on a disk that is full: the calendar alone knows of the command."""
    setup = Setup(tmp_path / "first")
    named = None
    if action is EXTEND:
        setup.book(meeting("11:00", "12:10"))
        named = at("11:00")
    command = setup.command(action, meeting=named, until=at("12:30"))
    await setup.ended_in(command, "after")
    setup.folder = tmp_path / "second"
    setup.clock.pass_(20)
    assert (await setup.answered_again(command)).outcome is Outcome.DONE
    assert len(setup.calendar.orders) == 1


async def test_a_booking_of_a_lost_journal_yields_as_any_other(tmp_path: Path) -> None:
    setup = Setup(tmp_path / "first")
    command = setup.command(BOOK, until=at("12:30"))
    await setup.ended_in(command, "after")
    setup.book(meeting("12:10", "13:00"))
    setup.folder = tmp_path / "second"
    reply = await setup.answered_again(command)
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.CONFLICT)
    assert len(setup.calendar.meetings("boardroom")) == 1


async def test_an_interrupted_command_whose_calendar_cannot_be_read_is_uncertain(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    command = setup.command(BOOK, until=at("12:30"))
    await setup.ended_in(command, "after")
    setup.calendar.errors = [Unavailable("down")] * 1000
    assert (await setup.answered_again(command)).outcome is Outcome.UNCERTAIN


async def test_an_outcome_is_known_after_a_restart_for_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setup = Setup(tmp_path)
    command = setup.command(BOOK, until=at("12:30"))
    reply = await setup.service.submit(command).final()
    setup.journal.close()
    setup.start()
    assert setup.service.outcome(command.key) == reply
    assert await setup.service.submit(command).final() == reply
    other = setup.service.submit(setup.command(END, key=command.key, meeting=at("12:00")))
    assert other.reply.reason is Refusal.CHANGED
    assert len(setup.calendar.orders) == 1
    setup.clock.pass_(timedelta(hours=24, seconds=1).total_seconds())
    forgotten = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        forgotten.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(setup.clock, "sleep", sleep)
    running = asyncio.create_task(setup.service.run())
    async with asyncio.timeout(DEADLINE):
        await forgotten.wait()
    running.cancel()
    assert not setup.journal.all(Kind.COMMAND)
    assert setup.service.outcome(command.key) is None


async def test_the_outcome_of_a_command_whose_room_is_removed_meanwhile_is_the_same_after_a_restart(
    tmp_path: Path,
) -> None:
    setup = Setup(tmp_path)
    command = setup.command(BOOK, until=at("12:30"))
    write = setup.calendar.write

    async def written(order: Order) -> WriteResult:
        result = await write(order)
        setup.board.enroll("contoso", ())
        return result

    setup.calendar.write = written  # type: ignore[method-assign]
    reply = await setup.service.submit(command).final()
    assert reply.final
    setup.journal.close()
    setup.start()
    assert setup.service.outcome(command.key) == reply
    assert len(setup.journal.all(Kind.COMMAND)) == 1


async def test_check_ins_are_restored_and_hold_no_text(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    setup.book(meeting("12:00", "13:00", title="Merger", organizer="Ada"))
    assert (await setup.ask(CHECK_IN, meeting=at("12:00"))).outcome is Outcome.DONE
    setup.journal.close()
    stored = await asyncio.to_thread(lambda: b"".join(path.read_bytes() for path in tmp_path.iterdir()))
    assert b"Merger" not in stored
    assert b"Ada" not in stored
    setup.board.enroll("contoso", ())
    setup.start()
    setup.board.enroll("contoso", [room()])
    setup.read()
    statement = setup.board.statement("boardroom")
    assert statement is not None
    assert statement.occupancy.status == "busy"


async def test_what_belongs_to_a_connection_is_forgotten_with_it(tmp_path: Path) -> None:
    setup = Setup(tmp_path)
    setup.book(meeting("12:00", "13:00"))
    await setup.ask(CHECK_IN, meeting=at("12:00"))
    setup.journal.keep(["another"])
    assert not setup.journal.all(Kind.COMMAND)
    assert not setup.journal.all(Kind.CHECK_INS)
