"""What an event of Google Calendar means for its room, row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from placed.domain.model import Meeting, ShowAs
from placed_google.api.json_structs import Event, Events
from placed_google.calendars.event_to_meeting import meeting_of, meetings_of

ZONE = ZoneInfo("Europe/Berlin")
ROOM = {"self": True, "resource": True}


def event(**changes: Any) -> Event:
    """An event from 9:00 to 10:00; None takes a field out."""
    fields: dict[str, Any] = {
        "id": "4kq",
        "start": {"dateTime": "2026-12-02T09:00:00+01:00"},
        "end": {"dateTime": "2026-12-02T10:00:00+01:00"},
        **changes,
    }
    return msgspec.convert({key: value for key, value in fields.items() if value is not None}, Event)


def meeting(*, hidden: bool = False, **changes: Any) -> Meeting:
    found = meeting_of(event(**changes), ZONE, hidden=hidden)
    assert found is not None
    return found


def answered(response: str, **more: Any) -> list[dict[str, Any]]:
    return [{**ROOM, "responseStatus": response, **more}]


def test_absent_fields_have_their_defaults() -> None:
    found = meeting()
    assert (found.show_as, found.declined, found.cancelled, found.private) == (
        ShowAs.BUSY,
        False,
        False,
        False,
    )
    assert (found.all_day, found.title, found.organizer) == (False, None, None)
    assert (found.start, found.end) == (
        datetime(2026, 12, 2, 8, tzinfo=UTC),
        datetime(2026, 12, 2, 9, tzinfo=UTC),
    )
    assert found.start.tzinfo is UTC


@pytest.mark.parametrize(
    ("attendees", "declined"),
    [
        (answered("declined"), True),
        (answered("accepted"), False),
        ([{"self": True, "responseStatus": "declined"}], True),
        ([{"self": True, "responseStatus": "accepted"}, *answered("declined")], True),
        ([*answered("accepted"), {"self": True, "responseStatus": "declined"}], False),
        ([{"resource": True, "responseStatus": "declined"}], False),
        ([{"responseStatus": "declined"}, *answered("accepted")], False),
        ([], False),
        (None, False),
    ],
)
def test_only_the_room_s_own_answer_declines(attendees: list[dict[str, Any]] | None, declined: bool) -> None:  # noqa: FBT001
    assert meeting(attendees=attendees).declined is declined


@pytest.mark.parametrize(
    ("changes", "show_as"),
    [
        ({"attendees": answered("accepted")}, ShowAs.BUSY),
        ({"attendees": answered("needsAction")}, ShowAs.TENTATIVE),
        ({"attendees": answered("tentative")}, ShowAs.TENTATIVE),
        ({"status": "confirmed"}, ShowAs.BUSY),
        ({"status": "tentative"}, ShowAs.TENTATIVE),
        ({"transparency": "opaque"}, ShowAs.BUSY),
        ({"transparency": "transparent"}, ShowAs.FREE),
        ({"transparency": "transparent", "attendees": answered("declined")}, ShowAs.FREE),
        ({"transparency": "transparent", "attendees": answered("needsAction")}, ShowAs.FREE),
        ({"transparency": "transparent", "eventType": "outOfOffice"}, ShowAs.FREE),
        ({"eventType": "default"}, ShowAs.BUSY),
        ({"eventType": "fromGmail"}, ShowAs.BUSY),
        ({"eventType": "outOfOffice"}, ShowAs.OOF),
        ({"eventType": "workingLocation"}, ShowAs.FREE),
        ({"eventType": "focusTime"}, ShowAs.BUSY),
        ({"eventType": "birthday"}, ShowAs.FREE),
        ({"eventType": "teleport"}, ShowAs.UNRECOGNISED),
        ({"transparency": "foggy"}, ShowAs.UNRECOGNISED),
        ({"status": "dreamt"}, ShowAs.UNRECOGNISED),
        ({"attendees": answered("perhaps")}, ShowAs.UNRECOGNISED),
        ({"attendees": answered("needsAction"), "eventType": "teleport"}, ShowAs.UNRECOGNISED),
    ],
)
def test_how_it_shows(changes: dict[str, Any], show_as: ShowAs) -> None:
    assert meeting(**changes).show_as is show_as


def test_cancelled_with_times_is_kept_and_without_is_dropped() -> None:
    found = meeting(status="cancelled", attendees=answered("declined"))
    assert (found.cancelled, found.declined) == (True, True)
    assert meeting_of(event(status="cancelled", start=None, end=None), ZONE) is None
    assert meeting_of(event(status="cancelled", start=None, end=None, id=None), ZONE) is None


@pytest.mark.parametrize(
    ("visibility", "private"),
    [
        (None, False),
        ("default", False),
        ("public", False),
        ("private", True),
        ("confidential", True),
        ("x", True),
    ],
)
def test_what_is_private(visibility: str | None, private: bool) -> None:  # noqa: FBT001
    assert meeting(visibility=visibility).private is private


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        ("freeBusyReader", False),
        ("none", False),
        ("reader", True),
        ("writer", True),
        ("owner", True),
        (None, True),
        ("newRole", True),
    ],
)
def test_a_role_that_sees_free_busy_only_shows_no_title(role: str | None, shown: bool) -> None:  # noqa: FBT001
    one = event(summary="Budget", organizer={"displayName": "Ada Example"})
    (found,) = meetings_of([one], role, ZONE)
    assert (found.title, found.organizer) == (("Budget", "Ada Example") if shown else (None, None))
    assert found.private is not shown


@pytest.mark.parametrize(
    ("organizer", "name"),
    [
        ({"displayName": "Ada Example"}, "Ada Example"),
        ({"displayName": "Boardroom", "self": True}, None),
        ({"displayName": ""}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_organizer_is_a_name_and_never_the_room(
    organizer: dict[str, Any] | None, name: str | None
) -> None:
    assert meeting(organizer=organizer).organizer == name


@pytest.mark.parametrize(
    ("summary", "title"), [("Budget", "Budget"), ("  Budget ", "Budget"), (" ", None), (None, None)]
)
def test_the_title(summary: str | None, title: str | None) -> None:
    assert meeting(summary=summary).title == title


@pytest.mark.parametrize(
    ("first", "after", "hours"),
    [
        ("2026-12-02", "2026-12-03", 24),
        ("2026-12-02", "2026-12-05", 72),
        ("2026-12-02", "2026-12-02", 24),
        ("2026-03-29", "2026-03-30", 23),
        ("2026-10-25", "2026-10-26", 25),
    ],
)
def test_an_all_day_event_is_whole_days_of_the_room(first: str, after: str, hours: int) -> None:
    found = meeting(start={"date": first}, end={"date": after})
    assert found.all_day
    assert (found.end - found.start).total_seconds() == hours * 3600
    assert found.start.astimezone(ZONE).isoformat()[:16] == f"{first}T00:00"


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"id": ""},
        {"start": None},
        {"end": None},
        {"start": {}},
        {"start": {"dateTime": "soon"}},
        {"start": {"dateTime": "2026-12-02T09:00:00"}},
        {"start": {"date": "2026-12-02"}},
        {"end": {"date": "2026-12-01"}, "start": {"date": "2026-12-02"}},
        {"end": {"date": "2026-13-02"}, "start": {"date": "2026-12-02"}},
        {"start": {"dateTime": "0001-01-01T00:00:00+14:00"}},
    ],
)
def test_what_cannot_be_understood_is_malformed(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        meeting(**changes)


def test_the_same_event_twice_is_one_meeting_that_occupies() -> None:
    twice = [event(attendees=answered("declined")), event(attendees=answered("accepted"))]
    (found,) = meetings_of(twice, "reader", ZONE)
    assert not found.declined
    moved = [event(), event(start={"dateTime": "2026-12-02T09:30:00+01:00"})]
    assert len(meetings_of(moved, "reader", ZONE)) == 2


def test_an_occurrence_keeps_its_key_when_it_is_moved() -> None:
    moved = {"dateTime": "2026-12-02T11:00:00+01:00"}, {"dateTime": "2026-12-02T12:00:00+01:00"}
    assert meeting().key == meeting(start=moved[0], end=moved[1]).key
    assert meeting().key != meeting(id="4kq_20261203T080000Z").key


@pytest.mark.parametrize(
    ("created", "booked"),
    [
        ("2026-11-30T07:15:00.000Z", datetime(2026, 11, 30, 7, 15, tzinfo=UTC)),
        ("yesterday", None),
        (None, None),
    ],
)
def test_when_an_event_was_booked(created: str | None, booked: datetime | None) -> None:
    assert meeting(created=created).created_at == booked


def test_occurrences_of_a_series_have_one_series() -> None:
    one, other = meeting(id="1", recurringEventId="4kq"), meeting(id="2", recurringEventId="4kq")
    assert one.series == other.series is not None
    assert one.series != meeting(recurringEventId="another").series
    assert meeting().series is None


def test_the_page_of_the_facts_is_read() -> None:
    """All fields at once, as a reader gets them with the mask of the driver."""
    page = msgspec.json.decode(
        b'{"timeZone":"Europe/Berlin","accessRole":"reader","items":[{"id":"4kq_20261202T080000Z",'
        b'"status":"confirmed","start":{"dateTime":"2026-12-02T08:00:00Z","timeZone":"Europe/Berlin"},'
        b'"end":{"dateTime":"2026-12-02T09:00:00Z","timeZone":"Europe/Berlin"},'
        b'"attendees":[{"self":true,"resource":true,"responseStatus":"accepted"}]}]}',
        type=Events,
    )
    (found,) = meetings_of(page.items, page.access_role, ZONE)
    assert (found.show_as, found.declined) == (ShowAs.BUSY, False)
