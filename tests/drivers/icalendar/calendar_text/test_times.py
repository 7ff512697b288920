from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from placed_icalendar.calendar_text.content_line import ContentLine, content_line
from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.calendar_text.times import (
    as_instant,
    read_duration,
    read_periods,
    read_time,
    read_times,
)

BERLIN = ZoneInfo("Europe/Berlin")


def zone_of(_line: ContentLine, name: str) -> tzinfo:
    return ZoneInfo(name)


def line(rest: str, name: str = "DTSTART") -> ContentLine:
    return content_line(name.encode(), rest.encode(), 1)


@pytest.mark.parametrize(
    ("rest", "moment"),
    [
        (":20261202T080000Z", "2026-12-02T08:00:00+00:00"),
        (":20261202T090000", "2026-12-02T08:00:00+00:00"),
        (";TZID=America/New_York:20261202T090000", "2026-12-02T14:00:00+00:00"),
        (";VALUE=DATE:20261202", "2026-12-01T23:00:00+00:00"),
        (":20261202", "2026-12-01T23:00:00+00:00"),
        (";TZID=UTC:20261202T080000Z", "2026-12-02T08:00:00+00:00"),
        (": 20261202T080000Z ", "2026-12-02T08:00:00+00:00"),
        (":20261231T235960Z", "2026-12-31T23:59:59+00:00"),
    ],
)
def test_a_time_is_a_moment(rest: str, moment: str) -> None:
    assert read_time(line(rest), zone_of).instant(BERLIN).isoformat() == moment


@pytest.mark.parametrize(
    "rest",
    [
        ":",
        ":2026-12-02 09:00",
        ":2026-12-02T09:00:00Z",
        ":20261202T0900",
        ":20261202T090000+0100",
        ":20261302",
        ":20260230",
        ":20261202T250000",
        ":\u0662\u0660261202",
        ":tomorrow",
        ":20261202,20261203",
        ";TZID=Europe/Berlin:20261202T080000Z",
    ],
)
def test_what_is_no_time_is_malformed(rest: str) -> None:
    with pytest.raises(Malformed, match=r"\(DTSTART, line 1\)"):
        read_time(line(rest), zone_of)


def test_a_list_of_times_may_be_empty() -> None:
    assert read_times(line(":", "EXDATE"), zone_of) == []
    assert len(read_times(line(":20261202,20261203T090000Z", "EXDATE"), zone_of)) == 2


@pytest.mark.parametrize(
    ("text", "days", "exact"),
    [
        ("PT1H", 0, 3600),
        ("P1D", 1, 0),
        ("P2W", 14, 0),
        ("P1DT2H30M5S", 1, 9005),
        ("-PT15M", 0, -900),
        ("+P1D", 1, 0),
    ],
)
def test_a_duration_is_days_and_exact_time(text: str, days: int, exact: int) -> None:
    duration = read_duration(line(f":{text}", "DURATION"))
    assert (duration.days, duration.exact) == (timedelta(days=days), timedelta(seconds=exact))


@pytest.mark.parametrize(
    "text", ["", "P", "PT", "1H", "PT1", "P1H", "P1M", "PT1.5H", "P1D2H", "PT999999999S"]
)
def test_what_is_no_duration_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="no duration"):
        read_duration(line(f":{text}", "DURATION"))


def test_a_period_has_an_end_or_a_duration() -> None:
    value = ":20261202T080000Z/20261202T090000Z,20261203T080000Z/PT1H,20261204T080000Z"
    with_end, with_duration, plain = read_periods(line(value, "RDATE"), zone_of)
    assert with_end.end is not None
    assert with_duration.duration is not None
    assert (plain.end, plain.duration) == (None, None)
    with pytest.raises(Malformed):
        read_periods(line(":20261202T080000Z/soon", "RDATE"), zone_of)


@pytest.mark.parametrize(
    ("wall", "moment"),
    [
        ("2026-03-29T01:59", "2026-03-29T00:59"),
        ("2026-03-29T02:30", "2026-03-29T01:30"),  # the clock does not show it
        ("2026-03-29T03:30", "2026-03-29T01:30"),
        ("2026-10-25T02:30", "2026-10-25T00:30"),  # the clock shows it twice
        ("2026-10-25T03:00", "2026-10-25T02:00"),
    ],
)
def test_a_time_in_the_night_of_a_change_is_one_moment(wall: str, moment: str) -> None:
    assert as_instant(datetime.fromisoformat(wall), BERLIN) == datetime.fromisoformat(f"{moment}Z")


def test_the_first_and_the_last_day_of_all_are_no_error() -> None:
    for wall in (datetime(1, 1, 1), datetime(9999, 12, 31, 23)):  # noqa: DTZ001 - clocks on the wall
        for zone in (ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")):
            assert as_instant(wall, zone).tzinfo is UTC
