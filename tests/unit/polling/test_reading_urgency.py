"""How urgently a room's calendar has to be read, and how busy its building is."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from placed.domain.working_hours import WorkingHours
from placed.polling.reading_urgency import CalendarActivity, RoomUsage
from tests.support.domain_builders import DAY, at, meeting

BERLIN = ZoneInfo("Europe/Berlin")
UNTIL = DAY + timedelta(days=2)
MORNING, NOON, EVENING = meeting("8:00", "8:30"), meeting("12:00", "13:00"), meeting("17:00", "18:00")


def habits(*meetings: object) -> RoomUsage:
    known = RoomUsage(BERLIN)
    known.learn(meetings, UNTIL, at("6:00").timestamp())  # type: ignore[arg-type]
    return known


def test_a_room_with_more_meetings_wants_to_be_read_more_often() -> None:
    weights = [
        habits(*meetings).weight(at("10:00").timestamp()) for meetings in ((), (EVENING,), (EVENING, MORNING))
    ]
    assert weights == sorted(set(weights))


def test_a_room_in_use_and_one_near_an_edge_want_more() -> None:
    known = habits(NOON)
    before, near, in_use = (known.weight(at(when).timestamp()) for when in ("11:00", "11:55", "12:30"))
    assert before < in_use
    assert before < near
    assert known.weight(at("12:55").timestamp()) > in_use


def test_a_change_counts_and_is_forgotten_by_and_by() -> None:
    known = habits(EVENING)
    usual = known.weight(at("10:00").timestamp())
    known.learn((EVENING, MORNING), UNTIL, at("10:00").timestamp())
    weights = [known.weight(at(when).timestamp()) for when in ("10:00", "11:00", "12:00", "15:00")]
    assert weights == sorted(set(weights), reverse=True)
    assert weights[0] > 1.3 * usual
    assert known.weight((at("10:00") + timedelta(days=1)).timestamp()) == pytest.approx(
        habits(EVENING, MORNING).weight((at("10:00") + timedelta(days=1)).timestamp())
    )


def test_a_window_that_moved_on_by_a_day_is_no_change() -> None:
    known = habits(EVENING)
    known.learn((EVENING, NOON), UNTIL + timedelta(days=1), at("10:00").timestamp())
    assert known.weight(at("10:00").timestamp()) == habits(EVENING, NOON).weight(at("10:00").timestamp())


def test_a_meeting_that_was_called_off_or_takes_no_time_does_not_count() -> None:
    nothing = habits(meeting("12:00", "13:00", cancelled=True), meeting("15:00", "14:00"))
    assert nothing.weight(at("12:30").timestamp()) == habits().weight(at("12:30").timestamp())


@pytest.mark.parametrize(
    ("moment", "quiet"),
    [
        (datetime(2026, 10, 6, 6, 59, tzinfo=BERLIN), False),
        (datetime(2026, 10, 6, 7, 0, tzinfo=BERLIN), True),
        (datetime(2026, 10, 6, 18, 59, tzinfo=BERLIN), True),
        (datetime(2026, 10, 6, 19, 0, tzinfo=BERLIN), False),
        (datetime(2026, 10, 10, 12, 0, tzinfo=BERLIN), False),
        (datetime(2026, 10, 26, 7, 0, tzinfo=BERLIN), True),  # on the day after the clocks changed
    ],
)
def test_working_hours_are_those_on_the_room_s_own_clocks(moment: datetime, *, quiet: bool) -> None:
    assert (habits().quiet(moment, WorkingHours(), 1.0) == 1.0) is quiet


def test_the_evening_is_busier_than_the_night() -> None:
    shares = [
        habits().quiet(datetime(2026, 10, 6, hour, tzinfo=BERLIN), WorkingHours(), 1.0)
        for hour in (12, 20, 23, 3)
    ]
    assert shares[0] > shares[1] > shares[2] == shares[3] > 0


def test_the_next_edge_is_the_nearest_start_or_end() -> None:
    known = habits(NOON, MORNING)
    assert known.next_edge(at("8:00").timestamp()) == at("8:30").timestamp()
    assert known.next_edge(at("8:30").timestamp()) == at("12:00").timestamp()
    assert known.next_edge(at("13:00").timestamp()) == math.inf


def busy(changes: int) -> CalendarActivity:
    activity = CalendarActivity()
    for _ in range(changes):
        activity.changed(1000.0)
    return activity


def test_before_anything_is_known_it_is_as_busy_as_can_be() -> None:
    assert CalendarActivity().share(1000.0) == 1.0


def test_it_quietens_when_nothing_changes_any_more() -> None:
    activity = busy(100)
    shares = [activity.share(1000.0 + hours * 3600.0) for hours in (0, 0.5, 1, 3)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0
    assert shares[1] == pytest.approx(0.5, abs=0.05)
    assert shares[3] < 0.1


def test_a_few_changes_have_little_weight() -> None:
    assert busy(2).share(1000.0 + 3 * 3600.0) > 0.5


def test_a_quiet_week_makes_it_as_busy_as_ever() -> None:
    assert busy(100).share(1000.0 + 14 * 24 * 3600.0) > 0.5


def test_a_clock_that_is_set_back_harms_nothing() -> None:
    activity = busy(100)
    assert activity.share(0.0) == 1.0
