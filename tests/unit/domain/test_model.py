"""The values: what they refuse, and how long days are."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.domain.model import EARLIEST, LATEST, Meeting, whole_days, window
from tests.support.domain_builders import at, meeting, room

NAIVE = datetime(2026, 10, 6, 9)  # noqa: DTZ001 - that is the point
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    "moment",
    [
        NAIVE,
        NAIVE.replace(tzinfo=ZoneInfo("Europe/Berlin")),
        NAIVE.replace(tzinfo=ZoneInfo("UTC")),
        NAIVE.replace(tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_meeting_has_utc_times(moment: datetime) -> None:
    hour = timedelta(hours=1)
    with pytest.raises(ValueError, match="aware datetimes in UTC"):
        Meeting("key", moment, at("10:00"))
    with pytest.raises(ValueError, match="aware datetimes in UTC"):
        Meeting("key", at("9:00"), moment + hour)


def test_a_meeting_may_end_before_it_starts() -> None:
    assert meeting("10:00", "9:00").end < meeting("10:00", "9:00").start


def test_times_at_the_ends_of_the_calendar_are_moved_inwards() -> None:
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    endless = Meeting("key", first, last)
    assert (endless.start, endless.end) == (EARLIEST, LATEST)
    assert Meeting("key", at("9:00"), last).start == at("9:00")


def test_a_mailbox_is_recognized_by_its_object_id_before_its_address() -> None:
    before = room(object_id="1")
    assert before.is_same_mailbox(room(object_id="1", address="new@contoso.example", mailbox="new"))
    assert before.is_same_mailbox(room())
    assert not before.is_same_mailbox(room(object_id="2"))
    assert not before.is_same_mailbox(room(object_id="1", connection="fabrikam"))


@pytest.mark.parametrize(
    ("zone", "first", "start", "hours"),
    [
        ("UTC", (2026, 3, 29), "2026-03-29T00:00", 24),
        ("Asia/Kolkata", (2026, 3, 29), "2026-03-28T18:30", 24),
        ("Asia/Kathmandu", (2026, 3, 29), "2026-03-28T18:15", 24),
        ("Pacific/Kiritimati", (2026, 3, 29), "2026-03-28T10:00", 24),
        ("Etc/GMT+12", (2026, 3, 29), "2026-03-29T12:00", 24),
        ("Europe/Berlin", (2026, 3, 29), "2026-03-28T23:00", 23),
        ("Europe/Berlin", (2026, 10, 25), "2026-10-24T22:00", 25),
        ("Australia/Lord_Howe", (2026, 10, 4), "2026-10-03T13:30", 23.5),
        ("America/Santiago", (2026, 9, 6), "2026-09-06T04:00", 23),  # 00:00 does not exist: from 01:00
        ("Africa/Cairo", (2026, 4, 24), "2026-04-23T22:00", 23),  # the same
        ("America/Santiago", (2026, 4, 4), "2026-04-04T03:00", 25),  # its last hour comes twice
        ("America/Havana", (2026, 11, 1), "2026-11-01T04:00", 25),  # its midnight comes twice
        ("Pacific/Apia", (2011, 12, 30), "2011-12-30T10:00", 0),  # the whole day does not exist
        ("Pacific/Apia", (2011, 12, 29), "2011-12-29T10:00", 24),
    ],
)
def test_a_day_lasts_from_its_first_moment_to_that_of_the_next(
    zone: str, first: tuple[int, int, int], start: str, hours: float
) -> None:
    day = date(*first)
    begin, end = whole_days(day, day + DAY, ZoneInfo(zone))
    assert begin == datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert end - begin == timedelta(hours=hours)
    assert begin.tzinfo is end.tzinfo is UTC


zones = st.sampled_from(sorted(available_timezones())).map(ZoneInfo)
days = st.dates(date(2012, 1, 1), date(2037, 12, 30))


@given(days, zones)
def test_midnight_is_the_first_moment_of_a_day(day: date, zone: ZoneInfo) -> None:
    begin, end = whole_days(day, day + DAY, zone)
    assert begin.astimezone(zone).date() == day or end == begin
    assert (begin - timedelta(microseconds=1)).astimezone(zone).date() < day


@given(days, zones, st.integers(1, 30))
def test_days_follow_each_other_without_a_gap(day: date, zone: ZoneInfo, count: int) -> None:
    whole = whole_days(day, day + count * DAY, zone)
    single = [whole_days(day + n * DAY, day + (n + 1) * DAY, zone) for n in range(count)]
    assert (single[0][0], single[-1][1]) == whole
    assert all(one[1] == other[0] for one, other in pairwise(single))


moments = st.datetimes(datetime(2012, 1, 2), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(moments, zones, st.integers(0, 60))
def test_the_window_contains_the_moment_and_the_requested_days(
    moment: datetime, zone: ZoneInfo, days_ahead: int
) -> None:
    since, until = window(moment, zone, days_ahead)
    assert since < moment < until
    assert until - since >= (days_ahead + 2) * DAY - timedelta(hours=25)


@given(moments, zones, st.integers(0, 2), st.timedeltas(timedelta(0), timedelta(days=2)))
def test_the_window_covers_at_least_the_given_time(
    moment: datetime, zone: ZoneInfo, days_ahead: int, at_least: timedelta
) -> None:
    _, short = window(moment, zone, days_ahead)
    _, until = window(moment, zone, days_ahead, at_least)
    assert until > moment + at_least
    assert until == max(short, until)
    assert short == until or short <= moment + at_least
