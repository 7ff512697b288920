"""What a command asks to write, judged by the calendar as it is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from placed.actions.command_outcome import Effect
from placed.actions.plan import Plan, Situation, plan
from placed.domain.action import Action, Command, Refusal
from placed.domain.model import Meeting, ShowAs
from placed.driver import Book, Booking, Release, Shorten, Withdraw
from tests.support.domain_builders import POLICY, at, meeting, room
from tests.support.fake_calendar import settings

HOUR = timedelta(hours=1)
BOOK, END, EXTEND = Action.BOOK, Action.END, Action.EXTEND


def planned(
    action: Action,
    *bookings: Booking | Meeting,
    now: str = "12:00",
    named: str | None = None,
    until: str | None = None,
    **actions: object,
) -> Plan | Refusal:
    """Plans a command at `now`."""
    made = tuple(b if isinstance(b, Booking) else Booking(b, 0) for b in bookings)
    command = Command(
        "key",
        action,
        "boardroom",
        at(now),
        at(named) if named else None,
        at(until) if until else None,
    )
    writes = settings(**actions).writes
    assert writes is not None
    return plan(command, Situation(room(), made, at(now), POLICY, writes))


def booked(result: Plan | Refusal) -> tuple[str, str]:
    """When the single booking that is ordered starts and ends."""
    assert isinstance(result, Plan)
    (order,) = result.orders
    assert isinstance(order, Book)
    assert order.key == "key"
    return f"{order.start:%H:%M}", f"{order.end:%H:%M}"


def ours(start: str, end: str) -> Booking:
    """A booking that placed made."""
    return Booking(meeting(start, end), 0, made_with="earlier")


# --- book -----------------------------------------------------------------------------------------------


def test_a_booking_begins_with_the_minute_that_runs() -> None:
    assert booked(planned(BOOK, now="12:00:40", until="12:30")) == ("12:00", "12:30")


def test_a_booking_does_not_begin_before_the_meeting_that_ended_in_this_minute() -> None:
    before = Meeting("a", at("11:00"), at("12:00:20"))
    result = planned(BOOK, before, now="12:00:40", until="12:30")
    assert isinstance(result, Plan)
    (order,) = result.orders
    assert isinstance(order, Book)
    assert order.start == at("12:00:40")


def test_a_booking_may_reach_to_the_next_meeting_and_no_further() -> None:
    following = meeting("12:30", "13:00")
    assert booked(planned(BOOK, following, until="12:30")) == ("12:00", "12:30")
    assert planned(BOOK, following, until="12:31") is Refusal.CONFLICT


def test_a_room_in_which_a_meeting_runs_is_not_booked() -> None:
    assert planned(BOOK, meeting("11:00", "12:15"), until="12:30") is Refusal.CONFLICT


def test_a_meeting_that_does_not_occupy_the_room_is_no_conflict() -> None:
    others = [
        meeting("12:00", "13:00", key="a", cancelled=True),
        meeting("12:00", "13:00", key="b", declined=True),
        meeting("12:00", "13:00", key="c", show_as=ShowAs.FREE),
    ]
    assert booked(planned(BOOK, *others, until="12:30")) == ("12:00", "12:30")


def test_a_booking_is_at_most_as_long_as_the_settings_allow() -> None:
    assert booked(planned(BOOK, until="13:00", longest=HOUR)) == ("12:00", "13:00")
    assert planned(BOOK, until="13:01", longest=HOUR) is Refusal.TOO_LONG


@pytest.mark.parametrize(("now", "until"), [("12:00:30", "13:00:30"), ("12:00:29.5", "13:00:29.5")])
def test_the_longest_booking_may_be_made_within_a_minute(now: str, until: str) -> None:
    result = planned(BOOK, now=now, until=until, longest=HOUR)
    assert isinstance(result, Plan)
    (order,) = result.orders
    assert isinstance(order, Book)
    assert order.start == at("12:00:30")
    assert order.end - order.start <= HOUR
    assert planned(BOOK, now="12:00:30", until="13:00:31", longest=HOUR) is Refusal.TOO_LONG


@pytest.mark.parametrize("until", ["12:00", "11:30", None])
def test_a_booking_that_would_be_over_already_is_too_late(until: str | None) -> None:
    assert planned(BOOK, until=until) is Refusal.TOO_LATE


# --- extend ---------------------------------------------------------------------------------------------


def test_an_extension_begins_where_the_meeting_ends() -> None:
    result = planned(EXTEND, meeting("11:00", "12:15"), named="11:00", until="12:45")
    assert booked(result) == ("12:15", "12:45")


def test_an_extension_may_reach_to_the_next_meeting_and_no_further() -> None:
    calendar = meeting("11:00", "12:15"), meeting("12:45", "13:00")
    assert booked(planned(EXTEND, *calendar, named="11:00", until="12:45")) == ("12:15", "12:45")
    assert planned(EXTEND, *calendar, named="11:00", until="12:50") is Refusal.CONFLICT


def test_a_second_extension_begins_where_the_first_ends() -> None:
    calendar = meeting("11:00", "12:15"), ours("12:15", "12:45")
    assert booked(planned(EXTEND, *calendar, named="11:00", until="13:00")) == ("12:45", "13:00")


def test_all_extensions_together_are_at_most_as_long_as_the_settings_allow() -> None:
    calendar = meeting("11:00", "12:15"), ours("12:15", "12:45")
    assert booked(planned(EXTEND, *calendar, named="11:00", until="13:15", longest=HOUR)) == (
        "12:45",
        "13:15",
    )
    assert planned(EXTEND, *calendar, named="11:00", until="13:16", longest=HOUR) is Refusal.TOO_LONG


def test_a_booking_of_the_room_and_its_extensions_are_at_most_as_long_as_the_settings_allow() -> None:
    calendar = ours("11:30", "11:45"), ours("11:45", "12:15")
    assert booked(planned(EXTEND, *calendar, named="11:45", until="12:30", longest=HOUR)) == (
        "12:15",
        "12:30",
    )
    assert planned(EXTEND, *calendar, named="11:45", until="12:31", longest=HOUR) is Refusal.TOO_LONG


def test_nothing_is_written_for_a_meeting_that_ends_when_it_is_asked_to() -> None:
    calendar = meeting("11:00", "12:15"), ours("12:15", "12:45")
    assert planned(EXTEND, *calendar, named="11:00", until="12:45") == Plan(shown=Effect("12:15-12:45"))


def test_an_extension_never_shortens() -> None:
    assert planned(EXTEND, meeting("11:00", "13:00"), named="11:00", until="12:30") is Refusal.CHANGED


# --- end ------------------------------------------------------------------------------------------------


def test_an_end_is_rounded_up_to_the_minute() -> None:
    for now, end in (("12:00", "12:00"), ("12:00:01", "12:01"), ("12:00:59.9", "12:01")):
        result = planned(END, meeting("11:00", "13:00"), named="11:00", now=now)
        assert isinstance(result, Plan)
        (order,) = result.orders
        assert isinstance(order, Shorten)
        assert order.end == at(end)


def test_a_meeting_lasts_a_minute_at_least() -> None:
    result = planned(END, meeting("12:00", "13:00"), named="12:00", now="12:00")
    assert isinstance(result, Plan)
    (order,) = result.orders
    assert isinstance(order, Shorten)
    assert order.end == at("12:01")


def test_nothing_is_written_for_a_meeting_that_ends_with_this_minute() -> None:
    assert planned(END, meeting("11:00", "12:01"), named="11:00", now="12:00:10") == Plan(
        shown=Effect("11:00-12:01", at("12:01"))
    )


def test_the_extensions_of_a_meeting_end_with_it() -> None:
    extension = ours("13:00", "13:30")
    result = planned(END, meeting("11:00", "13:00"), extension, ours("14:00", "15:00"), named="11:00")
    assert isinstance(result, Plan)
    withdrawn, shortened = result.orders
    assert isinstance(withdrawn, Withdraw)
    assert withdrawn.booking == extension
    assert isinstance(shortened, Shorten)


def test_the_room_declines_where_the_site_chose_that() -> None:
    result = planned(END, meeting("11:00", "13:00"), named="11:00", end="decline")
    assert isinstance(result, Plan)
    (order,) = result.orders
    assert isinstance(order, Release)
    assert order.comment == "The meeting was ended at the room."


def test_a_booking_that_placed_made_is_shortened_even_there() -> None:
    result = planned(END, ours("11:00", "13:00"), named="11:00", end="decline")
    assert isinstance(result, Plan)
    assert isinstance(result.orders[0], Shorten)


def test_a_whole_series_and_an_all_day_meeting_are_never_ended() -> None:
    series = Booking(meeting("11:00", "13:00"), 0, changeable=False)
    assert planned(END, series, named="11:00") is Refusal.NOT_ALLOWED
    all_day = meeting("0:00", "24:00", all_day=True)
    assert planned(END, all_day, named="0:00") is Refusal.NOT_ALLOWED


# --- which meeting --------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [END, EXTEND])
def test_only_the_meeting_that_the_panel_named_is_acted_on(action: Action) -> None:
    more = {"until": "13:30"} if action is EXTEND else {}
    running, later = meeting("11:45", "13:00"), meeting("14:00", "15:00")
    assert planned(action, running, named="11:30", **more) is Refusal.CHANGED
    assert planned(action, later, named="11:30", **more) is Refusal.NO_SUCH_MEETING
    assert planned(action, later, named="14:00", **more) is Refusal.NO_SUCH_MEETING
    assert planned(action, running, **more) is Refusal.NO_SUCH_MEETING


def test_of_meetings_that_run_at_once_the_named_one_is_ended() -> None:
    first, second = meeting("11:00", "13:00"), meeting("11:30", "13:00")
    result = planned(END, first, second, named="11:30")
    assert isinstance(result, Plan)
    (order,) = result.orders
    assert isinstance(order, Shorten)
    assert order.booking.meeting == second
