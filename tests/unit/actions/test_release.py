"""The release of a no-show: the calendar is read again, and only the meeting that was judged is released."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from placed.actions.automatic_check_in import SensorCheckIns
from placed.actions.own_commands import OwnCommands
from placed.domain.action import Action, Outcome, Refusal
from placed.domain.model import CheckInState
from placed.domain.presence import Reading, Sensor, SensorKind
from placed.driver import ActionSettings, Release, Unavailable
from tests.support.action_setup import ActionSetup
from tests.support.domain_builders import at, meeting
from tests.support.fake_calendar import unclear

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.domain.action import Reply
    from placed.domain.model import Meeting

NOON = meeting("11:45", "13:00", title="Merger")


async def release(
    setup: ActionSetup, judged: Meeting = NOON, still: Callable[[], bool] = lambda: True
) -> Reply:
    return await OwnCommands(setup.service, setup.clock).release("boardroom", judged, still)


async def test_the_room_is_taken_out_and_the_organizer_is_sent_the_comment() -> None:
    setup = ActionSetup()
    setup.book(NOON)
    reply = await release(setup)
    assert (reply.outcome, reply.reason) == (Outcome.DONE, None)
    (order,) = setup.calendar.orders
    assert isinstance(order, Release)
    assert order.comment == ActionSettings().comment
    assert [m.declined for m in setup.calendar.meetings("boardroom")] == [True]


async def test_a_release_is_done_once_also_after_a_restart() -> None:
    setup = ActionSetup()
    setup.book(NOON)
    first = await release(setup)
    setup.start()
    setup.calendar.add("boardroom", NOON)  # the organizer has booked it again
    setup.read()
    assert await release(setup) == replace(first, epoch=first.epoch)
    assert len(setup.calendar.orders) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"end": at("13:30")}, Refusal.CHANGED),
        ({"start": at("11:50")}, Refusal.NO_SUCH_MEETING),
        ({"private": True}, Refusal.CHANGED),
        ({"declined": True}, Refusal.CHANGED),
        ({"cancelled": True}, Refusal.CHANGED),
    ],
)
async def test_a_meeting_that_has_changed_since_it_was_judged_is_kept(
    change: dict[str, Any], reason: Refusal
) -> None:
    setup = ActionSetup()
    setup.book(NOON)
    setup.calendar.add("boardroom", replace(NOON, **change))
    assert (await release(setup)).reason is reason
    assert setup.calendar.orders == []


async def test_texts_that_were_not_read_with_the_others_change_nothing() -> None:
    setup = ActionSetup()
    setup.book(replace(NOON, title=None))
    judged = replace(NOON, organizer="Ada Example", created_at=at("9:00"), series="s")
    assert (await release(setup, judged)).outcome is Outcome.DONE


async def test_a_meeting_that_is_gone_is_not_released() -> None:
    setup = ActionSetup()
    assert (await release(setup)).reason is Refusal.NO_SUCH_MEETING


@pytest.mark.parametrize("more", [{"changeable": False}, {"made_with": "key"}])
async def test_a_whole_series_and_a_booking_made_at_the_room_are_never_released(more: dict[str, Any]) -> None:
    setup = ActionSetup()
    setup.book(NOON, **more)
    assert (await release(setup)).reason is Refusal.NOT_ALLOWED
    assert setup.calendar.orders == []


async def test_a_meeting_beside_which_another_runs_is_kept() -> None:
    setup = ActionSetup()
    setup.book(NOON, meeting("11:55", "12:30"))
    assert (await release(setup)).reason is Refusal.CONFLICT


async def test_somebody_who_checks_in_while_the_calendar_is_read_keeps_the_room() -> None:
    setup = ActionSetup()
    setup.book(NOON)
    came: list[bool] = []
    setup.calendar.before_look = lambda: came.append(True)
    reply = await release(setup, still=lambda: not came)
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Refusal.CHANGED)
    assert setup.calendar.orders == []


async def test_a_calendar_that_cannot_be_read_again_releases_nothing() -> None:
    setup = ActionSetup()
    setup.book(NOON)
    setup.calendar.errors.append(Unavailable("away"))
    assert (await release(setup)).reason is Refusal.UNAVAILABLE
    assert setup.calendar.orders == []


async def test_a_release_that_timed_out_is_looked_for() -> None:
    setup = ActionSetup()
    setup.book(NOON)
    setup.calendar.results.append(unclear())
    assert (await release(setup)).outcome is Outcome.DONE
    assert len(setup.calendar.orders) == 1


async def test_a_connection_without_actions_releases_nothing() -> None:
    setup = ActionSetup()
    setup.book(NOON)
    setup.connections.clear()
    assert (await release(setup)).reason is Refusal.NOT_CONFIGURED


# --- check-ins by sensors ---

RADAR = Sensor("radar", SensorKind.RADAR, hold=timedelta(minutes=1), check_in=True)


def with_check_in(**sensor: Any) -> tuple[ActionSetup, SensorCheckIns, Sensor]:
    setup = ActionSetup()
    one = replace(RADAR, **sensor)
    setup.board.set_sensors({"boardroom": [one]})
    setup.book(meeting("11:57", "13:00", created_at=at("8:00")))
    return setup, SensorCheckIns(setup.board, setup.clock, OwnCommands(setup.service, setup.clock)), one


async def test_somebody_whom_a_sensor_notices_is_checked_in_once() -> None:
    setup, check_ins, radar = with_check_in()
    for present, state in ((False, CheckInState.OPEN), (True, CheckInState.DONE), (True, CheckInState.DONE)):
        setup.clock.pass_(5)
        setup.board.sense("boardroom", radar, Reading(present=present, at=setup.clock.now()))
        check_ins.look()
        await setup.service.close()
        statement = setup.board.statement("boardroom")
        assert statement is not None
        assert statement.occupancy.check_in is not None
        assert statement.occupancy.check_in.state is state
    assert sum(setup.service.counts.values()) == 1


async def test_a_sensor_that_may_not_check_in_does_not() -> None:
    setup, check_ins, radar = with_check_in(check_in=False)
    setup.board.sense("boardroom", radar, Reading(present=True, at=setup.clock.now()))
    check_ins.look()
    await setup.service.close()
    assert setup.service.counts == {}


async def test_a_panel_that_is_used_is_reported_and_a_sensor_is_no_panel() -> None:
    setup, check_ins, radar = with_check_in()
    used: list[str] = []
    setup.service.on_use = used.append
    setup.board.sense("boardroom", radar, Reading(present=True, at=setup.clock.now()))
    check_ins.look()
    await setup.service.close()
    assert used == []
    await setup.ask(Action.END, meeting=at("9:00"))  # whatever becomes of it
    assert used == ["boardroom"]
