"""Meetings of earlier days are left out of what is kept of a room."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from placed.domain.past_meetings import without_past_days
from tests.support.domain_builders import DAY, at, meeting, schedule

UTC_ROOM, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
YESTERDAY = meeting("-15:00", "-14:00")
OVER_MIDNIGHT = meeting("-2:00", "1:00")
TODAY = meeting("1:00", "2:00")
TOMORROW = meeting("33:00", "34:00")


def test_meetings_that_ended_before_the_rooms_today_are_left_out() -> None:
    read = schedule(YESTERDAY, OVER_MIDNIGHT, TODAY, TOMORROW)
    kept = without_past_days(read, at("9:00"), UTC_ROOM)
    assert kept.meetings == (OVER_MIDNIGHT, TODAY, TOMORROW)
    assert (kept.since, kept.until, kept.read_at) == (DAY, read.until, read.read_at)


def test_a_day_is_that_of_the_rooms_time_zone() -> None:
    late = meeting("-2:00", "-1:00")  # from midnight in Berlin
    assert without_past_days(schedule(late), at("9:00"), BERLIN).meetings == (late,)
    assert without_past_days(schedule(late), at("9:00"), UTC_ROOM).meetings == ()


def test_after_midnight_the_meetings_of_the_last_hour_stay() -> None:
    before, last = meeting("-3:00", "-2:00"), meeting("-2:00", "0:00")
    kept = without_past_days(schedule(before, last), at("0:00:10"), UTC_ROOM)
    assert kept.meetings == (last,)
    assert kept.since == at("0:00") - timedelta(hours=1)


def test_a_schedule_that_begins_later_is_the_same() -> None:
    read = without_past_days(schedule(TODAY), at("9:00"), UTC_ROOM)
    assert without_past_days(read, at("9:30"), UTC_ROOM) is read
