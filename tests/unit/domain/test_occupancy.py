"""The rules of occupancy, as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from placed.domain.model import Meeting, Reason, Schedule, ShowAs, Status, whole_days, window
from placed.domain.occupancy import Policy, judge, lapse, occupies
from tests.support.domain_builders import DAY, POLICY, at, meeting, schedule

NEVER_STALE = replace(POLICY, stale_after=timedelta(days=9), expire_after=timedelta(days=9))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        ({}, True),
        ({"show_as": ShowAs.TENTATIVE}, True),
        ({"show_as": ShowAs.OOF}, True),
        ({"show_as": ShowAs.WORKING_ELSEWHERE}, True),
        ({"show_as": ShowAs.UNRECOGNISED}, True),
        ({"show_as": ShowAs.FREE}, False),
        ({"cancelled": True}, False),
        ({"declined": True}, False),
        ({"private": True}, True),
    ],
)
def test_which_meetings_occupy(one: dict[str, object], *, expected: bool) -> None:
    assert occupies(meeting("9:00", "10:00", **one), POLICY) is expected


@pytest.mark.parametrize("end", ["9:00", "8:59"])
def test_a_meeting_without_length_never_occupies(end: str) -> None:
    assert judge(schedule(meeting("9:00", end)), at("9:00"), POLICY).occupancy.status is Status.FREE


def test_busy_for_decides_whether_tentative_meetings_occupy() -> None:
    strict = replace(POLICY, busy_for=frozenset({ShowAs.BUSY}))
    assert not occupies(meeting("9:00", "10:00", show_as=ShowAs.TENTATIVE), strict)
    assert occupies(meeting("9:00", "10:00", show_as=ShowAs.UNRECOGNISED), strict)


@pytest.mark.parametrize(
    ("moment", "status", "busy_until", "free_until"),
    [
        ("9:00", Status.FREE, None, "10:00"),
        ("9:54:59.999", Status.FREE, None, "10:00"),
        ("9:55", Status.STARTING, None, "10:00"),
        ("9:59:59.999", Status.STARTING, None, "10:00"),
        ("10:00", Status.BUSY, "11:00", None),
        ("10:59:59.999", Status.BUSY, "11:00", None),
        ("11:00", Status.FREE, None, None),
    ],
)
def test_a_day_with_one_meeting(
    moment: str, status: Status, busy_until: str | None, free_until: str | None
) -> None:
    occupancy = judge(schedule(meeting("10:00", "11:00")), at(moment), NEVER_STALE).occupancy
    assert occupancy.status is status
    assert occupancy.busy_until == (at(busy_until) if busy_until else None)
    assert occupancy.free_until == (at(free_until) if free_until else None)


def test_busy_until_looks_through_back_to_back_and_overlapping_meetings() -> None:
    known = schedule(
        meeting("9:00", "10:00"),
        meeting("10:00", "10:30"),
        meeting("10:15", "11:00"),
        meeting("11:01", "12:00"),
    )
    assert judge(known, at("9:30"), NEVER_STALE).occupancy.busy_until == at("11:00")


def test_the_current_meeting_is_the_one_that_started_first_and_the_others_are_conflicts() -> None:
    first, second = meeting("9:00", "10:00"), meeting("9:15", "11:00")
    occupancy = judge(schedule(second, first), at("9:30"), NEVER_STALE).occupancy
    assert occupancy.current == first
    assert occupancy.conflicts == (second,)


def test_of_meetings_that_started_together_the_one_that_ends_last_is_current() -> None:
    short, long = meeting("9:00", "9:30"), meeting("9:00", "11:00")
    assert judge(schedule(short, long), at("9:10"), NEVER_STALE).occupancy.current == long


def test_next_is_the_first_to_start_after_now() -> None:
    running, later, latest = meeting("9:00", "10:00"), meeting("9:45", "10:15"), meeting("11:00", "12:00")
    assert judge(schedule(latest, later, running), at("9:30"), NEVER_STALE).occupancy.next == later


def test_a_meeting_that_starts_now_is_current_and_not_next() -> None:
    occupancy = judge(schedule(meeting("9:30", "10:00")), at("9:30"), NEVER_STALE).occupancy
    assert occupancy.current
    assert occupancy.next is None


def test_without_lead_no_room_is_ever_starting() -> None:
    policy = replace(NEVER_STALE, lead=timedelta(0))
    known = schedule(meeting("10:00", "11:00"))
    assert judge(known, at("9:59:59.999"), policy).occupancy.status is Status.FREE


def test_a_room_without_a_schedule_is_unknown_with_a_reason() -> None:
    occupancy = judge(None, at("9:00"), POLICY).occupancy
    assert (occupancy.status, occupancy.occupied, occupancy.stale) == (Status.UNKNOWN, None, True)
    assert occupancy.reason is Reason.NOT_READ_YET
    assert judge(None, at("9:00"), POLICY, Reason.NOT_FOUND).occupancy.reason is Reason.NOT_FOUND


@pytest.mark.parametrize(
    ("moment", "status", "stale", "reason"),
    [
        ("9:01:29", Status.BUSY, False, None),
        ("9:01:30", Status.BUSY, True, Reason.THROTTLED),
        ("9:14:59", Status.BUSY, True, Reason.THROTTLED),
        ("9:15", Status.UNKNOWN, True, Reason.THROTTLED),
    ],
)
def test_what_is_not_read_turns_stale_and_then_unknown(
    moment: str, status: Status, *, stale: bool, reason: Reason | None
) -> None:
    known = schedule(meeting("8:00", "12:00"), read_at="9:00")
    occupancy = judge(known, at(moment), POLICY, Reason.THROTTLED).occupancy
    assert (occupancy.status, occupancy.stale, occupancy.reason) == (status, stale, reason)


@pytest.mark.parametrize(
    ("moment", "status", "stale"),
    [
        ("9:11:59", Status.BUSY, False),
        ("9:12", Status.BUSY, True),
        ("9:15", Status.UNKNOWN, True),
    ],
)
def test_what_is_read_seldom_turns_stale_after_three_times_what_was_meant(
    moment: str, status: Status, *, stale: bool
) -> None:
    often = schedule(meeting("8:00", "12:00"), read_at="9:00")
    known = Schedule(often.meetings, often.since, often.until, often.read_at, timedelta(minutes=4))
    occupancy = judge(known, at(moment), POLICY).occupancy
    assert (occupancy.status, occupancy.stale) == (status, stale)
    assert edge(known, at("9:00"), POLICY) == at("9:12")


def test_no_statement_outlives_what_was_read() -> None:
    known = schedule(read_at="9:00")
    assert judge(known, at("9:00"), POLICY).occupancy.valid_until == at("9:15")


def test_no_statement_outlives_the_next_meeting() -> None:
    known = schedule(meeting("9:07", "9:09"), read_at="9:00")
    assert judge(known, at("9:00"), POLICY).occupancy.valid_until == at("9:02")
    assert judge(known, at("9:02"), POLICY).occupancy.valid_until == at("9:07")
    assert judge(known, at("9:07"), POLICY).occupancy.valid_until == at("9:09")


def test_beyond_the_window_that_was_read_nothing_is_known() -> None:
    known = msgspec.structs.replace(schedule(), until=at("10:00"))
    assert judge(known, at("9:59:59"), NEVER_STALE).occupancy.status is Status.FREE
    assert judge(known, at("9:59:59"), NEVER_STALE).occupancy.valid_until == at("10:00")
    assert judge(known, at("10:00"), NEVER_STALE).occupancy.status is Status.UNKNOWN


def test_before_the_window_that_was_read_nothing_is_known() -> None:
    assert judge(schedule(), DAY - timedelta(days=2), NEVER_STALE).occupancy.status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", (2026, 3, 29), 23),
        ("Europe/Berlin", (2026, 10, 25), 25),
        ("America/New_York", (2026, 3, 8), 23),
        ("America/New_York", (2026, 11, 1), 25),
        ("Australia/Lord_Howe", (2026, 4, 5), 24.5),
        ("America/Santiago", (2026, 9, 6), 23),  # its midnight does not exist
        ("Asia/Kolkata", (2026, 3, 29), 24),
    ],
)
def test_an_all_day_meeting_lasts_from_midnight_to_midnight_of_the_room(
    zone: str, day: tuple[int, int, int], hours: float
) -> None:
    first = datetime(*day, tzinfo=UTC).date()
    start, end = whole_days(first, first + timedelta(days=1), ZoneInfo(zone))
    assert end - start == timedelta(hours=hours)
    all_day = Meeting("all", start, end, all_day=True)
    known = Schedule((all_day,), start - timedelta(days=2), end + timedelta(days=2), start)
    just = timedelta(microseconds=1)
    assert judge(known, start - just, NEVER_STALE).occupancy.status is Status.STARTING
    assert judge(known, start, NEVER_STALE).occupancy.status is Status.BUSY
    assert judge(known, end - just, NEVER_STALE).occupancy.status is Status.BUSY
    assert judge(known, end, NEVER_STALE).occupancy.status is Status.FREE


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)), st.timezone_keys())  # noqa: DTZ001
def test_the_window_reaches_from_local_yesterday_to_the_end_of_tomorrow(moment: datetime, key: str) -> None:
    zone = ZoneInfo(key)
    since, until = window(moment, zone, 1)
    today = moment.astimezone(zone).date()
    assert since.astimezone(zone).date() == today - timedelta(days=1) or _skipped(zone, since)
    assert (until - timedelta(microseconds=1)).astimezone(zone).date() <= today + timedelta(days=1)
    assert until - since >= timedelta(hours=47)


def _skipped(zone: ZoneInfo, moment: datetime) -> bool:
    """Whether a whole day is left out there, as in Samoa; then its midnight is another day's."""
    return (moment - timedelta(hours=1)).astimezone(zone).date() != moment.astimezone(zone).date()


def edge(known: Schedule, moment: datetime, policy: Policy) -> datetime | None:
    """The next moment at which the occupancy changes by itself, by the calendar or by its age."""
    now = judge(known, moment, policy)
    if now.occupancy.status is Status.UNKNOWN:
        return None
    lapses = lapse(known, moment, policy, None, stale=now.occupancy.stale)
    return lapses if now.change is None else min(now.change, lapses)


GRACE = Policy(offline_grace=timedelta(hours=12))


@pytest.mark.parametrize(
    ("failure", "moment", "status", "valid_until"),
    [
        (
            Reason.UNAVAILABLE,
            "9:10",
            Status.FREE,
            "9:25",
        ),  # valid for the usual time from now
        (Reason.UNAVAILABLE, "12:59:59", Status.FREE, "13:00"),  # the next edge
        (Reason.UNAVAILABLE, "13:30", Status.BUSY, "13:45"),
        (Reason.UNAVAILABLE, "20:50", Status.FREE, "21:00"),  # twelve hours after it was read
        (Reason.UNAVAILABLE, "21:00", Status.UNKNOWN, "21:15"),
        (Reason.FORBIDDEN, "9:15", Status.UNKNOWN, "9:30"),  # any other failure is no matter of patience
        (None, "9:15", Status.UNKNOWN, "9:30"),
    ],
)
def test_offline_grace_keeps_a_schedule_valid_longer(
    failure: Reason | None, moment: str, status: Status, valid_until: str
) -> None:
    known = schedule(meeting("13:00", "14:00"), read_at="9:00")
    policy = replace(GRACE, lead=timedelta())
    occupancy = judge(known, at(moment), policy, failure).occupancy
    assert (occupancy.status, occupancy.valid_until) == (status, at(valid_until))
    assert occupancy.stale


def test_a_grace_that_is_shorter_than_the_usual_time_changes_nothing() -> None:
    known = schedule(read_at="9:00")
    policy = Policy(offline_grace=timedelta(minutes=1))
    for moment in ("9:01", "9:14", "9:15"):
        assert judge(known, at(moment), policy, Reason.UNAVAILABLE) == judge(
            known, at(moment), Policy(), Reason.UNAVAILABLE
        )
