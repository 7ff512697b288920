"""The service of actions: each command once, and a true reply."""

from __future__ import annotations

import pytest

from placed.domain.action import Action, Outcome, Refusal
from placed.driver import Unavailable, WriteFailure
from tests.support.action_setup import ActionSetup
from tests.support.domain_builders import at, meeting
from tests.support.fake_calendar import not_written, settings

BOOK, END, EXTEND = Action.BOOK, Action.END, Action.EXTEND


async def test_a_free_room_is_booked_from_now() -> None:
    setup = ActionSetup()
    execution = setup.service.submit(setup.command(BOOK, until=at("12:30")))
    assert execution.reply.outcome is Outcome.ACCEPTED
    assert (await execution.final()).outcome is Outcome.DONE
    assert [(m.start, m.end) for m in setup.calendar.meetings("boardroom")] == [(at("12:00"), at("12:30"))]
    assert "contoso/boardroom" in setup.readings


async def test_a_running_meeting_ends_at_the_next_full_minute() -> None:
    setup = ActionSetup()
    setup.book(meeting("11:30", "13:00"))
    setup.clock.pass_(10)
    assert (await setup.ask(END, meeting=at("11:30"))).outcome is Outcome.DONE
    assert setup.end_of("11:30") == "12:01"


async def test_an_extension_is_a_booking_of_its_own_beside_the_meeting() -> None:
    setup = ActionSetup()
    setup.book(meeting("11:30", "12:15"))
    assert (await setup.ask(EXTEND, meeting=at("11:30"), until=at("12:45"))).outcome is Outcome.DONE
    assert setup.end_of("11:30") == "12:15"
    assert setup.end_of("12:15") == "12:45"


async def test_a_repeated_key_is_answered_and_done_once() -> None:
    setup = ActionSetup()
    command = setup.command(BOOK, until=at("12:30"))
    first, second = setup.service.submit(command), setup.service.submit(command)
    assert await first.final() == await second.final() == setup.service.outcome(command.key)
    assert len(setup.calendar.orders) == 1


async def test_a_known_key_with_other_content_is_refused() -> None:
    setup = ActionSetup()
    await setup.ask(BOOK, key="same", until=at("12:30"))
    reply = await setup.ask(BOOK, key="same", until=at("12:45"))
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.CHANGED)
    known = setup.service.outcome("same")
    assert known is not None
    assert known.outcome is Outcome.DONE


async def test_an_old_or_undated_command_is_expired() -> None:
    setup = ActionSetup()
    for issued_at in (None, at("11:59:29"), at("12:00:31")):
        reply = await setup.ask(BOOK, until=at("12:30"), issued_at=issued_at)
        assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.EXPIRED)
    assert (await setup.ask(BOOK, until=at("12:30"), issued_at=at("11:59:31"))).outcome is Outcome.DONE


async def test_only_what_the_settings_allow_is_done() -> None:
    setup = ActionSetup(settings(allow=["end"]))
    reply = await setup.ask(BOOK, until=at("12:30"))
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.NOT_ALLOWED)
    assert setup.calendar.looks == 0
    offer = setup.service.offer("boardroom")
    assert offer is not None
    assert offer.actions == {END}


async def test_a_room_of_a_connection_without_actions_is_never_written_to() -> None:
    setup = ActionSetup()
    setup.connections.clear()
    assert (await setup.ask(BOOK, until=at("12:30"))).outcome is Outcome.REFUSED
    assert setup.service.offer("boardroom") is None
    assert not setup.service.configured


async def test_a_command_for_an_unknown_room_is_refused() -> None:
    setup = ActionSetup()
    reply = await setup.ask(BOOK, room="attic", until=at("12:30"))
    assert (reply.reason, reply.epoch, reply.seq) == (Refusal.NO_SUCH_ROOM, 7, 0)


async def test_a_room_takes_six_commands_a_minute() -> None:
    setup = ActionSetup()
    for _ in range(6):
        assert setup.service.submit(setup.command(BOOK, until=at("12:30"))).reply.reason is None
        setup.clock.pass_(1)
    refused = setup.service.submit(setup.command(BOOK, until=at("12:30")))
    assert refused.reply.reason is Refusal.THROTTLED
    assert setup.service.counts[BOOK, Outcome.REFUSED, Refusal.THROTTLED] == 1
    setup.clock.pass_(54)
    assert setup.service.submit(setup.command(BOOK, until=at("12:30"))).reply.reason is None
    await setup.service.close()


async def test_a_calendar_that_cannot_be_read_is_not_written_to() -> None:
    setup = ActionSetup()
    setup.calendar.errors = [Unavailable("down")]
    reply = await setup.ask(BOOK, until=at("12:30"))
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.UNAVAILABLE)
    assert setup.calendar.orders == []


async def test_a_booking_that_changes_at_the_last_moment_is_judged_again() -> None:
    setup = ActionSetup()
    setup.book(meeting("11:30", "13:00", key="a"))

    def somebody_extends(_order: object) -> None:
        if not setup.calendar.orders:
            setup.calendar.add("boardroom", meeting("11:30", "14:00", key="a"))

    setup.calendar.before_write = somebody_extends
    assert (await setup.ask(END, meeting=at("11:30"))).outcome is Outcome.DONE
    assert len(setup.calendar.orders) == 2
    assert setup.end_of("11:30") == "12:00"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (WriteFailure.FORBIDDEN, Refusal.FORBIDDEN),
        (WriteFailure.THROTTLED, Refusal.THROTTLED),
        (WriteFailure.UNAVAILABLE, Refusal.UNAVAILABLE),
    ],
)
async def test_the_reply_names_why_the_calendar_service_refuses(
    failure: WriteFailure, reason: Refusal
) -> None:
    setup = ActionSetup()
    setup.calendar.results = [not_written(failure)]
    reply = await setup.ask(BOOK, until=at("12:30"))
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, reason)
