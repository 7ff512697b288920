"""Another process plays the tenant's administrator: registers an app, agrees to it, and fences it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from placed_microsoft365.simulator import App, make_client_certificate
from placed_microsoft365.simulator.tenant.app_roles import GRAPH_APP_ID, ROLE_NAMES
from tests.drivers.microsoft365.simulator.simulator_client import Client
from tests.drivers.microsoft365.simulator.test_token_endpoint import JWT_BEARER, assertion

if TYPE_CHECKING:
    from placed_microsoft365.simulator import Simulator, Tenant
    from tests.drivers.microsoft365.simulator.conftest import Clock

BOARDROOM = "boardroom@contoso.example"
ADA = "ada@contoso.example"
FIRST = make_client_certificate(key_size=2048)
SECOND = make_client_certificate(key_size=2048)
IDS = {name: role_id for role_id, name in ROLE_NAMES.items()}


@pytest.fixture
async def app(client: Client, tenant: Tenant) -> App:
    """An app that asks for the calendars, and to which nobody has agreed."""
    new = {"name": "placed", "requested": ["Calendars.Read"], "secrets": ["s3cret-of-new"]}
    state = (await client.play("POST", "apps", new)).json
    return tenant.apps[state["client_id"]]


async def asking(client: Client, app: App) -> Client:
    """A client that asks as that app."""
    other = Client(client.simulator, app, client.context)
    other._session = client._session
    await other.log_in()
    return other


async def sign_in(client: Client, simulator: Simulator, app: App, pem: bytes) -> tuple[int, Any]:
    """With a certificate: the status, and the error if it is one."""
    signed = assertion(simulator, app, pem)
    answer = await client.ask_token(
        client_id=app.client_id, client_assertion=signed, client_assertion_type=JWT_BEARER
    )
    return answer.status, answer.json.get("error_codes")


# --- registrations ------------------------------------------------------------------------------------------


async def test_an_app_is_registered_without_anything_granted(client: Client, tenant: Tenant) -> None:
    new = {
        "name": "placed",
        "client_id": "AAAA-bbbb",
        "requested": ["Place.Read.All", "Calendars.Read"],
        "certificates": [FIRST.decode()],
        "secrets": ["s3cret-of-new"],
        "redirect_uris": ["http://localhost/consent"],
    }
    answer = await client.play("POST", "apps", new)
    app = tenant.apps["aaaa-bbbb"]
    assert answer.json == {
        "client_id": "aaaa-bbbb",
        "object_id": app.object_id,
        "name": "placed",
        "enabled": True,
        "requested": ["Calendars.Read", "Place.Read.All"],
        "roles": [],
        "certificates": [
            {
                "thumbprint": app.certificates[0].thumbprint,
                "expires": app.certificates[0].expires.isoformat().replace("+00:00", "Z"),
            }
        ],
        "secrets": 1,
        "redirect_uris": ["http://localhost/consent"],
    }
    assert (await client.play("GET", "apps/AAAA-BBBB")).json == answer.json
    assert (await client.play("POST", "apps", new)).status == 400


async def test_no_answer_holds_a_secret(client: Client, app: App) -> None:
    whole = (await client.play("GET", "apps")).body + (await client.play("GET", f"apps/{app.client_id}")).body
    assert b"s3cret" not in whole


async def test_an_app_that_is_removed_is_unknown_to_login_and_graph(client: Client, app: App) -> None:
    asker = await asking(client, app)
    assert (await client.play("DELETE", f"apps/{app.client_id}")).json == {}
    assert (await client.play("GET", f"apps/{app.client_id}")).status == 404
    assert (await asker.log_in()).json["error_codes"] == [700016]
    assert (await asker.view(BOARDROOM)).status == 401


async def test_an_app_is_disabled_and_enabled(client: Client, app: App) -> None:
    asker = await asking(client, app)
    assert not (await client.play("POST", f"apps/{app.client_id}/disable")).json["enabled"]
    assert (await asker.log_in()).json["error_codes"] == [7000112]
    assert (await client.play("POST", f"apps/{app.client_id}/enable")).json["enabled"]
    assert (await asker.log_in()).status == 200


async def test_certificates_stand_beside_each_other_and_are_taken_away_singly(
    client: Client, simulator: Simulator, app: App
) -> None:
    path = f"apps/{app.client_id}/certificates"
    for pem in (FIRST, SECOND):
        assert (await client.play("POST", path, {"pem": pem.decode()})).status == 200
        assert await sign_in(client, simulator, app, pem) == (200, None)
    assert (await client.play("POST", path, {"pem": FIRST.decode()})).status == 400
    assert await sign_in(client, simulator, app, FIRST) == (200, None)
    first = (await client.play("GET", f"apps/{app.client_id}")).json["certificates"][0]["thumbprint"]
    left = (await client.play("DELETE", f"{path}/{first.lower()}")).json["certificates"]
    assert len(left) == 1
    assert await sign_in(client, simulator, app, FIRST) == (401, [700027])
    assert await sign_in(client, simulator, app, SECOND) == (200, None)
    assert (await client.play("DELETE", f"{path}/{first}")).status == 404


@pytest.mark.parametrize("verb", ["fly", "consent/twice", "certificates/a/b"])
async def test_an_unknown_action_of_an_app_is_not_found(client: Client, app: App, verb: str) -> None:
    assert (await client.play("POST", f"apps/{app.client_id}/{verb}")).status == 404


# --- the manifest -------------------------------------------------------------------------------------------


def manifest(*roles: str, resource: str = GRAPH_APP_ID, **more: object) -> dict[str, object]:
    access = [{"id": IDS.get(role, role), "type": "Role"} for role in roles]
    access.append({"id": "e1fe6dd8-ba31-4d61-89e7-88639da4683d", "type": "Scope"})  # User.Read, of a person
    return {"requiredResourceAccess": [{"resourceAppId": resource, "resourceAccess": access}], **more}


async def test_a_manifest_lists_the_requested_permissions(client: Client, app: App) -> None:
    whole = manifest("Calendars.Read", "GroupMember.Read.All", displayName="placed", identifierUris=[])
    state = (await client.play("POST", f"apps/{app.client_id}/manifest", whole)).json
    assert state["requested"] == ["Calendars.Read", "GroupMember.Read.All"]
    assert state["roles"] == []
    only = manifest("Place.Read.All")["requiredResourceAccess"]
    state = (await client.play("POST", f"apps/{app.client_id}/manifest", only)).json
    assert state["requested"] == ["Place.Read.All"]


async def test_every_known_role_can_be_requested_by_its_id(client: Client, app: App) -> None:
    state = (await client.play("POST", f"apps/{app.client_id}/manifest", manifest(*IDS))).json
    assert state["requested"] == sorted(IDS)


async def test_a_manifest_lists_the_redirect_addresses(client: Client, app: App) -> None:
    whole = manifest("Calendars.Read", web={"redirectUris": ["http://localhost/a"], "logoutUrl": None})
    whole["publicClient"] = {"redirectUris": ["http://localhost/b"]}
    state = (await client.play("POST", f"apps/{app.client_id}/manifest", whole)).json
    assert state["redirect_uris"] == ["http://localhost/a", "http://localhost/b"]
    state = (await client.play("POST", f"apps/{app.client_id}/manifest", manifest("Calendars.Read"))).json
    assert state["redirect_uris"] == ["http://localhost/a", "http://localhost/b"]


@pytest.mark.parametrize(
    "wrong",
    [
        manifest("00000000-0000-0000-0000-000000000000"),
        manifest("Calendars.Read", resource="00000002-0000-0ff1-ce00-000000000000"),
        manifest("Calendars.Read", web={"redirectUris": ["http://placed.contoso.example/"]}),
        {},
        [1],
        "manifest",
    ],
)
async def test_an_invalid_manifest_is_refused_and_changes_nothing(
    client: Client, app: App, wrong: object
) -> None:
    answer = await client.play("POST", f"apps/{app.client_id}/manifest", wrong)
    assert answer.status == 400
    assert answer.json["error"]
    assert app.requested == {"Calendars.Read"}


# --- consent and fences -------------------------------------------------------------------------------------


async def test_an_administrator_grants_every_requested_permission(client: Client, app: App) -> None:
    asker = await asking(client, app)
    assert (await asker.view(BOARDROOM)).status == 403
    assert (await client.play("POST", f"apps/{app.client_id}/consent")).json["roles"] == ["Calendars.Read"]
    await asker.log_in()
    assert (await asker.view(BOARDROOM)).status == 200


async def test_consent_can_take_its_time(client: Client, app: App, clock: Clock) -> None:
    path = f"apps/{app.client_id}"
    assert (await client.play("POST", f"{path}/consent", {"delay": "90m"})).json["roles"] == []
    more = {"roles": ["Place.Read.All"], "delay": "2h"}
    assert (await client.play("POST", f"{path}/grant", more)).json["roles"] == []
    clock.advance(minutes=90)
    assert (await client.play("GET", path)).json["roles"] == ["Calendars.Read"]
    clock.advance(minutes=30)
    assert (await client.play("GET", path)).json["roles"] == ["Calendars.Read", "Place.Read.All"]


async def test_consent_that_is_given_again_takes_nothing_away_meanwhile(client: Client, app: App) -> None:
    await client.play("POST", f"apps/{app.client_id}/consent")
    again = await client.play("POST", f"apps/{app.client_id}/consent", {"delay": "2h"})
    assert again.json["roles"] == ["Calendars.Read"]


async def test_an_access_policy_is_set_shown_and_lifted(client: Client, app: App, clock: Clock) -> None:
    path = f"apps/{app.client_id}/access-policies"
    await client.play("POST", f"apps/{app.client_id}/consent")
    asker = await asking(client, app)
    new = {"right": "RestrictAccess", "group": "placed-rooms", "delay": "30m"}
    reported = (await client.play("POST", path, new)).json
    expected = {
        "right": "RestrictAccess",
        "group": "placed-rooms@contoso.example",
        "effective": "2026-10-06T08:00:00Z",
    }
    assert reported == [expected]
    assert (await client.play("GET", path)).json == reported
    assert (await asker.view(ADA)).status == 200
    clock.advance(minutes=30)
    assert (await asker.view(ADA)).status == 403
    assert (await asker.view(BOARDROOM)).status == 200
    await client.play("POST", path, {"right": "DenyAccess", "group": "placed-rooms"})
    assert (await asker.view(BOARDROOM)).status == 403
    assert (await client.play("DELETE", path)).json == []
    assert (await asker.view(ADA)).status == 200


async def test_an_access_policy_takes_no_room_list(client: Client, app: App) -> None:
    await client.play("POST", "groups", {"group": "rooms", "room_list": True})
    new = {"right": "RestrictAccess", "group": "rooms"}
    answer = await client.play("POST", f"apps/{app.client_id}/access-policies", new)
    assert (answer.status, "room list" in answer.json["error"]) == (400, True)


async def test_an_assignment_of_rbac_is_made_shown_and_removed(
    client: Client, app: App, clock: Clock
) -> None:
    path = f"apps/{app.client_id}/role-assignments"
    asker = await asking(client, app)
    reported = (await client.play("POST", path, {"group": "placed-rooms", "delay": "30m"})).json
    assert reported == [
        {
            "group": "placed-rooms@contoso.example",
            "effective": "2026-10-06T08:00:00Z",
            "role": "Application Calendars.Read",
        }
    ]
    assert (await client.play("GET", path)).json == reported
    assert (await asker.view(BOARDROOM)).status == 403
    clock.advance(minutes=30)
    assert (await asker.view(BOARDROOM)).status == 200
    assert (await asker.view(ADA)).status == 403
    assert (await client.play("DELETE", path)).json == []
    assert (await asker.view(BOARDROOM)).status == 403


@pytest.mark.parametrize("fence", ["access-policies", "role-assignments"])
async def test_a_fence_is_around_a_group_that_exists(client: Client, app: App, fence: str) -> None:
    new = (
        {"right": "RestrictAccess", "group": "nobody"} if fence == "access-policies" else {"group": "nobody"}
    )
    assert (await client.play("POST", f"apps/{app.client_id}/{fence}", new)).status == 404
    assert (await client.play("PUT", f"apps/{app.client_id}/{fence}", new)).status == 404


# --- all of it ----------------------------------------------------------------------------------------------


async def test_an_empty_tenant_becomes_one_that_can_be_read(
    client: Client, simulator: Simulator, tenant: Tenant
) -> None:
    """The steps of a kit, in their order; after each of them the next obstacle is another."""
    tenant.apps.clear()
    tenant.groups.clear()
    app = App(client_id="later", object_id="", name="what the daemon will be")

    async def obstacle() -> str:
        signed = assertion(simulator, app, FIRST)
        answer = await client.ask_token(
            client_id="later", client_assertion=signed, client_assertion_type=JWT_BEARER
        )
        if answer.status != 200:
            return f"AADSTS{answer.json['error_codes'][0]}"
        client.token = answer.json["access_token"]
        room, person = (await client.view(BOARDROOM)).status, (await client.view(ADA)).status
        return f"room {room}, person {person}"

    assert await obstacle() == "AADSTS700016"
    await client.play("POST", "apps", {"name": "placed", "client_id": "later"})
    assert await obstacle() == "AADSTS700027"
    await client.play("POST", "apps/later/certificates", {"pem": FIRST.decode()})
    assert await obstacle() == "room 403, person 403"
    await client.play("POST", "apps/later/manifest", manifest("Calendars.Read"))
    await client.play("POST", "apps/later/consent")
    assert await obstacle() == "room 200, person 200"
    await client.play("POST", "groups", {"group": "placed-rooms", "members": ["boardroom"]})
    new = {"right": "RestrictAccess", "group": "placed-rooms"}
    await client.play("POST", "apps/later/access-policies", new)
    assert await obstacle() == "room 200, person 403"
    log = json.dumps((await client.play("GET", "requests")).json)
    assert "/_control" not in log
