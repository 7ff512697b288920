"""Check-in at the room: judged by what the board shows, without any calendar service."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from placed.domain.action import Action, Outcome, Refusal
from placed.domain.model import Status
from tests.support.action_setup import ActionSetup
from tests.support.domain_builders import at, meeting
from tests.support.fake_calendar import settings

CHECK_IN, BOOK, END = Action.CHECK_IN, Action.BOOK, Action.END


def status(setup: ActionSetup) -> Status:
    """The status of the room."""
    statement = setup.board.statement("boardroom")
    assert statement is not None
    return statement.occupancy.status


async def test_a_pending_room_is_busy_once_somebody_checks_in_and_nothing_is_written() -> None:
    setup = ActionSetup()
    setup.book(meeting("12:00", "13:00"))
    assert status(setup) is Status.PENDING
    reply = await setup.ask(CHECK_IN, meeting=at("12:00"))
    statement = setup.board.statement("boardroom")
    assert statement is not None
    assert (reply.outcome, reply.seq) == (Outcome.DONE, statement.seq)
    assert status(setup) is Status.BUSY
    assert (setup.calendar.orders, setup.calendar.looks) == ([], 0)


async def test_a_second_check_in_is_done_already() -> None:
    setup = ActionSetup()
    setup.book(meeting("12:00", "13:00"))
    for _ in range(2):
        assert (await setup.ask(CHECK_IN, meeting=at("12:00"))).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("start", "reason"), [("12:11", Refusal.NO_SUCH_MEETING), ("11:50", Refusal.TOO_LATE), ("11:45", None)]
)
async def test_a_check_in_outside_of_its_time_is_refused(start: str, reason: Refusal | None) -> None:
    setup = ActionSetup()
    setup.book(meeting(start, "13:00") if reason else meeting("11:30", "13:00"))
    reply = await setup.ask(CHECK_IN, meeting=at(start))
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, reason or Refusal.CHANGED)


async def test_a_room_that_is_unknown_cannot_be_checked_in_to() -> None:
    setup = ActionSetup()
    assert (await setup.ask(CHECK_IN, meeting=at("12:00"))).reason is Refusal.UNAVAILABLE


async def test_where_check_in_is_off_none_is_allowed() -> None:
    setup = ActionSetup(settings().model_copy(update={"check_in": None}))
    setup.book(meeting("12:00", "13:00"))
    assert (await setup.ask(CHECK_IN, meeting=at("12:00"))).reason is Refusal.NOT_ALLOWED


async def test_check_in_needs_no_registration_that_writes() -> None:
    setup = ActionSetup(settings().model_copy(update={"actions": None}))
    setup.connections = {name: type(c)(c.settings) for name, c in setup.connections.items()}
    setup.book(meeting("12:00", "13:00"))
    offer = setup.service.offer("boardroom")
    assert offer is not None
    assert offer.actions == {CHECK_IN}
    assert (await setup.ask(CHECK_IN, meeting=at("12:00"))).outcome is Outcome.DONE
    assert (await setup.ask(END, meeting=at("12:00"))).reason is Refusal.NOT_ALLOWED


async def test_a_booking_that_placed_made_counts_as_checked_in() -> None:
    setup = ActionSetup()
    await setup.ask(BOOK, until=at("12:30"))
    assert status(setup) is Status.BUSY
    check_ins = setup.board.check_ins_of("boardroom")
    assert check_ins is not None
    assert [known.start for known in check_ins.known] == [at("12:00")]


async def test_a_meeting_that_is_declined_here_was_not_released_by_the_service() -> None:
    setup = ActionSetup(settings(end="decline"))
    setup.book(meeting("11:50", "13:00", key="a"))
    setup.clock.step(-120)
    await setup.ask(CHECK_IN, meeting=at("11:50"))
    setup.clock.step(120)
    with capture_logs() as logs:
        assert (await setup.ask(END, meeting=at("11:50"))).outcome is Outcome.DONE
    assert "room.was_released_by_service" not in {line["event"] for line in logs}


async def test_each_order_and_each_outcome_is_a_line_of_the_audit_without_names_and_titles() -> None:
    setup = ActionSetup()
    setup.book(meeting("11:00", "13:00", key="secret-id", title="Merger", organizer="Ada"))
    with capture_logs() as logs:
        await setup.ask(END, key="k", meeting=at("11:00"), sender="door")
    order, outcome = [line for line in logs if line["event"] == "action.audit"]
    shared = {"room": "boardroom", "action": "end", "key": "k", "channel": "mqtt", "sender": "door"}
    assert shared.items() <= order.items()
    assert shared.items() <= outcome.items()
    assert order["read"] == {"start": "2026-10-06T11:00:00Z", "end": "2026-10-06T13:00:00Z"}
    assert order["sent"] == {"order": "shorten", "end": "2026-10-06T12:00:00Z"}
    assert order["status"] == "written"
    assert outcome["outcome"] == "done"
    text = str(logs)
    assert not [word for word in ("Merger", "Ada", "secret-id") if word in text]
