"""Rooms answer bookings as Google's do, and their calendars show what became of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed_google.simulator import Attendee, Workspace
from tests.drivers.google.simulator.conftest import BOARDROOM

if TYPE_CHECKING:
    from placed_google.simulator import SimRoom
    from tests.drivers.google.simulator.plain_client import PlainClient

WEEKS = "singleEvents=true&orderBy=startTime&timeMin=2026-12-01T00:00:00Z&timeMax=2027-02-01T00:00:00Z"


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


async def events(client: PlainClient) -> list[dict[str, Any]]:
    return (await client.events(BOARDROOM, WEEKS, maxAttendees=1, timeZone="UTC")).items


def answer(event: dict[str, Any]) -> str | None:
    own = [one for one in event.get("attendees", []) if one.get("self")]
    return own[0]["responseStatus"] if own else None


async def answers(client: PlainClient) -> list[str | None]:
    return [answer(event) for event in await events(client)]


async def test_a_free_room_accepts_and_a_taken_one_declines_and_keeps_its_copy(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book(boardroom, at(8), at(9))
    workspace.book(boardroom, at(8, 30), at(9, 30))
    workspace.book(boardroom, at(9), at(10))
    assert await answers(client) == ["accepted", "declined", "accepted"]


@pytest.mark.parametrize("day", [2, 3])
async def test_an_all_day_booking_takes_the_room_in_its_own_zone(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom, day: int
) -> None:
    workspace.book(boardroom, date(2026, 12, 2), date(2026, 12, 3))
    late = at(23, 15) if day == 3 else at(22, 15)  # Berlin is an hour ahead
    workspace.book(boardroom, late, late + timedelta(minutes=30))
    assert await answers(client) == ["accepted", "accepted" if day == 3 else "declined"]


async def test_a_room_with_approval_waits_for_it(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.calendar(boardroom).auto_accept = False
    event = workspace.book(boardroom, at(8), at(9))
    assert await answers(client) == ["needsAction"]
    workspace.respond(event, "accepted")
    assert await answers(client) == ["accepted"]


async def test_another_guests_answer_is_not_the_rooms(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    guests = [Attendee(email="ben@fabrikam.example")]
    event = workspace.book(boardroom, at(8), at(9), guests=guests)
    workspace.guest_responds(event, "ben", "declined")
    (shown,) = (await client.events(BOARDROOM, WEEKS)).items
    assert [one["responseStatus"] for one in shown["attendees"]] == ["accepted", "declined", "accepted"]


async def test_a_released_room_declines(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    event = workspace.book(boardroom, at(8), at(9))
    workspace.release(event)
    assert await answers(client) == ["declined"]
    workspace.book(boardroom, at(8), at(9))
    assert sorted(str(one) for one in await answers(client)) == ["accepted", "declined"]


async def test_a_hold_has_no_attendees_and_takes_the_room(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.hold(boardroom, at(8), at(9))
    workspace.book(boardroom, at(8, 30), at(9))
    hold, booking = await events(client)
    assert hold["organizer"]["self"] is True
    assert "attendees" not in hold
    assert answer(booking) == "declined"


async def test_a_series_is_accepted_but_for_the_occurrences_that_clash(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book(boardroom, at(8, day=9), at(9, day=9), summary="before")
    series = workspace.book_series(boardroom, at(8), at(9), count=3, summary="weekly")
    shown = {
        event["start"]["dateTime"][8:10]: answer(event)
        for event in await events(client)
        if event["summary"] == "weekly"
    }
    assert shown == {"02": "accepted", "09": "declined", "16": "accepted"}
    ids = {event["id"] for event in await events(client) if event.get("recurringEventId") == series}
    assert ids == {f"{series}_202612{day}T080000Z" for day in ("02", "09", "16")}


async def test_an_occurrence_keeps_its_id_when_it_is_moved(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    series = workspace.book_series(boardroom, at(8), at(9), count=2)
    second = f"{series}_20261209T080000Z"
    workspace.move(second, at(14, day=10), at(15, day=10))
    moved = (await events(client))[1]
    assert moved["id"] == second
    assert moved["start"]["dateTime"] == "2026-12-10T14:00:00Z"
    assert moved["originalStartTime"]["dateTime"] == "2026-12-09T08:00:00Z"


async def test_an_occurrence_may_turn_all_day_and_an_all_day_one_timed(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    timed = workspace.book_series(boardroom, at(8), at(9), count=2)
    workspace.move(f"{timed}_20261209T080000Z", date(2026, 12, 9), date(2026, 12, 10))
    whole = workspace.book_series(boardroom, date(2026, 12, 3), date(2026, 12, 4), count=2)
    workspace.move(f"{whole}_20261210", at(12, day=10), at(13, day=10))
    starts = {event["id"].rpartition("_")[2]: event["start"] for event in await events(client)}
    assert starts["20261209T080000Z"] == {"date": "2026-12-09"}
    assert starts["20261203"] == {"date": "2026-12-03"}
    assert starts["20261210"]["dateTime"] == "2026-12-10T12:00:00Z"


async def test_a_cancelled_occurrence_is_not_listed(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    series = workspace.book_series(boardroom, at(8), at(9), count=3)
    workspace.cancel(f"{series}_20261209T080000Z")
    assert [event["start"]["dateTime"][8:10] for event in await events(client)] == ["02", "16"]
    workspace.delete(series)
    assert await events(client) == []


async def test_all_following_occurrences_get_a_new_id(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    series = workspace.book_series(boardroom, at(8), at(9), count=4)
    rest = workspace.split_series(f"{series}_20261216T080000Z", at(10, day=16), at(11, day=16))
    ids = [event["id"] for event in await events(client)]
    assert ids == [
        f"{series}_20261202T080000Z",
        f"{series}_20261209T080000Z",
        f"{rest}_20261216T100000Z",
        f"{rest}_20261223T100000Z",
    ]


async def test_a_meeting_that_is_moved_is_answered_again(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book(boardroom, at(8), at(9))
    event = workspace.book(boardroom, at(8, 30), at(9, 30))
    assert await answers(client) == ["accepted", "declined"]
    workspace.move(event, at(9), at(10))
    assert await answers(client) == ["accepted", "accepted"]


def test_a_moment_without_an_offset_is_refused(workspace: Workspace, boardroom: SimRoom) -> None:
    naive = datetime(2026, 12, 2, 8)  # noqa: DTZ001 - that is what is refused
    with pytest.raises(ValueError, match="aware"):
        workspace.book(boardroom, naive, naive)


def test_an_event_that_is_on_no_calendar_is_not_found(workspace: Workspace) -> None:
    with pytest.raises(LookupError):
        workspace.cancel("nothing")


def test_the_id_of_a_room_does_not_contain_its_name() -> None:
    room = Workspace().add_room("Board Room")
    assert room.address.startswith("c_188")
    assert room.address.endswith("@resource.calendar.google.com")
    assert "board" not in room.address


def test_a_room_is_found_by_its_name(workspace: Workspace, boardroom: SimRoom) -> None:
    assert workspace.calendar("boardroom").id == boardroom.address
    with pytest.raises(LookupError):
        workspace.calendar("nothing")
