"""Whatever a calendar service answers and people do meanwhile: each command once, and a true reply."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from placed.domain.action import Action, Outcome
from placed.domain.model import Meeting
from placed.domain.occupancy import occupies
from placed.driver import Book, NotWritten, Release, Shorten, Unavailable, Withdraw, WriteFailure
from tests.support.action_setup import ActionSetup
from tests.support.domain_builders import POLICY, at
from tests.support.fake_calendar import not_written, settings, unclear

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from placed.domain.action import Command, Reply
    from placed.driver import Order, WriteResult

NOON = at("12:00")
WRITING = (Action.END, Action.EXTEND, Action.BOOK)
RUNNING, NEXT = at("11:30"), at("13:00")  # the starts of the meetings that people have booked
KEYS = st.sampled_from("abc")


class Draw:
    """A calendar with its people and its faults, as drawn."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        allow = data.draw(st.frozensets(st.sampled_from(Action)), "allow")
        end = data.draw(st.sampled_from(["shorten", "decline"]), "end")
        self.setup = ActionSetup(settings(allow=list(allow), end=end))
        self.allow = allow
        calendar = self.setup.calendar
        self.pending: list[tuple[datetime, Callable[[], object]]] = []
        for start, until, name in ((RUNNING, at("12:30"), "running"), (NEXT, at("14:00"), "next")):
            if data.draw(st.booleans(), f"{name} is booked"):
                calendar.add("boardroom", Meeting(name, start, until))
        self.setup.read()
        if data.draw(st.booleans(), "reads are late"):
            calendar.shows_after = timedelta(seconds=data.draw(st.floats(0.5, 8), "late"))
            calendar.now = self.setup.clock.now
        else:
            for what in data.draw(st.lists(st.sampled_from(("books", "cancels", "moves")), max_size=2)):
                self.later(data.draw(st.floats(0, 9), what), getattr(self, what))
        self.looks = data.draw(st.lists(st.booleans(), max_size=15), "looks that fail")
        kinds = ["done"] * 4 + ["lost", "answer lost", "late", *(failure.value for failure in WriteFailure)]
        writes = st.tuples(st.sampled_from(kinds), st.floats(0, 19))
        self.writes = data.draw(st.lists(writes, max_size=6), "writes, and how late a late one is")
        calendar.before_look = self.before_look
        calendar.write = self.write  # type: ignore[method-assign]
        self.carry_out = calendar.carry_out

    def later(self, seconds: float, what: Callable[[], object]) -> None:
        """Something happens so many seconds from now."""
        self.pending.append((self.setup.clock.now() + timedelta(seconds=seconds), what))

    def happen(self) -> None:
        """What is due happens."""
        now = self.setup.clock.now()
        due = [what for moment, what in self.pending if moment <= now]
        self.pending = [one for one in self.pending if one[0] > now]
        for what in due:
            what()

    # --- people ---

    def books(self) -> None:
        """Somebody books the time from now on."""
        self.setup.calendar.add("boardroom", Meeting("person", at("12:05"), at("12:50")))

    def cancels(self) -> None:
        """Somebody cancels the running meeting."""
        if ("boardroom", "running") in self.setup.calendar.bookings:
            self.setup.calendar.remove("boardroom", "running")

    def moves(self) -> None:
        """Somebody moves the running meeting to an earlier start."""
        if ("boardroom", "running") in self.setup.calendar.bookings:
            self.setup.calendar.add("boardroom", Meeting("running", at("11:15"), at("12:20")))

    # --- the service ---

    def before_look(self) -> None:
        """The service may fail."""
        self.happen()
        if self.looks and self.looks.pop(0):
            raise Unavailable("down")

    async def write(self, order: Order) -> WriteResult:
        """The service may fail, before or after it has done what was asked for, or do it later."""
        await asyncio.sleep(0)
        self.happen()
        calendar = self.setup.calendar
        calendar.orders.append(order)
        kind, late = self.writes.pop(0) if self.writes else ("done", 0.0)
        match kind:
            case "lost":
                return unclear()
            case "late" if (
                calendar.shows_after
            ):  # a write and a read that are both late are one that is later
                return unclear()
            case "late":
                self.later(late, lambda: self._do(order))
                return unclear()
            case "done":
                return self._do(order)
            case "answer lost":
                result = self._do(order)
                return result if isinstance(result, NotWritten) else unclear()
        if kind == WriteFailure.DUPLICATE and not isinstance(order, Book):
            kind = WriteFailure.UNAVAILABLE
        return not_written(WriteFailure(kind))

    def _do(self, order: Order) -> WriteResult:
        if self.setup.calendar.shows_after:
            self.setup.calendar.note_past()
        return self.carry_out(order)

    # --- panels ---

    def command(self) -> Command:
        """Some command."""
        action = self.data.draw(st.sampled_from(WRITING), "action")
        minutes = self.data.draw(st.sampled_from([10, 30, 45, 60, 150]), "minutes")
        return self.setup.command(
            action,
            key=self.data.draw(KEYS, "key"),
            meeting=self.data.draw(st.sampled_from([RUNNING, NEXT]), "meeting"),
            until=NOON + timedelta(minutes=minutes),
        )


def made(draw: Draw, key: str) -> list[Meeting]:
    """The bookings of a command that occupy the room."""
    return [
        booking.meeting
        for booking in draw.setup.calendar.bookings.values()
        if booking.made_with == key and occupies(booking.meeting, POLICY)
    ]


def check(draw: Draw, command: Command, reply: Reply, *, alone: bool) -> None:
    """Whether a reply is true at this moment."""
    calendar = draw.setup.calendar
    mine = [order for order in calendar.done if order.key == command.key]
    booked = made(draw, command.key)
    if reply.outcome is Outcome.REFUSED:
        assert not booked
        assert not [order for order in mine if isinstance(order, Shorten | Release)]
    elif reply.outcome is Outcome.DONE and command.action is Action.BOOK:
        if alone:
            (meeting,) = booked
            others = [m for m in calendar.meetings("boardroom") if m != meeting and occupies(m, POLICY)]
            assert not [m for m in others if m.start < meeting.end and meeting.start < m.end]
    elif reply.outcome is Outcome.DONE and command.action is Action.END:
        named = [m for m in calendar.meetings("boardroom") if m.start == command.meeting]
        latest = draw.setup.clock.now() + timedelta(minutes=1)
        assert all(m.end <= latest for m in named if occupies(m, POLICY))


def check_orders(draw: Draw, commands: dict[str, Command]) -> None:
    """Whether only what was asked for and is allowed was written, and no more than once."""
    calendar = draw.setup.calendar
    done = Counter(order.key for order in calendar.done if isinstance(order, Book | Shorten | Release))
    assert all(count == 1 for count in done.values())
    for order in calendar.orders:
        command = commands[order.key]
        assert command.action in draw.allow
        match order:
            case Book():
                assert command.action in (Action.BOOK, Action.EXTEND)
                assert order.end == command.until
            case Withdraw():
                assert order.booking.made_with is not None
            case Shorten() | Release():
                assert command.action is Action.END
                assert order.booking.meeting.start == command.meeting
                assert order.booking.changeable


def run_without_fault(work: Coroutine[None, None, None]) -> None:
    """Runs it; no fault of the program is logged."""
    with capture_logs() as logs:
        asyncio.run(work)
    assert not [line for line in logs if line["event"] in ("action.failed", "action.write_failed")]


@given(st.data())
def test_a_command_is_done_once_and_its_reply_is_true(data: st.DataObject) -> None:
    async def one_after_another() -> None:
        draw = Draw(data)
        commands: dict[str, Command] = {}
        for _ in range(data.draw(st.integers(1, 3), "commands")):
            command = draw.command()
            known = command.key in commands
            commands.setdefault(command.key, command)
            reply = await draw.setup.service.submit(command).final()
            if not known:
                check(draw, command, reply, alone=True)
            check_orders(draw, commands)
            draw.setup.clock.pass_(data.draw(st.floats(0, 20), "pause"))

    run_without_fault(one_after_another())


@given(st.data())
def test_commands_at_once_are_each_done_once_and_never_overlap(data: st.DataObject) -> None:
    async def at_once() -> None:
        draw = Draw(data)
        given_commands = [draw.command() for _ in range(data.draw(st.integers(2, 4), "commands"))]
        commands: dict[str, Command] = {}
        for command in given_commands:
            commands.setdefault(command.key, command)
        executions = [draw.setup.service.submit(command) for command in commands.values()]
        replies = [await execution.final() for execution in executions]
        check_orders(draw, commands)
        confirmed = [
            meeting
            for reply in replies
            if reply.outcome is Outcome.DONE and reply.action is not Action.END
            for meeting in made(draw, reply.key)
        ]
        for meeting in confirmed:
            others = [other for other in confirmed if other is not meeting]
            assert not [m for m in others if m.start < meeting.end and meeting.start < m.end]

    run_without_fault(at_once())
