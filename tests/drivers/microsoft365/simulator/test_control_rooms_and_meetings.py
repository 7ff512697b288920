"""Another process plays the tenant over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from placed_microsoft365.simulator import Tenant
    from tests.drivers.microsoft365.simulator.simulator_client import Client

BOARDROOM = "boardroom@contoso.example"


async def book(client: Client, **changed: object) -> str:
    body = {"room": "boardroom", "start": "+30m", "end": "+1h30m", "show_as": "tentative", **changed}
    answer = await client.play("POST", "meetings", body)
    assert answer.status == 200
    return str(answer.json["id"])


async def test_a_meeting_is_booked_moved_cancelled_and_deleted(client: Client, tenant: Tenant) -> None:
    meeting = await book(client)
    assert tenant.meeting(meeting).start == datetime(2026, 10, 6, 8, tzinfo=UTC)
    assert tenant.meeting(meeting).show_as == "tentative"
    moved = {"start": "now", "end": "2026-10-06T12:00:00+02:00"}
    await client.play("POST", f"meetings/{meeting}/move", moved)
    assert tenant.meeting(meeting).start == datetime(2026, 10, 6, 7, 30, tzinfo=UTC)
    assert tenant.meeting(meeting).end == datetime(2026, 10, 6, 10, tzinfo=UTC)
    await client.play("POST", f"meetings/{meeting}/cancel")
    assert tenant.meeting(meeting).cancelled
    await client.play("DELETE", f"meetings/{meeting}")
    assert tenant.meetings("boardroom") == []


async def test_a_request_is_answered_by_the_room(client: Client, tenant: Tenant) -> None:
    meeting = await book(client, response="notResponded")
    await client.play("POST", f"meetings/{meeting}/accept")
    assert tenant.meeting(meeting).response == "accepted"
    await client.play("POST", f"meetings/{meeting}/decline")
    assert tenant.meeting(meeting).response == "declined"


async def test_an_all_day_meeting_has_dates(client: Client, tenant: Tenant) -> None:
    meeting = await book(client, start="2026-10-06", end="2026-10-07", all_day=True)
    assert tenant.meeting(meeting).all_day


async def test_a_room_gets_another_address(client: Client, tenant: Tenant) -> None:
    changed = await client.play("POST", f"rooms/{BOARDROOM}/address", {"address": "big-room@contoso.example"})
    assert changed.json["address"] == tenant.mailbox("big-room").address == "big-room@contoso.example"


async def test_rooms_come_and_go(client: Client) -> None:
    new = {"room": "attic", "name": "Attic", "capacity": 3, "groups": ["placed-rooms"]}
    assert (await client.play("POST", "rooms", new)).json["address"] == "attic@contoso.example"
    await book(client, room="attic")
    await client.play("DELETE", f"rooms/{BOARDROOM}")
    listed = (await client.play("GET", "rooms")).json
    assert [(one["room"]["name"], len(one["meetings"])) for one in listed] == [("Library", 0), ("Attic", 1)]
    assert (await client.view(BOARDROOM)).status == 404


async def test_faults_are_switched_on_and_off(client: Client) -> None:
    fault = {"kind": "status", "status": 429, "room": "boardroom", "retry_after": "2.5"}
    assert (await client.play("POST", "faults", fault)).json["room"] == BOARDROOM
    assert (await client.view(BOARDROOM)).headers["Retry-After"] == "2.5"
    assert len((await client.play("GET", "faults")).json) == 1
    assert (await client.play("DELETE", "faults")).json == []
    assert (await client.view(BOARDROOM)).status == 200


async def test_the_log_of_requests_leaves_out_the_control_itself(client: Client) -> None:
    await client.play("DELETE", "requests")
    await client.view(BOARDROOM)
    (record,) = (await client.play("GET", "requests")).json
    assert (record["method"], record["status"], record["items"]) == ("GET", 200, [])


async def test_consent_and_credentials_are_taken_away_and_given_back(client: Client) -> None:
    path = f"apps/{client.app.client_id}"
    roles = {"roles": ["Calendars.Read"]}
    assert (await client.play("POST", f"{path}/revoke", roles)).json["roles"] == [
        "GroupMember.Read.All",
        "Place.Read.All",
    ]
    assert (await client.view(BOARDROOM)).status == 403
    assert len((await client.play("POST", f"{path}/grant", roles)).json["roles"]) == 3
    await client.play("POST", f"{path}/expire-tokens")
    assert (await client.view(BOARDROOM)).status == 401
    await client.play("POST", f"{path}/expire-secrets")
    assert (await client.ask_token(client_secret="s3cret")).json["error_codes"] == [7000222]
    assert (await client.play("GET", "apps")).json[0]["client_id"] == client.app.client_id


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nothing", None, 404),
        ("GET", "meetings/unknown/cancel", None, 404),
        ("POST", "meetings/unknown/cancel", None, 404),
        ("POST", "meetings", {"room": "nowhere", "start": "now", "end": "+1h"}, 404),
        ("POST", "meetings", {"room": "boardroom", "start": "soon", "end": "+1h"}, 400),
        ("POST", "meetings", {"room": "boardroom", "start": "now", "end": "+1 hour"}, 400),
        ("POST", "meetings", {"room": "boardroom", "start": "2026-10-06T07:00", "end": "+1h"}, 400),
        ("POST", "meetings", {"room": "boardroom", "start": "now", "end": "+1h", "mood": "good"}, 400),
        ("POST", "meetings", {"room": "boardroom", "start": "now", "end": "+1h", "show_as": "odd"}, 400),
        ("POST", "rooms", {"room": "boardroom"}, 400),
        ("POST", "rooms", {"room": "attic", "groups": ["nowhere"]}, 404),
        ("POST", "faults", {"kind": "unheard-of"}, 400),
        ("POST", "faults", {"kind": "status", "times": 0}, 400),
        ("POST", "apps/unknown/grant", {"roles": []}, 404),
        ("POST", "apps/unknown/access-policies", {"right": "DenyAccess", "group": "placed-rooms"}, 404),
        ("POST", "apps", {"name": "placed", "certificates": ["no PEM"]}, 400),
        ("POST", "apps", {"name": "placed", "redirect_uris": ["http://placed.contoso.example/"]}, 400),
        ("POST", "apps", {"name": "placed", "password": "s3cret"}, 400),
        ("PUT", "apps", None, 404),
        ("POST", "people", {"person": "ada"}, 400),
        ("DELETE", "people/nobody", None, 404),
        ("DELETE", "people/boardroom", None, 404),
        ("PUT", "people", None, 404),
        ("POST", "groups", {"group": "placed-rooms"}, 400),
        ("POST", "groups", {"group": "ada"}, 400),
        ("POST", "groups", {"group": "new", "members": ["boardroom", "nobody"]}, 404),
        ("DELETE", "groups/nobody", None, 404),
        ("PUT", "groups", None, 404),
        ("POST", "groups/placed-rooms/members", {"member": "nobody"}, 404),
        ("POST", "groups/placed-rooms/members", {"member": "ada", "delay": "an hour"}, 400),
        ("DELETE", "groups/placed-rooms/members/ada", None, 404),
        ("POST", "consent-answer", {"answer": "perhaps"}, 400),
        ("PUT", "consent-answer", None, 404),
        ("PUT", "faults", None, 404),
        ("PUT", "requests", None, 404),
        ("PUT", "rooms", None, 404),
    ],
)
async def test_what_makes_no_sense_is_refused_with_a_reason(
    client: Client, method: str, path: str, body: object, status: int
) -> None:
    answer = await client.play(method, path, body)
    assert answer.status == status
    assert answer.json["error"]


async def test_what_is_refused_leaves_nothing_behind(client: Client, tenant: Tenant) -> None:
    await client.play("POST", "groups", {"group": "new", "members": ["boardroom", "nobody"]})
    await client.play("POST", "apps", {"name": "placed", "certificates": ["no PEM"]})
    await client.play("POST", "consent-answer", {"answer": "declined", "delay": "an hour"})
    assert list(tenant.groups) == ["placed-rooms@contoso.example"]
    assert len(tenant.apps) == 1
    assert tenant.consent_answer == "granted"
