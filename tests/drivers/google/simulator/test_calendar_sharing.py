"""What somebody sees of a calendar follows from its access control list and the limit for outsiders."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from placed_google.simulator import CalendarKind, Role, Workspace
from tests.drivers.google.simulator.conftest import BOARDROOM, LIBRARY
from tests.drivers.google.simulator.plain_client import READONLY

if TYPE_CHECKING:
    from placed_google.simulator import ServiceAccount, SimRoom
    from tests.drivers.google.simulator.plain_client import Answer, PlainClient

ADA = "ada@fabrikam.example"
FREE_BUSY = "https://www.googleapis.com/auth/calendar.events.freebusy"
BUSY_ONLY = {"kind", "etag", "id", "status", "start", "end", "eventType"}


def at(hour: int) -> datetime:
    return datetime(2026, 12, 2, hour, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _meetings(workspace: Workspace, boardroom: SimRoom) -> None:
    workspace.book(boardroom, at(8), at(9), summary="Planning")
    workspace.book(boardroom, at(10), at(11), summary="Salary", visibility="private")
    workspace.book(boardroom, at(8), at(9), summary="Too late")  # declined
    workspace.book(boardroom, at(12), at(13), summary="Lunch", transparency="transparent")


def role(answer: Answer) -> str:
    return str(answer.json["accessRole"]) if answer.status == 200 else answer.reason


async def test_what_is_not_shared_does_not_exist(client: PlainClient, workspace: Workspace) -> None:
    workspace.unshare(LIBRARY, client.account)
    unshared = await client.events(LIBRARY)
    unknown = await client.events("c_188nothing@resource.calendar.google.com")
    assert unshared.status == unknown.status == 404
    assert unshared.json == unknown.json
    assert unshared.json["error"]["message"] == "Not Found"


@pytest.mark.parametrize(
    ("granted", "seen"),
    [
        (Role.NONE, "notFound"),
        (Role.FREE_BUSY_READER, "freeBusyReader"),
        (Role.READER, "reader"),
        (Role.WRITER_WITHOUT_PRIVATE_ACCESS, "writerWithoutPrivateAccess"),
        (Role.WRITER, "writer"),
        (Role.OWNER, "owner"),
    ],
)
async def test_every_answer_has_the_callers_role(
    client: PlainClient, workspace: Workspace, granted: Role, seen: str
) -> None:
    workspace.share(BOARDROOM, client.account, granted)
    assert role(await client.events(BOARDROOM)) == seen


async def test_a_reader_sees_private_events_without_details(client: PlainClient) -> None:
    events = (await client.events(BOARDROOM)).items
    assert [event.get("summary") for event in events] == ["Planning", None, "Too late", "Lunch"]
    private = events[1]
    assert private["visibility"] == "private"
    assert [one["responseStatus"] for one in private["attendees"]] == ["accepted"]
    assert "organizer" not in private


async def test_the_other_answer_shows_private_details(client: PlainClient, workspace: Workspace) -> None:
    workspace.answers.readers_see_private_details = True
    assert (await client.events(BOARDROOM)).summaries[1] == "Salary"


async def test_a_writer_sees_private_details(client: PlainClient, workspace: Workspace) -> None:
    workspace.share(BOARDROOM, client.account, Role.WRITER)
    assert (await client.events(BOARDROOM)).summaries[1] == "Salary"


def assert_busy_only(events: list[dict[str, Any]]) -> None:
    assert [event["start"]["dateTime"][11:16] for event in events] == ["09:00", "11:00"]
    assert all(event.keys() == BUSY_ONLY for event in events)


async def test_with_free_busy_only_there_are_times_of_what_is_busy(
    client: PlainClient, workspace: Workspace
) -> None:
    workspace.share(BOARDROOM, client.account, Role.FREE_BUSY_READER)
    assert_busy_only((await client.events(BOARDROOM)).items)


async def test_the_scope_for_free_busy_strips_what_the_role_would_show(
    client: PlainClient, workspace: Workspace
) -> None:
    await client.sign_in(scope=FREE_BUSY)
    assert_busy_only((await client.events(BOARDROOM)).items)
    workspace.answers.free_busy_scope_strips = False
    assert (await client.events(BOARDROOM)).summaries[0] == "Planning"


async def test_the_limit_for_outsiders_caps_what_is_shared(client: PlainClient, workspace: Workspace) -> None:
    workspace.limit_external_sharing(Role.FREE_BUSY_READER)
    assert role(await client.events(BOARDROOM)) == "freeBusyReader"
    workspace.limit_external_sharing(Role.NONE)
    assert role(await client.events(BOARDROOM)) == "notFound"


@pytest.mark.parametrize(("follows", "seen"), [("secondary", "freeBusyReader"), ("primary", "reader")])
async def test_which_limit_rooms_follow_is_an_answer(
    client: PlainClient, workspace: Workspace, follows: Any, seen: str
) -> None:
    workspace.answers.rooms_follow_limit_of = follows
    workspace.limit_external_sharing(Role.FREE_BUSY_READER, CalendarKind.SECONDARY)
    assert role(await client.events(BOARDROOM)) == seen


@pytest.mark.parametrize(("passes", "seen"), [(False, "freeBusyReader"), (True, "reader")])
async def test_whether_a_group_passes_the_limit_is_an_answer(
    client: PlainClient, workspace: Workspace, *, passes: bool, seen: str
) -> None:
    workspace.answers.group_members_pass_the_limit = passes
    workspace.unshare(BOARDROOM, client.account)
    group = workspace.add_group("room-readers", members=[client.account.email])
    workspace.share(BOARDROOM, group.address, Role.READER, scope="group")
    workspace.limit_external_sharing(Role.FREE_BUSY_READER)
    assert role(await client.events(BOARDROOM)) == seen


async def test_who_leaves_the_group_sees_nothing(client: PlainClient, workspace: Workspace) -> None:
    workspace.unshare(BOARDROOM, client.account)
    group = workspace.add_group("room-readers", members=[client.account.email])
    workspace.share(BOARDROOM, group.address, Role.READER, scope="group")
    assert role(await client.events(BOARDROOM)) == "reader"
    group.members.clear()
    assert role(await client.events(BOARDROOM)) == "notFound"


@pytest.mark.parametrize(("seen_by_outsiders", "seen"), [(False, "notFound"), (True, "freeBusyReader")])
async def test_whether_outsiders_see_internal_free_busy_is_an_answer(
    client: PlainClient, workspace: Workspace, *, seen_by_outsiders: bool, seen: str
) -> None:
    workspace.answers.outsiders_see_internal_free_busy = seen_by_outsiders
    assert role(await client.events(ADA)) == seen


async def test_everybody_inside_sees_rooms_in_detail_and_people_as_busy(
    client: PlainClient, workspace: Workspace, account: ServiceAccount
) -> None:
    workspace.delegate(account, READONLY)
    workspace.limit_external_sharing(Role.NONE)
    await client.sign_in(sub="ben@fabrikam.example")
    assert role(await client.events(BOARDROOM)) == "reader"
    assert role(await client.events(ADA)) == "freeBusyReader"
    assert role(await client.events("primary")) == "owner"


async def test_an_api_that_is_not_enabled_is_refused(client: PlainClient) -> None:
    client.account.project.apis.clear()
    answer = await client.events(BOARDROOM)
    assert (answer.status, answer.reason) == (403, "accessNotConfigured")
    assert answer.json["error"]["errors"][0]["domain"] == "usageLimits"
    assert answer.json["error"]["details"][0]["reason"] == "SERVICE_DISABLED"


async def test_a_calendar_has_metadata(client: PlainClient, workspace: Workspace) -> None:
    await client.sign_in(scope="https://www.googleapis.com/auth/calendar.readonly")
    workspace.calendar(BOARDROOM).auto_accept = False
    answer = await client.get(f"/calendar/v3/calendars/{BOARDROOM}")
    assert answer.json["summary"] == "Boardroom"
    assert answer.json["timeZone"] == "Europe/Berlin"
    assert answer.json["autoAcceptInvitations"] is False
    assert (await client.get("/calendar/v3/users/me/calendarList")).items == []


async def test_an_owner_shares_by_the_api(
    client: PlainClient, workspace: Workspace, account: ServiceAccount
) -> None:
    other = workspace.add_service_account("other")
    scope = "https://www.googleapis.com/auth/calendar.acls"
    path = f"/calendar/v3/calendars/{BOARDROOM}/acl"
    rule = {"role": "reader", "scope": {"type": "user", "value": other.email}}
    await client.sign_in(scope=scope)
    refused = await client.post(path, rule)
    assert (refused.status, refused.reason) == (403, "requiredAccessLevel")
    workspace.share(BOARDROOM, account, Role.OWNER)
    assert (await client.post(path, rule)).json["id"] == f"user:{other.email}"
    assert f"user:{other.email}" in {one["id"] for one in (await client.get(path)).items}
    assert workspace.role_of(other.email, workspace.calendar(BOARDROOM)) is Role.READER
    assert (await client.delete(f"{path}/user:{other.email}")).status == 204
    assert workspace.role_of(other.email, workspace.calendar(BOARDROOM)) is Role.NONE
