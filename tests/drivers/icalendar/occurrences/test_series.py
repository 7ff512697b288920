from __future__ import annotations

from datetime import UTC, datetime

import pytest

from placed_icalendar.occurrences.calendar_reader import Malformed
from tests.drivers.icalendar.calendar_bodies import (
    AT_NINE,
    NINE,
    calendar,
    event,
    meetings,
    occupied,
    times,
    window,
)

Z = ";TZID=Europe/Berlin:"
WEEKLY = (f"DTSTART{Z}20261104T090000", f"DTEND{Z}20261104T100000", "RRULE:FREQ=WEEKLY")
NAMED = f"RECURRENCE-ID{Z}20261202T090000"
AT_TWO = (f"DTSTART{Z}20261203T140000", f"DTEND{Z}20261203T150000")


async def keys(*components: tuple[str, ...]) -> list[str]:
    return [meeting.key for meeting in await meetings(calendar(*components))]


async def test_a_moved_occurrence_keeps_its_key() -> None:
    (before,) = await keys(event(*WEEKLY))
    assert await keys(event(*WEEKLY), event(NAMED, *AT_TWO)) == [before]
    assert await keys(event(NAMED, *AT_TWO)) == [before]
    assert await keys(event(*WEEKLY), event("RECURRENCE-ID:20261202T080000Z", *AT_TWO)) == [before]


async def test_a_moved_event_keeps_its_key() -> None:
    assert await keys(event(*NINE)) == await keys(event(*AT_TWO))
    assert await keys(event(*NINE)) != await keys(event(*NINE, uid="another"))


async def test_occurrences_of_a_series_have_keys_of_their_own_and_share_a_series() -> None:
    daily = event(f"DTSTART{Z}20261130T090000", f"DTEND{Z}20261130T100000", "RRULE:FREQ=DAILY")
    found = await meetings(calendar(daily))
    assert len({meeting.key for meeting in found}) == len(found) == 7
    assert len({meeting.series for meeting in found}) == 1
    assert found[0].series is not None


async def test_an_event_that_does_not_recur_has_no_series() -> None:
    (found,) = await meetings(calendar(event(*NINE)))
    assert found.series is None


async def test_a_day_that_moves_to_another_hour_keeps_its_key() -> None:
    days = event("DTSTART;VALUE=DATE:20261202", "DTEND;VALUE=DATE:20261203", "RRULE:FREQ=WEEKLY")
    (before,) = await keys(days)
    assert await keys(days, event("RECURRENCE-ID;VALUE=DATE:20261202", *AT_TWO)) == [before]


async def test_events_without_uid_keep_their_keys_whatever_their_order() -> None:
    one, other = event(*NINE, uid=None), event(*AT_TWO, uid=None)
    assert len(set(await keys(one, other))) == 2
    assert await keys(one, other) == await keys(other, one)
    assert len(await keys(one, one)) == 2


async def test_a_cancelled_occurrence_is_reported_as_cancelled() -> None:
    (found,) = await meetings(calendar(event(*WEEKLY), event(NAMED, *NINE, "STATUS:CANCELLED")))
    assert found.cancelled
    (without_times,) = await meetings(calendar(event(*WEEKLY), event(NAMED, "STATUS:CANCELLED")))
    assert without_times.cancelled


async def test_a_change_from_one_on_cancels_all_later_ones() -> None:
    daily = event(f"DTSTART{Z}20261130T090000", f"DTEND{Z}20261130T100000", "RRULE:FREQ=DAILY")
    named = f"RECURRENCE-ID;RANGE=THISANDFUTURE{Z}20261202T090000"
    found = await occupied(calendar(daily, event(named, *NINE, "STATUS:CANCELLED")))
    assert [begin for begin, _ in found] == ["2026-11-30 08:00", "2026-12-01 08:00"]


async def test_a_single_change_counts_within_a_change_from_one_on() -> None:
    daily = event(f"DTSTART{Z}20261130T090000", f"DTEND{Z}20261130T100000", "RRULE:FREQ=DAILY;COUNT=4")
    later = event(
        f"RECURRENCE-ID;RANGE=THISANDFUTURE{Z}20261201T090000",
        f"DTSTART{Z}20261201T110000",
        f"DTEND{Z}20261201T120000",
    )
    single = event(NAMED, *AT_TWO)
    found = await occupied(calendar(daily, later, single))
    assert [begin for begin, _ in found] == [
        "2026-11-30 08:00",
        "2026-12-01 10:00",
        "2026-12-03 10:00",
        "2026-12-03 13:00",
    ]


async def test_a_change_from_one_on_moves_days_into_the_window() -> None:
    series = event(f"DTSTART{Z}20261201T090000", f"DTEND{Z}20261201T100000", "RRULE:FREQ=MONTHLY")
    later = event(
        f"RECURRENCE-ID;RANGE=THISANDFUTURE{Z}20270101T090000",
        f"DTSTART{Z}20270111T090000",
        f"DTEND{Z}20270111T100000",
    )
    asked = window(datetime(2027, 2, 8, tzinfo=UTC), datetime(2027, 2, 15, tzinfo=UTC))
    assert await occupied(calendar(series, later), asked=asked) == [("2027-02-11 08:00", "2027-02-11 09:00")]


async def test_a_change_from_a_day_on_moves_all_later_ones() -> None:
    later = event("RECURRENCE-ID;VALUE=DATE;RANGE=THISANDFUTURE:20261204", *AT_TWO)
    series = event(f"DTSTART{Z}20261101T090000", f"DTEND{Z}20261101T100000", "RRULE:FREQ=DAILY")
    asked = window(datetime(2026, 12, 3, tzinfo=UTC), datetime(2026, 12, 6, tzinfo=UTC))
    found = await occupied(calendar(series, later), asked=asked)
    assert [begin for begin, _ in found] == [
        "2026-12-03 08:00",
        "2026-12-03 13:00",
        "2026-12-04 13:00",
        "2026-12-05 13:00",
    ]


async def test_the_obsolete_range_to_all_earlier_ones_is_malformed() -> None:
    with pytest.raises(Malformed, match=r"range.*RECURRENCE-ID"):
        await occupied(calendar(event(f"RECURRENCE-ID;RANGE=THISANDPRIOR{Z}20261202T090000", *NINE)))


async def test_an_excluded_occurrence_stays_excluded_though_it_was_changed_before() -> None:
    changed = event(NAMED, *AT_TWO, "SEQUENCE:1")
    excluded = event(*WEEKLY, f"EXDATE{Z}20261202T090000", "SEQUENCE:2")
    assert await occupied(calendar(excluded, changed)) == []


async def test_of_two_changes_of_one_occurrence_the_later_counts() -> None:
    first, second = event(NAMED, *NINE, "SEQUENCE:1"), event(NAMED, *AT_TWO, "SEQUENCE:2")
    for changes in ((first, second), (second, first)):
        assert await occupied(calendar(event(*WEEKLY), *changes)) == [
            ("2026-12-03 13:00", "2026-12-03 14:00")
        ]


async def test_a_change_with_a_rule_of_its_own_loses_nothing() -> None:
    rule = event(NAMED, *AT_TWO, "RRULE:FREQ=DAILY;COUNT=2")
    found = await occupied(calendar(event(*WEEKLY), rule))
    assert [begin for begin, _ in found] == ["2026-12-03 13:00", "2026-12-04 13:00"]


async def test_a_change_named_by_a_day_replaces_the_occurrence_of_that_day() -> None:
    change = event("RECURRENCE-ID;VALUE=DATE:20261202", *AT_TWO)
    assert await occupied(calendar(event(*WEEKLY), change)) == [("2026-12-03 13:00", "2026-12-03 14:00")]


async def test_a_change_named_by_a_day_with_two_occurrences_replaces_neither() -> None:
    twice = event(*WEEKLY[:2], "RRULE:FREQ=WEEKLY;BYHOUR=9,11")
    change = event("RECURRENCE-ID;VALUE=DATE:20261202", *AT_TWO)
    assert len(await occupied(calendar(twice, change))) == 3


async def test_two_rules_are_both_followed() -> None:
    found = await occupied(calendar(event(*WEEKLY, "RRULE:FREQ=WEEKLY;BYDAY=FR")))
    assert found == [AT_NINE, ("2026-12-04 08:00", "2026-12-04 09:00")]


async def test_a_rule_with_count_and_until_follows_whichever_allows_more() -> None:
    start = (f"DTSTART{Z}20261130T090000", f"DTEND{Z}20261130T100000")
    for rule, number in (("COUNT=2;UNTIL=20261203", 4), ("COUNT=5;UNTIL=20261201", 5)):
        assert len(await occupied(calendar(event(*start, f"RRULE:FREQ=DAILY;{rule}")))) == number


async def test_a_series_that_ended_before_it_began_has_no_occurrence() -> None:
    ended = (*NINE, "RRULE:FREQ=DAILY;UNTIL=20261201T080000Z")
    assert await occupied(calendar(event(*ended))) == []


async def test_a_weekday_with_and_without_number_are_both_followed() -> None:
    start = (f"DTSTART{Z}20261005T090000", f"DTEND{Z}20261005T100000")
    found = await occupied(calendar(event(*start, "RRULE:FREQ=MONTHLY;BYDAY=WE,1TU")))
    assert [begin for begin, _ in found] == ["2026-12-01 08:00", "2026-12-02 08:00"]


@pytest.mark.parametrize(
    ("lines", "ends"),
    [
        ((f"DTEND{Z}20261024T060000",), "2026-10-25 05:00"),  # six on the clock, nine hours later
        (("DURATION:PT8H",), "2026-10-25 04:00"),
        (("DURATION:P1D",), "2026-10-25 21:00"),
        (("DTEND:20261024T040000Z",), "2026-10-25 05:00"),  # the same end, stated in UTC
    ],
)
async def test_an_end_in_the_night_of_a_change_is_the_later_of_clock_and_length(
    lines: tuple[str, ...], ends: str
) -> None:
    asked = window(datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))
    body = calendar(event(f"DTSTART{Z}20261023T220000", *lines, "RRULE:FREQ=DAILY"))
    assert (await occupied(body, asked=asked))[-1] == ("2026-10-24 20:00", ends)


@pytest.mark.parametrize(
    ("first", "end", "occupied_until"),
    [
        (f"DTSTART{Z}20260327T220000", f"DTEND{Z}20260328T060000", "2026-03-29 05:00"),  # 8 hours, 07:00
        (f"DTSTART{Z}20260328T023000", f"DTEND{Z}20260328T030000", "2026-03-29 02:00"),  # 02:30 is skipped
        (f"DTSTART{Z}20260328T023000", f"DTEND{Z}20260328T033000", "2026-03-29 02:30"),
        (f"DTSTART{Z}20260327T220000", "DTEND;TZID=Asia/Tokyo:20260328T140000", "2026-03-29 05:00"),
    ],
)
async def test_an_occurrence_in_the_night_in_which_the_clock_skips_an_hour_keeps_its_length(
    first: str, end: str, occupied_until: str
) -> None:
    asked = window(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC))
    body = calendar(event(first, end, "RRULE:FREQ=DAILY"))
    assert [until for _, until in await occupied(body, asked=asked)] == [occupied_until]


async def test_an_event_from_a_time_that_the_clock_skips_is_not_without_length() -> None:
    asked = window(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC))
    body = calendar(event(f"DTSTART{Z}20260329T023000", f"DTEND{Z}20260329T033000"))
    assert await occupied(body, asked=asked) == [("2026-03-29 01:30", "2026-03-29 02:30")]


async def test_an_added_day_of_a_series_with_times_is_not_lost() -> None:
    found = await occupied(calendar(event(*WEEKLY[:2], "RDATE;VALUE=DATE:20261203")))
    assert [begin for begin, _ in found] == ["2026-12-02 23:00", "2026-12-03 08:00"]


async def test_an_added_time_in_an_hour_that_the_clock_shows_twice_is_exact() -> None:
    start = (f"DTSTART{Z}20261001T090000", "DURATION:PT15M")
    added = "RDATE:20261025T003000Z,20261025T013000Z"
    asked = window(datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert await occupied(calendar(event(*start, added)), asked=asked) == [
        ("2026-10-25 00:30", "2026-10-25 00:45"),
        ("2026-10-25 01:30", "2026-10-25 01:45"),
    ]


async def test_whole_days_have_23_or_25_hours_when_clocks_change() -> None:
    body = calendar(event("DTSTART;VALUE=DATE:20260301", "RRULE:FREQ=DAILY"))
    for month, day, hours in ((3, 29, 23), (10, 25, 25)):
        noon = datetime(2026, month, day, 12, tzinfo=UTC)
        (found,) = await meetings(body, asked=window(noon, noon.replace(hour=13)))
        assert (found.end - found.start).total_seconds() == hours * 3600


async def test_an_event_in_the_year_9999_is_no_error() -> None:
    for end in ("99991231T235959Z", "99991231"):
        (found,) = await meetings(calendar(event("DTSTART:20261201T080000Z", f"DTEND:{end}")))
        assert found.end.year == 9000
    (found,) = await meetings(calendar(event("DTSTART:00010101T000000", "DTEND:20261202T000000")))
    assert found.start.year == 1900


@pytest.mark.parametrize(
    "lines",
    [
        ("DTSTART:20261202T090000Z", "DTSTART:20261203T090000Z"),
        ("DTSTART:20261202T090000Z", "DTEND:20261202T100000Z", "DTEND:20261202T110000Z"),
        ("DTSTART:20261202T090000Z", "DURATION:soon"),
        ("DTSTART:20261202T090000Z", "RDATE:soon"),
        ("DTSTART:20261202T090000Z", "SEQUENCE:first"),
        ("DTSTART:20261202T090000Z", "RECURRENCE-ID:soon"),
        ("DTSTART:",),
        ("DTSTART",),
    ],
)
async def test_an_event_whose_time_is_in_doubt_makes_the_calendar_malformed(lines: tuple[str, ...]) -> None:
    with pytest.raises(Malformed):
        await occupied(calendar(event(*lines), event(*NINE, uid="sound")))


async def test_an_occurrence_that_is_long_is_found_days_after_its_start() -> None:
    body = calendar(event(f"DTSTART{Z}20260901T090000", "DURATION:P40D", "RRULE:FREQ=MONTHLY;BYMONTHDAY=1"))
    found = times(await meetings(body))
    assert [begin[:10] for begin, _ in found] == ["2026-11-01", "2026-12-01"]


async def test_an_hourly_rule_is_true_in_both_hours_that_the_clock_shows_twice() -> None:
    asked = window(datetime(2026, 10, 24, 23, tzinfo=UTC), datetime(2026, 10, 25, 4, tzinfo=UTC))
    start = (f"DTSTART{Z}20261024T000000", "DURATION:PT30M")
    for end in ("UNTIL=20261026T000000Z", "COUNT=100"):
        found = await occupied(calendar(event(*start, f"RRULE:FREQ=HOURLY;{end}")), asked=asked)
        assert [begin[-5:] for begin, _ in found] == ["23:00", "00:00", "01:00", "02:00", "03:00"]
    by_hour = "RRULE:FREQ=HOURLY;BYHOUR=2;UNTIL=20261026T000000Z"
    found = await occupied(calendar(event(*start, by_hour)), asked=asked)
    assert [begin[-5:] for begin, _ in found] == ["00:00", "01:00"]


async def test_an_hourly_rule_with_a_count_has_as_many_hours_where_the_clock_skips_one() -> None:
    asked = window(datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC))
    start = (f"DTSTART{Z}20260329T000000", "DURATION:PT30M")
    found = await occupied(calendar(event(*start, "RRULE:FREQ=HOURLY;COUNT=4")), asked=asked)
    assert [begin[-5:] for begin, _ in found] == ["23:00", "00:00", "01:00", "02:00"]


async def test_an_added_time_with_an_end_of_its_own_keeps_its_length_when_it_is_moved() -> None:
    daily = event(f"DTSTART{Z}20261130T090000", f"DTEND{Z}20261130T100000", "RRULE:FREQ=DAILY;COUNT=3",
                  "RDATE;VALUE=PERIOD:20261204T120000Z/20261204T130000Z")  # fmt: skip
    named = f"RECURRENCE-ID;RANGE=THISANDFUTURE{Z}20261202T090000"
    later = event(named, f"DTSTART{Z}20261202T140000", f"DTEND{Z}20261202T150000")
    assert (await occupied(calendar(daily, later)))[-1] == ("2026-12-04 17:00", "2026-12-04 18:00")


@pytest.mark.parametrize("named", [f"EXDATE{Z}20261202T090000", "EXDATE;VALUE=DATE:20261202"])
async def test_a_moved_occurrence_is_not_lost_if_its_original_time_is_excluded_too(named: str) -> None:
    assert await occupied(calendar(event(*WEEKLY, named), event(NAMED, *AT_TWO))) == [
        ("2026-12-03 13:00", "2026-12-03 14:00")
    ]
