"""What a command is answered depends on what is on the calendar afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.action import Action, Outcome, Refusal
from placed.driver import Book, Unavailable, Withdraw, WriteFailure
from tests.support.action_setup import ActionSetup
from tests.support.domain_builders import at, meeting
from tests.support.fake_calendar import not_written, unclear

if TYPE_CHECKING:
    from collections.abc import Callable

BOOK, END, EXTEND = Action.BOOK, Action.END, Action.EXTEND
HALF_PAST = at("12:30")


class Later(ActionSetup):
    """Something happens to the calendar so many seconds after noon, when it is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.calendar.before_look = self.happen
        self.events: list[tuple[datetime, Callable[[], None]]] = []

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        self.events.append((at("12:00") + timedelta(seconds=seconds), event))

    def happen(self) -> None:
        due = [event for moment, event in self.events if self.clock.now() >= moment]
        self.events = [(moment, event) for moment, event in self.events if self.clock.now() < moment]
        for event in due:
            event()

    def somebody_books(self, made_with: str | None = None) -> None:
        self.calendar.add("boardroom", meeting("12:10", "13:00", key="person"), made_with=made_with)

    @property
    def withdrawn(self) -> bool:
        return any(isinstance(order, Withdraw) for order in self.calendar.orders)


async def test_a_booking_is_done_when_nothing_conflicts_with_it_after_ten_seconds() -> None:
    setup = Later()
    assert (await setup.ask(BOOK, until=HALF_PAST)).outcome is Outcome.DONE
    assert setup.clock.now() >= at("12:00:10")


@pytest.mark.parametrize("seconds", [1, 9])
async def test_a_booking_yields_to_a_person_s_that_came_at_the_same_time(seconds: int) -> None:
    setup = Later()
    setup.after(seconds, setup.somebody_books)
    reply = await setup.ask(BOOK, until=HALF_PAST)
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.CONFLICT)
    assert [m.key for m in setup.calendar.meetings("boardroom")] == ["person"]


@pytest.mark.parametrize(("other", "stays"), [("a", False), ("z", True)])
async def test_of_two_bookings_of_placed_the_one_with_the_smaller_key_stays(
    other: str, *, stays: bool
) -> None:
    setup = Later()
    setup.after(1, lambda: setup.somebody_books(made_with=other))
    reply = await setup.ask(BOOK, until=HALF_PAST, key="m")
    assert (reply.outcome is Outcome.DONE) == stays
    assert setup.withdrawn == (not stays)


async def test_a_booking_that_somebody_deletes_at_once_is_not_done() -> None:
    setup = Later()
    setup.after(5, lambda: setup.calendar.remove("boardroom", "made-m"))
    reply = await setup.ask(BOOK, until=HALF_PAST, key="m")
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.CHANGED)


async def test_a_deletion_that_fails_is_tried_again() -> None:
    setup = Later()
    setup.after(1, setup.somebody_books)
    setup.calendar.results = [None, not_written(WriteFailure.UNAVAILABLE), unclear()]
    assert (await setup.ask(BOOK, until=HALF_PAST)).reason is Refusal.CONFLICT
    assert [m.key for m in setup.calendar.meetings("boardroom")] == ["person"]


async def test_a_conflict_that_cannot_be_resolved_is_uncertain() -> None:
    setup = Later()
    setup.after(1, setup.somebody_books)
    setup.calendar.results = [None, *[not_written(WriteFailure.FORBIDDEN)] * 3]
    assert (await setup.ask(BOOK, until=HALF_PAST)).outcome is Outcome.UNCERTAIN


# --- writes whose end is unknown ------------------------------------------------------------------------


async def test_a_booking_whose_request_timed_out_is_looked_for() -> None:
    setup = Later()
    setup.calendar.results = [unclear()]
    assert (await setup.ask(BOOK, until=HALF_PAST)).outcome is Outcome.DONE
    assert len(setup.calendar.orders) == 1


async def test_a_booking_that_is_nowhere_after_half_a_minute_was_not_made() -> None:
    setup = Later()
    setup.calendar.results, setup.calendar.lost = [unclear()], True
    reply = await setup.ask(BOOK, until=HALF_PAST)
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.UNAVAILABLE)
    assert setup.clock.now() >= at("12:00:30")


async def test_a_booking_that_cannot_be_looked_for_is_uncertain() -> None:
    setup = Later()
    setup.calendar.results = [unclear()]
    setup.calendar.errors = [None, *[Unavailable("down")] * 3]
    reply = await setup.ask(BOOK, until=HALF_PAST)
    assert (reply.outcome, reply.reason) == (Outcome.UNCERTAIN, Refusal.UNCERTAIN)


async def test_a_booking_that_was_confirmed_and_cannot_be_looked_at_is_uncertain() -> None:
    setup = Later()
    setup.calendar.errors = [None, *[Unavailable("down")] * 3]
    assert (await setup.ask(BOOK, until=HALF_PAST)).outcome is Outcome.UNCERTAIN


@pytest.mark.parametrize(("lost", "outcome"), [(False, Outcome.DONE), (True, Outcome.REFUSED)])
async def test_an_end_whose_request_timed_out_is_looked_for(*, lost: bool, outcome: Outcome) -> None:
    setup = Later()
    setup.book(meeting("11:00", "13:00"))
    setup.calendar.results, setup.calendar.lost = [unclear()], lost
    assert (await setup.ask(END, meeting=at("11:00"))).outcome is outcome
    assert setup.end_of("11:00") == ("13:00" if lost else "12:00")


async def test_an_end_that_timed_out_and_was_perhaps_undone_is_uncertain() -> None:
    setup = Later()
    booked = meeting("11:00", "13:00")
    setup.book(booked)
    setup.calendar.results = [unclear()]
    setup.after(1, lambda: setup.calendar.add("boardroom", booked))  # the organizer restores its end
    reply = await setup.ask(END, meeting=at("11:00"))
    assert (reply.outcome, reply.reason) == (Outcome.UNCERTAIN, Refusal.UNCERTAIN)
    assert setup.end_of("11:00") == "13:00"


async def test_a_key_that_the_service_knows_already_is_looked_for() -> None:
    setup = Later()
    earlier = Book("m", setup.board.rooms[0], at("12:00"), HALF_PAST, "")

    def was_booked(_order: object) -> None:
        setup.calendar.carry_out(earlier)

    setup.calendar.before_write = was_booked
    assert (await setup.ask(BOOK, until=HALF_PAST, key="m")).outcome is Outcome.DONE
    assert len(setup.calendar.meetings("boardroom")) == 1


# --- reads that show a write late -----------------------------------------------------------------------


async def test_a_room_is_not_booked_twice_though_the_calendar_shows_the_first_booking_late() -> None:
    setup = Later()
    setup.calendar.shows_after, setup.calendar.now = timedelta(seconds=5), setup.clock.now
    first = setup.service.submit(setup.command(BOOK, until=HALF_PAST))
    second = setup.service.submit(setup.command(BOOK, until=HALF_PAST))
    assert (await second.final()).reason is Refusal.CONFLICT
    assert (await first.final()).outcome is Outcome.DONE
    assert len(setup.calendar.orders) == 1


# --- replies and the room's statement -------------------------------------------------------------------


async def test_a_reply_has_the_number_of_the_statement_that_shows_what_was_done() -> None:
    setup = ActionSetup()
    setup.book(meeting("11:00", "13:00"))
    reply = await setup.ask(END, meeting=at("11:00"))
    statement = setup.board.statement("boardroom")
    assert statement is not None
    assert statement.occupancy.current is None
    assert (reply.epoch, reply.seq) == (7, statement.seq)


async def test_a_reply_does_not_wait_for_ever_for_a_statement() -> None:
    setup = ActionSetup()
    setup.book(meeting("11:00", "13:00"))
    setup.read = lambda: None  # type: ignore[method-assign]
    assert (await setup.ask(END, meeting=at("11:00"))).outcome is Outcome.DONE
    assert setup.clock.now() <= at("12:00:06")


async def test_a_second_end_is_answered_when_the_statement_shows_the_first() -> None:
    setup = ActionSetup()
    setup.book(meeting("11:00", "13:00"))
    setup.clock.pass_(10)
    end = at("12:01")
    setup.calendar.remove("boardroom", "11:00-13:00")
    setup.calendar.add("boardroom", meeting("11:00", "12:01", key="11:00-13:00"))
    reply = await setup.ask(END, meeting=at("11:00"))
    assert reply.outcome is Outcome.DONE
    assert setup.calendar.orders == []
    statement = setup.board.statement("boardroom")
    assert statement is not None
    assert statement.occupancy.busy_until == end
    assert reply.seq == statement.seq
