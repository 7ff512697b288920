"""Rooms with check-in: when they are pending, and which meetings were checked in to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.domain.action import Refusal
from placed.domain.check_in_rules import CheckedIn, CheckInRules, RoomCheckIns
from placed.domain.model import Meeting, Occupancy, Status
from placed.domain.occupancy import judge
from tests.support.domain_builders import DAY, POLICY, at, meeting, schedule

RULES = CheckInRules(timedelta(minutes=10), timedelta(minutes=8))


def occupancy(
    moment: str, *meetings: Meeting, checked_in: tuple[Meeting, ...] = (), rules: CheckInRules = RULES
) -> Occupancy:
    """The occupancy at `moment`; of some meetings it is known that somebody checked in to them."""
    known = tuple(CheckedIn(m.key, m.start, m.start) for m in checked_in)
    reading = schedule(*meetings, read_at=moment)
    return judge(reading, at(moment), POLICY, check_ins=RoomCheckIns(rules, known)).occupancy


def offered(found: Occupancy) -> tuple[str, str] | None:
    """The state of the check-in, and to which meeting it is."""
    check_in = found.check_in
    return (check_in.state.value, f"{check_in.meeting:%H:%M}") if check_in is not None else None


MEETING = meeting("12:00", "13:00", key="a")


def test_meetings_at_the_ends_of_the_calendar_are_judged() -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert occupancy("12:00", Meeting("odd", first, last)).status is Status.BUSY
    assert occupancy("12:00", Meeting("odd", last, last)).status is Status.FREE


# --- when a room is pending -----------------------------------------------------------------------------


def test_a_room_is_pending_from_the_start_of_a_meeting_and_occupied() -> None:
    before, from_then = occupancy("11:59:59", MEETING), occupancy("12:00", MEETING)
    assert before.status is Status.STARTING
    assert from_then.status is Status.PENDING
    assert from_then.occupied is True
    assert from_then.current == MEETING
    assert from_then.busy_until == MEETING.end


def test_a_check_in_is_offered_before_the_start() -> None:
    assert offered(occupancy("11:49:59", MEETING)) is None
    found = occupancy("11:50", MEETING)
    assert offered(found) == ("open", "12:00")
    assert found.check_in is not None
    assert (found.check_in.opens, found.check_in.closes) == (at("11:50"), at("12:08"))


def test_a_room_is_busy_once_somebody_checked_in() -> None:
    for moment in ("12:00", "12:05", "12:30"):
        found = occupancy(moment, MEETING, checked_in=(MEETING,))
        assert found.status is Status.BUSY
        assert offered(found) == ("done", "12:00")


def test_a_room_is_not_pending_for_ever_where_nobody_can_check_in() -> None:
    assert occupancy("12:07:59", MEETING).status is Status.PENDING
    found = occupancy("12:08", MEETING)
    assert found.status is Status.BUSY
    assert offered(found) == ("closed", "12:00")


def test_a_meeting_stays_checked_in_when_only_its_end_changes() -> None:
    longer = meeting("12:00", "14:00", key="a")
    assert occupancy("12:01", longer, checked_in=(MEETING,)).status is Status.BUSY


@pytest.mark.parametrize(("start", "status"), [("12:05", Status.BUSY), ("12:30", Status.PENDING)])
def test_a_meeting_that_is_moved_by_minutes_stays_checked_in(start: str, status: Status) -> None:
    moved = meeting(start, "14:00", key="a")
    assert occupancy(start, moved, checked_in=(MEETING,)).status is status


def test_the_next_of_two_meetings_back_to_back_is_pending() -> None:
    following = meeting("13:00", "14:00", key="b")
    both = (MEETING, following)
    assert offered(occupancy("12:30", *both, checked_in=(MEETING,))) == ("done", "12:00")
    assert offered(occupancy("12:50", *both, checked_in=(MEETING,))) == ("open", "13:00")
    assert occupancy("12:59", *both, checked_in=(MEETING,)).status is Status.BUSY
    assert occupancy("13:00", *both, checked_in=(MEETING,)).status is Status.PENDING
    assert occupancy("13:00", *both, checked_in=both).status is Status.BUSY


def test_a_check_in_to_one_meeting_of_a_series_counts_for_no_other() -> None:
    earlier = meeting("9:00", "10:00", key="a")  # a service may give occurrences one key
    assert occupancy("12:00", MEETING, checked_in=(earlier,)).status is Status.PENDING


def test_a_room_in_use_by_one_of_two_meetings_at_once_is_busy() -> None:
    beside = meeting("12:00", "12:30", key="b")
    assert occupancy("12:01", MEETING, beside).status is Status.PENDING
    found = occupancy("12:01", MEETING, beside, checked_in=(beside,))
    assert found.status is Status.BUSY
    assert offered(found) == ("open", "12:00")


@pytest.mark.parametrize(
    ("booked", "status"),
    [("12:01", Status.BUSY), ("10:00:01", Status.BUSY), ("10:00", Status.PENDING), (None, Status.PENDING)],
)
def test_a_meeting_that_was_booked_at_the_last_moment_counts_as_checked_in(
    booked: str | None, status: Status
) -> None:
    found = meeting("12:00", "13:00", created_at=at(booked) if booked else None)
    assert occupancy("12:02", found).status is status


def test_an_all_day_meeting_has_no_check_in() -> None:
    found = occupancy("0:01", meeting("0:00", "24:00", all_day=True))
    assert (found.status, found.check_in) == (Status.BUSY, None)


def test_where_check_in_is_offered_and_not_required_no_room_is_pending() -> None:
    rules = CheckInRules(RULES.before, RULES.after, required=False)
    found = occupancy("12:01", MEETING, rules=rules)
    assert (found.status, offered(found)) == (Status.BUSY, ("open", "12:00"))


def test_a_short_meeting_can_be_checked_in_to_until_it_ends() -> None:
    short = meeting("12:00", "12:05")
    found = occupancy("12:04", short)
    assert found.status is Status.PENDING
    assert found.check_in is not None
    assert found.check_in.closes == at("12:05")


# --- properties -----------------------------------------------------------------------------------------

minutes = st.integers(0, 24 * 60 - 1)


@st.composite
def meetings(draw: st.DrawFn) -> Meeting:
    """Some meeting of the day."""
    start = draw(minutes)
    begins = DAY + timedelta(minutes=start)
    booked = draw(st.none() | minutes.map(lambda before: begins - timedelta(minutes=before)))
    return Meeting(
        draw(st.sampled_from("abc")),
        begins,
        begins + timedelta(minutes=draw(st.integers(1, 180))),
        all_day=draw(st.booleans()),
        created_at=booked,
    )


records = st.builds(
    lambda key, minute: CheckedIn(key, DAY + timedelta(minutes=minute), DAY), st.sampled_from("abc"), minutes
)
rules = st.builds(
    CheckInRules,
    st.integers(1, 60).map(lambda n: timedelta(minutes=n)),
    st.integers(1, 60).map(lambda n: timedelta(minutes=n)),
    st.booleans(),
)


@given(st.lists(meetings(), max_size=5), st.lists(records, max_size=3), rules, minutes)
def test_check_in_never_changes_whether_a_room_is_occupied(
    found: list[Meeting], known: list[CheckedIn], rules: CheckInRules, minute: int
) -> None:
    moment = DAY + timedelta(minutes=minute)
    reading = schedule(*found, read_at="0:00")
    reading = type(reading)(reading.meetings, reading.since, reading.until, moment)
    without = judge(reading, moment, POLICY).occupancy
    with_check_in = judge(reading, moment, POLICY, check_ins=RoomCheckIns(rules, tuple(known))).occupancy
    assert with_check_in.occupied == without.occupied
    assert with_check_in.current == without.current
    assert with_check_in.busy_until == without.busy_until
    assert (with_check_in.status is Status.PENDING) <= rules.required


@given(st.lists(meetings(), max_size=5), st.lists(records, max_size=3), rules, minutes, st.floats(0, 1))
def test_nothing_changes_before_the_next_change(
    found: list[Meeting], known: list[CheckedIn], rules: CheckInRules, minute: int, share: float
) -> None:
    moment: datetime = DAY + timedelta(minutes=minute)
    check_ins = RoomCheckIns(rules, tuple(known))
    base = schedule(*found)
    reading = type(base)(base.meetings, base.since, base.until, moment)
    now = judge(reading, moment, POLICY, check_ins=check_ins)
    end = min(now.change or DAY + timedelta(days=2), moment + timedelta(minutes=15))
    then = judge(reading, moment + (end - moment) * share * 0.999, POLICY, check_ins=check_ins)
    assert (then.occupancy.status, then.occupancy.check_in) == (now.occupancy.status, now.occupancy.check_in)


# --- checking in ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "named", "found"),
    [
        ("11:49", "12:00", Refusal.NO_SUCH_MEETING),
        ("11:50", "12:00", MEETING),
        ("12:07", "12:00", MEETING),
        ("12:08", "12:00", Refusal.TOO_LATE),
        ("12:05", "12:30", Refusal.CHANGED),
        ("11:30", "12:30", Refusal.NO_SUCH_MEETING),
        ("13:00", "12:00", Refusal.NO_SUCH_MEETING),
        ("12:05", None, Refusal.NO_SUCH_MEETING),
    ],
)
def test_a_meeting_can_be_checked_in_to_within_its_time(
    moment: str, named: str | None, found: Meeting | Refusal
) -> None:
    check_ins = RoomCheckIns(RULES)
    assert check_ins.find([MEETING], at(named) if named else None, at(moment)) == found


def test_a_meeting_that_was_checked_in_to_can_be_again() -> None:
    check_ins = RoomCheckIns(RULES, (CheckedIn("a", MEETING.start, MEETING.start),))
    assert check_ins.find([MEETING], MEETING.start, at("12:45")) == MEETING


def test_an_all_day_meeting_cannot_be_checked_in_to() -> None:
    all_day = meeting("0:00", "24:00", all_day=True)
    assert RoomCheckIns(RULES).find([all_day], all_day.start, at("0:01")) is Refusal.NOT_ALLOWED
