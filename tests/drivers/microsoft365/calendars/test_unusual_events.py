"""Calendars that describe their meetings oddly: all-day events with hours, the same event twice, no ids."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace

from placed.domain.model import Meeting, Reason, ShowAs
from placed.driver import Failed, Query, Read, Unchanged
from placed.driver.network.concurrency_limit import ConcurrencyLimit
from placed_microsoft365.calendars.calendar_view import CalendarViews, FirstPage
from placed_microsoft365.calendars.event_to_meeting import meeting_of, meetings_of
from placed_microsoft365.graph.json_structs import Event, Events
from tests.drivers.microsoft365.driver_setup import room_of

BERLIN, UTC_ZONE = ZoneInfo("Europe/Berlin"), ZoneInfo("UTC")
AUCKLAND, LOS_ANGELES = ZoneInfo("Pacific/Auckland"), ZoneInfo("America/Los_Angeles")


def event(start: str, end: str, event_id: str | None = "1", zone: str = "UTC", **fields: Any) -> Event:
    """`start` and `end` as Graph writes them."""
    times = {"start": start, "end": end}
    document = {name: {"dateTime": text, "timeZone": zone} for name, text in times.items()}
    return msgspec.convert({"id": event_id, **document, **fields}, Event)


def days(meeting: Meeting, zone: ZoneInfo) -> tuple[str, str]:
    """First moment and end on the clocks of the zone, without the year."""
    return tuple(f"{m.astimezone(zone):%m-%dT%H:%M}" for m in (meeting.start, meeting.end))  # type: ignore[return-value]


# --- all day ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "end", "zone", "expected"),
    [
        (
            "2026-10-06T00:00:00.0000000",
            "2026-10-07T00:00:00.0000000",
            BERLIN,
            ("10-06T00:00", "10-07T00:00"),
        ),
        ("2026-10-06T00:00:00", "2026-10-06T23:59:00", BERLIN, ("10-06T00:00", "10-07T00:00")),
        ("2026-10-06T00:00:00", "2026-10-06T23:59:59.9999999", BERLIN, ("10-06T00:00", "10-07T00:00")),
        ("2026-10-06T00:00:00", "2026-10-06T00:00:00", BERLIN, ("10-06T00:00", "10-07T00:00")),
        ("2026-10-06T09:00:00", "2026-10-06T09:00:00", UTC_ZONE, ("10-06T00:00", "10-07T00:00")),
        ("2026-10-06T00:00:00", "2026-10-08T17:30:00", AUCKLAND, ("10-06T00:00", "10-09T00:00")),
        ("2026-10-06T09:00:00", "2026-10-06T17:00:00", BERLIN, ("10-06T00:00", "10-07T00:00")),
        # The room's own midnights, written as moments.
        ("2026-10-05T22:00:00", "2026-10-06T22:00:00", BERLIN, ("10-06T00:00", "10-07T00:00")),
        ("2026-10-05T22:00:00Z", "2026-10-06T21:59:00Z", BERLIN, ("10-06T00:00", "10-07T00:00")),
        ("2026-10-06T07:00:00", "2026-10-07T07:00:00", LOS_ANGELES, ("10-06T00:00", "10-07T00:00")),
        # Neither: as far as either reading goes.
        ("2026-10-06T09:00:00", "2026-10-06T17:00:00", AUCKLAND, ("10-06T00:00", "10-08T00:00")),
        ("2026-10-06T03:00:00", "2026-10-06T05:00:00", LOS_ANGELES, ("10-05T00:00", "10-07T00:00")),
        # Days of 25 and of 23 hours.
        ("2026-10-25T00:00:00", "2026-10-25T23:59:00", BERLIN, ("10-25T00:00", "10-26T00:00")),
        ("2026-03-29T00:00:00", "2026-03-29T23:59:00", BERLIN, ("03-29T00:00", "03-30T00:00")),
    ],
)
def test_an_all_day_event_that_carries_hours_is_whole_days(
    start: str, end: str, zone: ZoneInfo, expected: tuple[str, str]
) -> None:
    meeting = meeting_of(event(start, end, isAllDay=True), zone)
    assert days(meeting, zone) == expected
    assert meeting.start < meeting.end


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-10-07T00:00:00", "2026-10-06T00:00:00"),
        ("2026-10-06T17:00:00", "2026-10-06T09:00:00"),
        ("9999-12-31T00:00:00", "9999-12-31T23:59:00"),
        ("2026-10-06T00:00:00", "tomorrow"),
    ],
)
def test_an_all_day_event_that_makes_no_sense_is_malformed(start: str, end: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        meeting_of(event(start, end, isAllDay=True), BERLIN)


# --- twice --------------------------------------------------------------------------------------------------

NINE, TEN, NOON, ONE = (f"2026-10-06T{hour:02}:00:00" for hour in (9, 10, 12, 13))


def test_the_same_event_twice_is_one_meeting() -> None:
    (meeting,) = meetings_of([event(NINE, TEN)] * 3, UTC_ZONE)
    assert meeting.start == datetime(2026, 10, 6, 9, tzinfo=UTC)


def test_of_two_reports_of_an_event_the_one_that_occupies_counts_and_the_private_one() -> None:
    reports = [
        event(NINE, TEN, showAs="busy", isCancelled=True),
        event(NINE, TEN, showAs="tentative", sensitivity="private"),
        event(NINE, TEN, showAs="busy", responseStatus={"response": "declined"}),
        event(NINE, TEN, showAs="free"),
    ]
    for order in (reports, reports[::-1]):
        (meeting,) = meetings_of(order, UTC_ZONE)
        assert (meeting.cancelled, meeting.declined, meeting.show_as) == (False, False, ShowAs.TENTATIVE)
        assert meeting.private


def test_an_event_that_is_at_two_times_occupies_at_both() -> None:
    meetings = meetings_of([event(NINE, TEN), event(NOON, ONE), event(NINE, TEN, "2")], UTC_ZONE)
    assert [meeting.start.hour for meeting in meetings] == [9, 12, 9]
    assert meetings[0].key == meetings[1].key != meetings[2].key


@pytest.mark.parametrize("blank", ["", " ", None])
def test_events_without_an_id_are_distinguished_by_their_times(blank: str | None) -> None:
    one, other = meetings_of([event(NINE, TEN, blank), event(NOON, ONE, blank)], UTC_ZONE)
    assert one.key != other.key
    (again,) = meetings_of([event(NINE, TEN, blank)] * 2, UTC_ZONE)
    assert again.key == one.key


def test_an_event_is_not_in_conflict_with_a_report_of_it_that_has_no_id() -> None:
    known = meeting_of(event(NINE, TEN, "7"), UTC_ZONE)
    reports = [
        event(NINE, TEN, "7", showAs="free"),
        event(NINE, TEN, None, showAs="busy", sensitivity="private"),
        event(NOON, ONE, None),
    ]
    for order in (reports, reports[::-1]):
        one, other = meetings_of(order, UTC_ZONE)
        assert (one.key, one.show_as, one.private) == (known.key, ShowAs.BUSY, True)
        assert other.start.hour == 12


def test_an_answer_without_ids_occupies_the_room() -> None:
    views = CalendarViews(None, ConcurrencyLimit(1), details=False)  # type: ignore[arg-type]
    day = datetime(2026, 10, 6, tzinfo=UTC)
    query = Query(room_of("boardroom@contoso.example"), day, day + timedelta(days=1))
    times = {name: {"dateTime": text, "timeZone": "UTC"} for name, text in (("start", NINE), ("end", TEN))}
    answer = views.answer(query, msgspec.json.encode({"value": [times, times | {"id": None}]}), day)
    assert isinstance(answer, Read)
    assert [meeting.start.hour for meeting in answer.meetings] == [9]


@pytest.mark.parametrize("zone", [BERLIN, AUCKLAND, LOS_ANGELES])
def test_where_nothing_is_reported_of_all_day_midnights_may_be_the_room_s(zone: ZoneInfo) -> None:
    meeting = meeting_of(event("2026-10-06T00:00:00", "2026-10-07T00:00:00", isAllDay=None), zone)
    day = datetime(2026, 10, 6, tzinfo=zone)
    for first, after in ((day, day + timedelta(days=1)), (day.replace(tzinfo=UTC),) * 2):
        assert meeting.start <= first
        assert meeting.end >= after
    short = meeting_of(event("2026-10-06T00:00:00", "2026-10-06T01:00:00", isAllDay=None), zone)
    assert short.end - short.start == timedelta(hours=1)


# --- pages that shift while they are read ---------------------------------------------------------------


class Shifting:
    """A calendar of some events on pages of two, of which one is deleted after so many requests."""

    def __init__(self, deletions: list[int], place: int = 0) -> None:
        self.events = [
            event(f"2026-10-06T{hour:02}:00:00", f"2026-10-06T{hour:02}:30:00", str(hour))
            for hour in range(9)
        ]
        self.deletions, self.place = deletions, place
        self.asked = 0

    async def get(self, url: str, _shape: type) -> Events:
        self.asked += 1
        if self.asked in self.deletions:
            del self.events[self.place]
        skip = int(url.partition("skip=")[2] or 0)
        link = f"skip={skip + 2}" if skip + 2 < len(self.events) else None
        return Events(self.events[skip : skip + 2], link)

    async def read(self) -> Read | Failed:
        views = CalendarViews(self, ConcurrencyLimit(1), details=False)  # type: ignore[arg-type]
        day = datetime(2026, 10, 6, tzinfo=UTC)
        query = Query(room_of("boardroom@contoso.example"), day, day + timedelta(days=1))
        answer = await views.follow(FirstPage(query, day, await self.get("", Events)))
        assert isinstance(answer, Read | Failed)
        return answer


@pytest.mark.parametrize("deletions", [[], [2], [3], [4], [2, 8]])
async def test_no_event_is_lost_where_another_is_deleted_between_two_pages(deletions: list[int]) -> None:
    graph = Shifting(deletions)
    answer = await graph.read()
    assert isinstance(answer, Read)
    there = {datetime.fromisoformat(e.start.date_time).replace(tzinfo=UTC) for e in graph.events}
    assert there <= {meeting.start for meeting in answer.meetings}


@pytest.mark.parametrize("asked", range(2, 8))
@pytest.mark.parametrize("place", range(9))
async def test_no_event_is_lost_wherever_another_is_deleted_meanwhile(asked: int, place: int) -> None:
    graph = Shifting([asked], place)
    answer = await graph.read()
    assert isinstance(answer, Read)
    there = {datetime.fromisoformat(e.start.date_time).replace(tzinfo=UTC) for e in graph.events}
    assert there <= {meeting.start for meeting in answer.meetings}


async def test_a_calendar_that_changes_during_every_reading_is_read_again_later() -> None:
    graph = Shifting(list(range(2, 100, 3)))
    answer = await graph.read()
    assert isinstance(answer, Failed)
    assert answer.reason is Reason.UNAVAILABLE


def test_an_address_that_another_room_has_now_is_not_taken_for_unchanged() -> None:
    """Two rooms exchange their addresses: what was read by an address was read of the other room."""
    views = CalendarViews(None, ConcurrencyLimit(1), details=False)  # type: ignore[arg-type]
    day = datetime(2026, 10, 6, tzinfo=UTC)
    first, other = room_of("first@contoso.example"), room_of("other@contoso.example")
    body = b'{"value":[]}'
    assert isinstance(views.answer(Query(first, day, day, known=True), body, day), Read)
    assert isinstance(views.answer(Query(first, day, day, known=True), body, day), Unchanged)
    moved = replace(other, address=first.address, mailbox=first.mailbox)
    batch = b'{"responses":[{"id":"0","status":200,"body":' + body + b"}]}"
    assert views.all_unchanged([Query(first, day, day, known=True)], batch)
    assert not views.all_unchanged([Query(moved, day, day, known=True)], batch)
    assert isinstance(views.answer(Query(moved, day, day, known=True), body, day), Read)
