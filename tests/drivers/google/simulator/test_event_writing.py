"""Events are written by who may: booked, changed by their organizer, and deleted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from placed_google.simulator import Role
from tests.drivers.google.simulator.conftest import BOARDROOM, LIBRARY
from tests.drivers.google.simulator.google_client import GoogleClient
from tests.drivers.google.simulator.plain_client import events_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed_google.simulator import ServiceAccount, SimRoom, Simulator, Workspace
    from tests.drivers.google.simulator.plain_client import PlainClient

SCOPE = "https://www.googleapis.com/auth/calendar.events"
EVENTS = events_path(BOARDROOM)


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, 2, hour, minute, tzinfo=UTC)


def body(begin: str = "08:00", end: str = "09:00", **more: Any) -> dict[str, Any]:
    times = {"start": begin, "end": end}
    return {**{name: {"dateTime": f"2026-12-02T{time}:00Z"} for name, time in times.items()}, **more}


@pytest.fixture
async def writer(client: PlainClient, workspace: Workspace) -> PlainClient:
    """The client, which may write to the boardroom's calendar."""
    workspace.share(BOARDROOM, client.account, Role.WRITER)
    await client.sign_in(scope=SCOPE)
    return client


@pytest.fixture
def google_writer(
    simulator: Simulator, workspace: Workspace, account: ServiceAccount
) -> Iterator[GoogleClient]:
    """Google's own library, which may, too."""
    workspace.share(BOARDROOM, account, Role.WRITER)
    with GoogleClient(simulator, simulator.make_key(account), SCOPE) as client:
        yield client


async def test_a_reader_may_not_write(writer: PlainClient, workspace: Workspace) -> None:
    workspace.share(BOARDROOM, writer.account, Role.READER)
    answer = await writer.post(EVENTS, body())
    assert (answer.status, answer.reason) == (403, "requiredAccessLevel")


async def test_the_scope_for_reading_may_not_write(writer: PlainClient) -> None:
    await writer.sign_in()
    answer = await writer.post(EVENTS, body())
    assert (answer.status, answer.reason) == (403, "insufficientPermissions")


async def test_googles_library_books_changes_and_deletes(google_writer: GoogleClient) -> None:
    events = google_writer.calendar.events()
    booked = await google_writer.run(
        events.insert(calendarId=BOARDROOM, body=body(summary="Walk-in")).execute
    )
    assert booked["organizer"]["self"] is True
    change = events.patch(calendarId=BOARDROOM, eventId=booked["id"], body={"end": body()["start"]})
    changed = await google_writer.run(change.execute)
    assert changed["end"] == changed["start"]
    assert changed["summary"] == "Walk-in"
    assert changed["etag"] != booked["etag"]
    await google_writer.run(events.delete(calendarId=BOARDROOM, eventId=booked["id"]).execute)
    assert (await google_writer.events(BOARDROOM))["items"] == []


async def test_an_event_of_the_rooms_own_calendar_is_a_hold(writer: PlainClient) -> None:
    booked = await writer.post(EVENTS, body(summary="Walk-in"))
    assert booked.status == 200
    assert booked.headers["ETag"] == booked.json["etag"]
    assert "attendees" not in booked.json
    read = await writer.get(f"{EVENTS}/{booked.json['id']}")
    assert read.json == booked.json


async def test_a_second_change_with_an_old_etag_fails(writer: PlainClient) -> None:
    booked = await writer.post(EVENTS, body())
    path = f"{EVENTS}/{booked.json['id']}"
    current = {"If-Match": booked.json["etag"]}
    assert (await writer.patch(path, {"summary": "first"}, **current)).status == 200
    for answer in (
        await writer.patch(path, {"summary": "second"}, **current),
        await writer.delete(path, **current),
    ):
        assert (answer.status, answer.reason) == (412, "conditionNotMet")
    assert (await writer.get(path)).json["summary"] == "first"


async def test_an_event_that_is_known_is_not_sent_again(writer: PlainClient) -> None:
    booked = await writer.post(EVENTS, body())
    path = f"{EVENTS}/{booked.json['id']}"
    answer = await writer.get(path, **{"If-None-Match": booked.json["etag"]})
    assert (answer.status, answer.body) == (304, b"")


async def test_an_id_of_the_client_is_used_once(writer: PlainClient) -> None:
    assert (await writer.post(EVENTS, body(id="abc123"))).json["id"] == "abc123"
    answer = await writer.post(EVENTS, body(id="abc123"))
    assert (answer.status, answer.reason) == (409, "duplicate")
    assert (await writer.post(EVENTS, body(id="ABC-XYZ"))).status == 400


async def test_what_was_deleted_is_gone(writer: PlainClient) -> None:
    path = f"{EVENTS}/{(await writer.post(EVENTS, body())).json['id']}"
    assert (await writer.delete(path)).status == 204
    assert (await writer.get(path)).json["status"] == "cancelled"
    answer = await writer.delete(path)
    assert (answer.status, answer.reason) == (410, "deleted")
    assert (await writer.delete(f"{EVENTS}/nothing")).status == 404


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"start": None}, "parseError"),
        ({"end": {"date": "2026-12-03"}}, "invalid"),
        ({"end": {"dateTime": "2026-12-02T07:00:00Z"}}, "timeRangeEmpty"),
        ({"end": {"dateTime": "soon"}}, "invalid"),
        ({"end": {"dateTime": "2026-12-02T09:00:00"}}, "required"),
        ({"status": "maybe"}, "parseError"),
        ({"recurrence": ["RRULE:FREQ=DAILY"]}, "invalid"),
    ],
)
async def test_a_wrong_event_is_refused(writer: PlainClient, changes: dict[str, Any], reason: str) -> None:
    answer = await writer.post(EVENTS, {**body(), **changes})
    assert (answer.status, answer.reason) == (400, reason)


async def test_start_and_end_are_needed(writer: PlainClient) -> None:
    for missing in ("start", "end"):
        given = {name: value for name, value in body().items() if name != missing}
        answer = await writer.post(EVENTS, given)
        assert (answer.status, answer.reason) == (400, "required")


async def test_a_time_without_an_offset_is_in_the_zone_beside_it(writer: PlainClient) -> None:
    start = {"dateTime": "2026-12-02T09:00:00", "timeZone": "Europe/Berlin"}
    booked = await writer.post(f"{EVENTS}?timeZone=UTC", body(start=start))
    assert booked.json["start"]["dateTime"] == "2026-12-02T08:00:00Z"


async def test_somebody_elses_booking_may_only_be_answered(
    writer: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    event = workspace.book(boardroom, at(8), at(9))
    path = f"{EVENTS}/{event}"
    answer = await writer.patch(path, {"end": {"dateTime": "2026-12-02T08:30:00Z"}})
    assert (answer.status, answer.reason) == (403, "forbiddenForNonOrganizer")
    own = {"attendees": [{"email": BOARDROOM, "responseStatus": "declined"}]}
    assert (await writer.patch(path, own)).status == 200
    shown = workspace.event(event).own(BOARDROOM)
    assert shown is not None
    assert shown.response == "declined"


async def test_a_copy_that_is_deleted_is_taken_off_the_rooms_calendar_only(
    writer: PlainClient, workspace: Workspace
) -> None:
    event = await book_as_ada(writer, workspace, BOARDROOM)
    await writer.sign_in(scope=SCOPE)
    assert (await writer.delete(f"{EVENTS}/{event}")).status == 204
    assert (await writer.events(BOARDROOM)).items == []
    own = workspace.calendar("ada").events[event].own(BOARDROOM)
    assert own is not None
    assert own.response == "declined"


async def book_as_ada(client: PlainClient, workspace: Workspace, *rooms: str) -> str:
    """Ada books rooms on her own calendar; the event's id."""
    workspace.delegate(client.account, SCOPE)
    await client.sign_in(scope=SCOPE, sub="ada@fabrikam.example")
    invited = [{"email": room} for room in rooms]
    answer = await client.post(events_path("primary"), body(summary="Planning", attendees=invited))
    return str(answer.json["id"])


async def test_rooms_that_are_invited_get_a_copy_and_answer(
    writer: PlainClient, workspace: Workspace
) -> None:
    workspace.hold(LIBRARY, at(8), at(9))
    event = await book_as_ada(writer, workspace, BOARDROOM, LIBRARY)
    shown = (await writer.get(f"{events_path('primary')}/{event}")).json
    assert {one["email"]: one["responseStatus"] for one in shown["attendees"]} == {
        BOARDROOM: "accepted",
        LIBRARY: "declined",
    }
    (copy,) = (await writer.events(BOARDROOM)).items
    assert (copy["id"], copy["summary"]) == (event, "Planning")
    assert copy["organizer"]["email"] == "ada@fabrikam.example"


async def test_what_the_organizer_changes_reaches_the_rooms(
    writer: PlainClient, workspace: Workspace
) -> None:
    event = await book_as_ada(writer, workspace, BOARDROOM)
    path = f"{events_path('primary')}/{event}"
    await writer.patch(path, body("10:00", "11:00"))
    (copy,) = (await writer.events(BOARDROOM, timeZone="UTC")).items
    assert copy["start"]["dateTime"] == "2026-12-02T10:00:00Z"
    await writer.patch(path, {"attendees": []})
    assert (await writer.events(BOARDROOM)).items == []
    await writer.patch(path, {"attendees": [{"email": BOARDROOM}]})
    assert len((await writer.events(BOARDROOM)).items) == 1
    assert (await writer.delete(path)).status == 204
    assert (await writer.events(BOARDROOM)).items == []


async def test_an_answer_may_be_masked(writer: PlainClient) -> None:
    answer = await writer.post(f"{EVENTS}?fields=id,etag", body())
    assert json.loads(answer.body).keys() == {"id", "etag"}


async def test_private_properties_are_kept(writer: PlainClient) -> None:
    marked = {"private": {"placed": "6f0c"}}
    booked = await writer.post(EVENTS, body(extendedProperties=marked))
    path = f"{EVENTS}/{booked.json['id']}"
    changed = await writer.patch(path, {"extendedProperties": {"private": {"other": "1"}}})
    assert changed.json["extendedProperties"] == {"private": {"placed": "6f0c", "other": "1"}}


async def test_a_copy_may_have_times_of_its_own_and_the_answer_a_comment(
    writer: PlainClient, workspace: Workspace
) -> None:
    workspace.answers.copies_have_times_of_their_own = True
    event = await book_as_ada(writer, workspace, BOARDROOM)
    await writer.sign_in(scope=SCOPE)
    path = f"{EVENTS}/{event}"
    assert (await writer.patch(path, {"end": {"dateTime": "2026-12-02T08:30:00Z"}})).status == 200
    own = {"email": BOARDROOM, "responseStatus": "declined", "comment": "Nobody came"}
    assert (await writer.patch(path, {"attendees": [own]})).status == 200
    (theirs, copy) = (workspace.calendar(one).events[event] for one in ("ada", BOARDROOM))
    assert (theirs.end, copy.end) == (at(9), at(8, 30))
    answer = theirs.own(BOARDROOM)
    assert answer is not None
    assert (answer.response, answer.comment) == ("declined", "Nobody came")
