"""Another process, or a person with curl, plays the administrator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed_google.simulator import Role
from tests.drivers.google.simulator.conftest import BOARDROOM, LIBRARY

if TYPE_CHECKING:
    from placed_google.simulator import Simulator, Workspace
    from tests.drivers.google.simulator.plain_client import Answer, PlainClient

DIRECTORY = "https://www.googleapis.com/auth/admin.directory.resource.calendar.readonly"
READONLY = "https://www.googleapis.com/auth/calendar.events.readonly"


async def play(client: PlainClient, path: str, body: object = None, method: str = "POST") -> Any:
    answer = await client.play(method, path, {} if body is None and method == "POST" else body)
    assert answer.status == 200, answer.body
    return answer.json


def role(answer: Answer) -> str:
    return str(answer.json["accessRole"]) if answer.status == 200 else answer.reason


async def test_an_administrator_makes_an_account_a_key_and_shares_every_room(
    client: PlainClient, workspace: Workspace, simulator: Simulator
) -> None:
    account = await play(client, "accounts", {"name": "panels"})
    key = await play(client, f"accounts/{account['email']}/keys")
    assert key["type"] == "service_account"
    assert key["token_uri"] == simulator.token_url
    client.account, client.key = workspace.account(account["email"]), key
    await client.sign_in()
    assert role(await client.events(BOARDROOM)) == "notFound"
    shared = await play(client, "calendars/*/rules", {"with": account["email"], "role": "reader"})
    assert set(shared) == {BOARDROOM, LIBRARY}
    assert role(await client.events(BOARDROOM)) == "reader"
    await play(client, f"calendars/boardroom/rules/{account['email']}", method="DELETE")
    assert role(await client.events(BOARDROOM)) == "notFound"
    assert role(await client.events(LIBRARY)) == "reader"
    listed = await play(client, "accounts", method="GET")
    assert "PRIVATE" not in str(listed)
    await play(client, f"accounts/{account['email']}/keys/{key['private_key_id']}", method="DELETE")
    assert (await client.sign_in()).json["error_description"] == "Invalid JWT Signature."


async def test_external_sharing_is_limited(client: PlainClient) -> None:
    limits = await play(client, "external-sharing", {"role": "freeBusyReader", "kinds": ["secondary"]})
    assert limits == {"primary": "owner", "secondary": "freeBusyReader"}
    assert role(await client.events(BOARDROOM)) == "freeBusyReader"


async def test_an_account_is_delegated_disabled_and_given_a_role(client: PlainClient) -> None:
    path = f"accounts/{client.account.email}"
    await play(client, f"{path}/delegation", {"scopes": [READONLY]})
    assert (await client.sign_in(sub="ada@fabrikam.example")).status == 200
    await play(client, f"{path}/delegation", method="DELETE")
    assert (await client.sign_in(sub="ada@fabrikam.example")).status == 401
    assert (await play(client, f"{path}/directory-role"))["reads_directory"] is True
    await client.sign_in(scope=DIRECTORY)
    customer = client.simulator.workspace.customer_id
    listing = f"/admin/directory/v1/customer/{customer}/resources/calendars"
    assert len((await client.get(listing)).items) == 2
    await play(client, f"{path}/expire-tokens")
    assert (await client.get(listing)).status == 401
    await play(client, f"{path}/disable")
    assert (await client.sign_in()).json["error_description"] == "Invalid grant: account disabled"
    await play(client, f"{path}/enable")
    assert (await client.sign_in()).status == 200
    assert "audience" in await play(client, f"{path}/workload-identity", {"subject_token": "one"})


async def test_an_api_is_disabled_and_enabled(client: PlainClient) -> None:
    api = "calendar-json.googleapis.com"
    (project,) = await play(client, "projects/placed-rooms/apis", {"api": api, "enabled": False})
    assert project["apis"] == ["admin.googleapis.com"]
    assert (await client.events(BOARDROOM)).reason == "accessNotConfigured"
    await play(client, "projects/placed-rooms/apis", {"api": api})
    assert (await client.events(BOARDROOM)).status == 200


async def test_rooms_people_and_groups_come_and_go(client: PlainClient, workspace: Workspace) -> None:
    room = await play(client, "rooms", {"room": "Attic", "building": "HQ", "floor": "4", "capacity": 2})
    assert workspace.resources[room["address"]].name == "Attic"
    await play(client, "rooms/attic/approval", {"auto_accept": False})
    assert workspace.calendar("attic").auto_accept is False
    assert len(await play(client, "rooms", method="GET")) == 3
    await play(client, "rooms/attic", method="DELETE")
    assert len(await play(client, "rooms", method="GET")) == 2
    await play(client, "people", {"person": "cleo", "administrator": True})
    assert workspace.administrators == {"cleo@fabrikam.example"}
    await play(client, "people/cleo/suspend")
    assert workspace.people["cleo@fabrikam.example"].suspended
    group = await play(client, "groups", {"group": "readers", "members": [client.account.email]})
    await play(
        client, "calendars/boardroom/rules", {"with": group["address"], "role": "writer", "scope": "group"}
    )
    assert workspace.role_of(client.account.email, workspace.calendar(BOARDROOM)) is Role.WRITER


async def test_events_are_booked_moved_answered_and_removed(client: PlainClient) -> None:
    times = {"start": "+1h", "end": "+2h"}
    event = (await play(client, "events", {"room": "boardroom", "summary": "Planning", **times}))["id"]
    await play(client, "events", {"room": "boardroom", "summary": "Clash", **times})
    await play(client, f"events/{event}/move", {"start": "+3h", "end": "+4h"})
    shown = {one["summary"]: one for one in (await client.events(BOARDROOM, timeZone="UTC")).items}
    assert shown["Planning"]["start"]["dateTime"] == "2026-12-02T10:30:00Z"
    assert shown["Clash"]["attendees"][-1]["responseStatus"] == "declined"
    await play(client, f"events/{event}/decline")
    await play(client, f"events/{event}/accept")
    await play(client, f"events/{event}/cancel")
    assert (await client.events(BOARDROOM)).summaries == ["Clash"]
    await play(client, f"events/{event}", method="DELETE")
    day = {"start": "2026-12-02", "end": "2026-12-03", "all_day": True, "hold": True}
    await play(client, "events", {"room": "library", "summary": "Closed", **day})
    series = {"room": "library", "frequency": "DAILY", "count": 2, "summary": "Daily", **times}
    await play(client, "events", series)
    assert (await client.events(LIBRARY)).summaries == ["Closed", "Daily"]


async def test_quota_answers_and_clock_are_set(client: PlainClient, workspace: Workspace) -> None:
    limits = await play(client, "quota", {"per_user_minute": 1})
    assert limits == {"per_user_minute": 1, "per_project_minute": 10_000, "per_project_day": None}
    assert [(await client.events(BOARDROOM)).status for _ in range(2)] == [200, 403]
    answers = await play(client, "answers", {"content_ids_get_a_prefix": False})
    assert answers["content_ids_get_a_prefix"] is False
    assert workspace.answers.content_ids_get_a_prefix is False
    assert await play(client, "clock", {"ahead": "-10m"}) == {"ahead_seconds": -600.0}
    assert (await client.get("/tokeninfo")).headers["Date"] == "Wed, 02 Dec 2026 07:20:00 GMT"


async def test_faults_and_requests_are_listed_and_cleared(client: PlainClient, simulator: Simulator) -> None:
    fault = {"kind": "status", "where": "calendar", "room": "boardroom", "status": 500}
    assert (await play(client, "faults", fault))["room"] == BOARDROOM
    assert (await client.events(BOARDROOM)).status == 500
    assert len(await play(client, "faults", method="GET")) == 1
    assert await play(client, "faults", method="DELETE") == []
    assert (await client.events(BOARDROOM)).status == 200
    assert len(await play(client, "requests", method="GET")) == len(simulator.requests)
    await play(client, "requests", method="DELETE")
    assert simulator.requests == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("POST", "rooms", {"name": "A"}, 400),
        ("DELETE", "rooms/nothing", None, 404),
        ("POST", "events", {"room": "nothing", "start": "now", "end": "+1h"}, 404),
        ("POST", "events", {"room": "boardroom", "start": "soon", "end": "+1h"}, 400),
        ("POST", "events/nothing/cancel", {}, 404),
        ("POST", "calendars/boardroom/rules", {"with": "a@b", "role": "king"}, 400),
        ("POST", "accounts/nobody@x/keys", {}, 404),
        ("POST", "projects/placed-rooms/apis", {"api": "maps"}, 400),
        ("POST", "answers", {"nothing": True}, 400),
        ("POST", "answers", {"content_ids_get_a_prefix": "maybe"}, 400),
        ("POST", "faults", {"kind": "bad_event", "detail": "nothing"}, 400),
        ("POST", "people/nobody/suspend", {}, 404),
        ("PATCH", "faults", {}, 404),
    ],
)
async def test_a_call_that_is_none_is_refused(
    client: PlainClient, method: str, path: str, body: object, status: int
) -> None:
    assert (await client.play(method, path, body)).status == status
