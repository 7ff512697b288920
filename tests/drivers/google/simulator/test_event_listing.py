"""`events.list` answers as the Calendar API documents it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed_google.simulator import Attendee
from tests.drivers.google.simulator.conftest import BOARDROOM
from tests.drivers.google.simulator.plain_client import events_path

if TYPE_CHECKING:
    from placed_google.simulator import SimRoom, Simulator, Workspace
    from tests.drivers.google.simulator.plain_client import PlainClient

WINDOW = "singleEvents=true&timeMin=2026-12-02T08:00:00Z&timeMax=2026-12-02T12:00:00Z"
WHOLE = "singleEvents=true"


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end"),
    [(at(7), at(8, 1)), (at(11, 59), at(13)), (at(1), at(23)), (at(9), at(9))],
    ids=["ends after timeMin", "starts before timeMax", "around both", "empty between"],
)
async def test_an_event_in_the_window_is_listed(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom, start: datetime, end: datetime
) -> None:
    workspace.book(boardroom, start, end)
    assert len((await client.events(BOARDROOM, WINDOW)).items) == 1


@pytest.mark.parametrize(
    ("start", "end"),
    [(at(7), at(8)), (at(12), at(13)), (at(8), at(8))],
    ids=["ends at timeMin", "starts at timeMax", "empty at timeMin"],
)
async def test_time_min_bounds_the_end_and_time_max_the_start(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom, start: datetime, end: datetime
) -> None:
    workspace.book(boardroom, start, end)
    assert (await client.events(BOARDROOM, WINDOW)).items == []


async def test_an_all_day_event_lies_between_midnights_of_the_calendars_zone(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.hold(boardroom, date(2026, 12, 2), date(2026, 12, 3))
    before = "singleEvents=true&timeMin=2026-12-01T12:00:00Z&timeMax=2026-12-01T23:00:00Z"
    assert (await client.events(BOARDROOM, before)).items == []
    until = before.replace("T23:00:00Z", "T23:00:01Z")
    (event,) = (await client.events(BOARDROOM, until)).items
    assert (event["start"], event["end"]) == ({"date": "2026-12-02"}, {"date": "2026-12-03"})
    after = "singleEvents=true&timeMin=2026-12-02T23:00:00Z&timeMax=2026-12-03T12:00:00Z"
    assert (await client.events(BOARDROOM, after)).items == []


async def test_the_time_zone_changes_how_moments_are_written_and_not_dates(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book(boardroom, at(8), at(9))
    workspace.hold(boardroom, date(2026, 12, 2), date(2026, 12, 3))
    default = (await client.events(BOARDROOM)).json
    assert default["timeZone"] == "Europe/Berlin"
    assert default["items"][0]["start"]["dateTime"] == "2026-12-02T09:00:00+01:00"
    asked = (await client.events(BOARDROOM, timeZone="UTC")).json
    assert asked["timeZone"] == "UTC"
    assert asked["items"][0]["start"] == {"dateTime": "2026-12-02T08:00:00Z", "timeZone": "Europe/Berlin"}
    assert asked["items"][1]["start"] == {"date": "2026-12-02"}


async def test_pages_follow_each_other_until_there_is_no_token(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    for hour in range(8, 13):
        workspace.book(boardroom, at(hour), at(hour, 30), summary=f"{hour}")
    found: list[str | None] = []
    more: dict[str, str] = {}
    while True:
        answer = await client.events(BOARDROOM, maxResults=2, **more)
        found += answer.summaries
        if "nextPageToken" not in answer.json:
            break
        assert "nextSyncToken" not in answer.json
        more = {"pageToken": answer.json["nextPageToken"]}
    assert found == ["8", "9", "10", "11", "12"]
    assert "nextSyncToken" in answer.json


async def test_a_page_may_be_shorter_than_asked(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.most_on_a_page = 1
    for hour in (8, 10):
        workspace.book(boardroom, at(hour), at(hour + 1))
    answer = await client.events(BOARDROOM)
    assert len(answer.items) == 1
    assert "nextPageToken" in answer.json


async def test_a_page_may_be_empty_and_have_a_token(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book(boardroom, at(8), at(9), summary="Planning")
    workspace.faults.empty_page(times=1)
    first = await client.events(BOARDROOM)
    assert first.items == []
    second = await client.events(BOARDROOM, pageToken=first.json["nextPageToken"])
    assert second.summaries == ["Planning"]
    assert "nextPageToken" not in second.json


async def test_with_fewer_attendees_than_there_are_only_the_room_is_left(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    guests = [Attendee(email="ben@fabrikam.example", name="Ben Sample")]
    workspace.book(boardroom, at(8), at(9), guests=guests)
    (all_of_them,) = (await client.events(BOARDROOM)).items
    assert [one["email"] for one in all_of_them["attendees"]] == [
        "ada@fabrikam.example",
        "ben@fabrikam.example",
        BOARDROOM,
    ]
    assert "attendeesOmitted" not in all_of_them
    (event,) = (await client.events(BOARDROOM, maxAttendees=1)).items
    assert event["attendees"] == [
        {
            "email": BOARDROOM,
            "displayName": "Boardroom",
            "self": True,
            "resource": True,
            "responseStatus": "accepted",
        }
    ]
    assert event["attendeesOmitted"] is True


async def test_the_other_answer_for_max_attendees_is_nobody(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.answers.max_attendees_keeps_the_room = False
    workspace.book(boardroom, at(8), at(9))
    (event,) = (await client.events(BOARDROOM, maxAttendees=1)).items
    assert "attendees" not in event


async def test_cancelled_events_are_listed_on_demand(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.cancel(workspace.book(boardroom, at(8), at(9)))
    assert (await client.events(BOARDROOM)).items == []
    (event,) = (await client.events(BOARDROOM, showDeleted="true")).items
    assert event["status"] == "cancelled"
    assert "start" not in event


async def test_defaults_are_left_out(client: PlainClient, workspace: Workspace, boardroom: SimRoom) -> None:
    workspace.hold(boardroom, at(8), at(9))
    (event,) = (await client.events(BOARDROOM)).items
    assert event.keys().isdisjoint({"transparency", "visibility", "attendees", "endTimeUnspecified"})
    assert event["organizer"] == {"email": BOARDROOM, "displayName": "Boardroom", "self": True}
    assert event["eventType"] == "default"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("timeMin=2026-12-02T08:00:00", "badRequest"),
        ("timeMin=2026-12-02T08:00:00+01:00", "badRequest"),
        ("timeMin=2026-12-02T08:00:00Z&timeMax=2026-12-02T08:00:00Z", "timeRangeEmpty"),
        ("orderBy=startTime", "badRequest"),
        ("orderBy=summary&singleEvents=true", "invalidParameter"),
        ("singleEvents=yes", "invalidParameter"),
        ("maxResults=0", "invalidParameter"),
        ("maxAttendees=0", "invalidParameter"),
        ("timeZone=Mars/Olympus", "invalid"),
        ("pageToken=nonsense", "invalid"),
        ("singleevents=true", "badRequest"),
        ("syncToken=sync1&timeMin=2026-12-02T08:00:00Z", "badRequest"),
        ("alt=xml", "invalidParameter"),
    ],
)
async def test_a_wrong_query_is_refused(client: PlainClient, query: str, reason: str) -> None:
    answer = await client.events(BOARDROOM, query)
    assert (answer.status, answer.reason) == (400, reason)


async def test_fractions_of_seconds_are_ignored(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book(boardroom, at(7), at(8))
    query = "singleEvents=true&timeMin=2026-12-02T07:59:59.999Z"
    assert (await client.events(BOARDROOM, query)).items


async def test_an_order_by_start_is_kept_across_kinds(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book(boardroom, at(10), at(11), summary="second")
    workspace.book(boardroom, at(8), at(9), summary="first")
    assert (await client.events(BOARDROOM)).summaries == ["second", "first"]
    assert (await client.events(BOARDROOM, orderBy="startTime")).summaries == ["first", "second"]


async def test_a_synchronisation_always_begins_again(client: PlainClient) -> None:
    answer = await client.events(BOARDROOM, "syncToken=sync1")
    assert (answer.status, answer.reason) == (410, "fullSyncRequired")


async def test_event_types_filter(client: PlainClient, workspace: Workspace, boardroom: SimRoom) -> None:
    workspace.book(boardroom, at(8), at(9), summary="focus", event_type="focusTime")
    workspace.book(boardroom, at(10), at(11), summary="usual")
    assert (await client.events(BOARDROOM, eventTypes="focusTime")).summaries == ["focus"]


async def test_a_deleted_calendar_is_gone(client: PlainClient, workspace: Workspace) -> None:
    workspace.calendar(BOARDROOM).deleted = True
    answer = await client.events(BOARDROOM)
    assert (answer.status, answer.reason) == (410, "deleted")


async def test_an_endless_series_ends_with_the_window(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    series = workspace.book_series(boardroom, at(8), at(9), frequency="DAILY")
    week = "singleEvents=true&timeMin=2026-12-07T00:00:00Z&timeMax=2026-12-14T00:00:00Z"
    events = (await client.events(BOARDROOM, week)).items
    assert [event["id"] for event in events] == [f"{series}_202612{day:02}T080000Z" for day in range(7, 14)]
    assert {event["recurringEventId"] for event in events} == {series}


async def test_without_a_window_an_endless_series_is_cut_somewhere(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book_series(boardroom, at(8), at(9), frequency="DAILY")
    answer = await client.events(BOARDROOM, WHOLE, maxResults=2500)
    assert len(answer.items) == 730


async def test_occurrences_keep_the_hour_of_the_wall_clock(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    begin = datetime(2027, 3, 21, 8, tzinfo=UTC)  # a week before the change of clocks
    workspace.book_series(boardroom, begin, begin + timedelta(hours=1), count=2)
    events = (await client.events(BOARDROOM, WHOLE)).items
    assert [event["start"]["dateTime"] for event in events] == [
        "2027-03-21T09:00:00+01:00",
        "2027-03-28T09:00:00+02:00",
    ]


async def test_without_single_events_the_rule_is_listed(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    series = workspace.book_series(boardroom, at(8), at(9), count=3)
    (event,) = (await client.events(BOARDROOM, "showDeleted=false")).items
    assert event["id"] == series
    assert event["recurrence"] == ["RRULE:FREQ=WEEKLY;COUNT=3"]


async def test_json_is_indented_unless_it_is_asked_not_to(client: PlainClient) -> None:
    assert b'{\n "kind"' in (await client.events(BOARDROOM)).body
    assert (await client.events(BOARDROOM, prettyPrint="false")).body.startswith(b'{"kind":')


async def test_an_answer_is_compressed_for_a_client_that_asks_for_gzip_twice(client: PlainClient) -> None:
    once = await client.events(BOARDROOM)
    assert "Content-Encoding" not in once.headers
    twice = await client.get(
        f"{events_path(BOARDROOM)}?{WHOLE}", **{"User-Agent": "test (gzip)", "Accept-Encoding": "gzip"}
    )
    assert twice.headers["Content-Encoding"] == "gzip"
    assert twice.json["kind"] == "calendar#events"


async def test_a_calendar_is_found_in_any_case(client: PlainClient) -> None:
    assert (await client.events(BOARDROOM.upper())).status == 200


async def test_the_request_log_has_what_was_asked(client: PlainClient, simulator: Simulator) -> None:
    simulator.clear_requests()
    await client.events(BOARDROOM, WHOLE)
    (record,) = simulator.requests
    assert (record.method, record.path, record.status) == ("GET", f"{events_path(BOARDROOM)}?{WHOLE}", 200)


async def test_a_path_that_no_method_has_is_a_page(client: PlainClient) -> None:
    for path in ("/calendar/v3/nothing", "/calendar/v4/calendars", "/drive/v3/files"):
        answer = await client.get(path)
        assert answer.status == 404
        assert answer.headers["Content-Type"].startswith("text/html")


async def test_a_call_without_a_token_is_refused(client: PlainClient) -> None:
    client.token = "nonsense"
    answer = await client.events(BOARDROOM)
    assert (answer.status, answer.reason) == (401, "authError")
    assert answer.json["error"]["status"] == "UNAUTHENTICATED"
