"""Who may read which calendar, and what the others are answered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed_microsoft365.simulator import MailboxState, Tenant

if TYPE_CHECKING:
    from tests.drivers.microsoft365.simulator.conftest import Clock
    from tests.drivers.microsoft365.simulator.simulator_client import Client

BOARDROOM = "boardroom@contoso.example"
ADA = "ada@contoso.example"
BLOCKED = "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings."
DENIED = "Access is denied. Check credentials and try again."
HOUR = timedelta(hours=1)


async def verdict(client: Client, mailbox: str) -> str:
    """`read`, or the message of the refusal."""
    answer = await client.view(mailbox)
    if answer.status == 200:
        return "read"
    assert (answer.status, answer.code) == (403, "ErrorAccessDenied")
    return str(answer.json["error"]["message"])


async def test_without_a_fence_everybody_can_be_read(client: Client) -> None:
    assert await verdict(client, BOARDROOM) == "read"
    assert await verdict(client, ADA) == "read"


async def test_without_consent_no_mailbox_is_readable(client: Client, tenant: Tenant) -> None:
    tenant.revoke(client.app, "Calendars.Read")
    assert await verdict(client, BOARDROOM) == DENIED


async def test_consent_counts_from_the_next_token_on(client: Client, tenant: Tenant) -> None:
    tenant.revoke(client.app, "Calendars.Read")
    await client.log_in()
    tenant.grant(client.app, "Calendars.Read")
    assert await verdict(client, BOARDROOM) == DENIED
    await client.log_in()
    assert await verdict(client, BOARDROOM) == "read"


async def test_an_access_policy_refuses_mailboxes_outside_its_group(client: Client, tenant: Tenant) -> None:
    tenant.restrict(client.app, group="placed-rooms")
    assert await verdict(client, BOARDROOM) == "read"
    assert await verdict(client, ADA) == BLOCKED


async def test_an_access_policy_takes_its_time(client: Client, tenant: Tenant, clock: Clock) -> None:
    tenant.restrict(client.app, group="placed-rooms", delay=HOUR)
    assert await verdict(client, ADA) == "read"
    clock.advance(hours=1)
    await client.log_in()
    assert await verdict(client, ADA) == BLOCKED


async def test_a_policy_sees_a_new_member_later_than_the_directory(
    client: Client, tenant: Tenant, clock: Clock
) -> None:
    tenant.restrict(client.app, group="placed-rooms")
    tenant.add_room("attic")
    tenant.add_member("placed-rooms", "attic", delay=HOUR / 2)
    group = tenant.group("placed-rooms").group_id
    members = await client.get(f"/groups/{group}/members")
    assert "attic@contoso.example" in [member["mail"] for member in members.json["value"]]
    assert await verdict(client, "attic@contoso.example") == BLOCKED
    clock.advance(minutes=30)
    assert await verdict(client, "attic@contoso.example") == "read"


async def test_a_policy_sees_a_removed_member_later_too(client: Client, tenant: Tenant, clock: Clock) -> None:
    tenant.restrict(client.app, group="placed-rooms")
    tenant.remove_member("placed-rooms", "boardroom", delay=HOUR / 2)
    assert await verdict(client, BOARDROOM) == "read"
    clock.advance(minutes=30)
    assert await verdict(client, BOARDROOM) == BLOCKED


async def test_nested_groups_count_for_an_access_policy_only(client: Client, tenant: Tenant) -> None:
    tenant.add_group("all-rooms", members=["placed-rooms"])
    tenant.restrict(client.app, group="all-rooms")
    assert await verdict(client, BOARDROOM) == "read"
    tenant.lift_restrictions(client.app)
    tenant.revoke(client.app, "Calendars.Read")
    tenant.assign_rbac(client.app, group="all-rooms")
    assert await verdict(client, BOARDROOM) == DENIED
    tenant.assign_rbac(client.app, group="placed-rooms")
    assert await verdict(client, BOARDROOM) == "read"


async def test_a_denying_policy_wins(client: Client, tenant: Tenant) -> None:
    tenant.add_group("closed", members=["boardroom"])
    tenant.restrict(client.app, group="placed-rooms")
    tenant.deny(client.app, group="closed")
    assert await verdict(client, BOARDROOM) == BLOCKED
    assert await verdict(client, "library@contoso.example") == "read"


def test_a_room_list_cannot_be_the_scope_of_a_policy(tenant: Tenant) -> None:
    tenant.add_room_list("rooms", rooms=["boardroom"])
    with pytest.raises(ValueError, match="is a room list"):
        tenant.restrict(tenant.register_app(), group="rooms")


async def test_rbac_grants_without_a_role_in_the_token(client: Client, tenant: Tenant, clock: Clock) -> None:
    tenant.revoke(client.app, "Calendars.Read")
    tenant.assign_rbac(client.app, group="placed-rooms", delay=HOUR)
    assert await verdict(client, BOARDROOM) == DENIED
    clock.advance(hours=1)
    await client.log_in()
    assert await verdict(client, BOARDROOM) == "read"
    assert await verdict(client, ADA) == DENIED


async def test_grants_of_entra_and_of_rbac_add_up(client: Client, tenant: Tenant) -> None:
    """The trap: consent that is still there opens what the scope of RBAC was to close."""
    tenant.assign_rbac(client.app, group="placed-rooms")
    assert await verdict(client, ADA) == "read"


async def test_an_access_policy_does_not_hold_the_smallest_permission(client: Client, tenant: Tenant) -> None:
    tenant.revoke(client.app, "Calendars.Read")
    tenant.grant(client.app, "Calendars.ReadBasic.All")
    tenant.restrict(client.app, group="placed-rooms")
    await client.log_in()
    assert await verdict(client, ADA) == "read"


async def test_a_mailbox_that_is_gone_is_an_invalid_user(client: Client, tenant: Tenant) -> None:
    user_id = tenant.mailbox("boardroom").user_id
    tenant.remove_room("boardroom")
    for name in (BOARDROOM, user_id):
        answer = await client.view(name)
        assert (answer.status, answer.code) == (404, "ErrorInvalidUser")
        assert answer.json["error"]["message"] == f"The requested user '{name}' is invalid."


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (MailboxState.ON_PREMISES, "MailboxNotEnabledForRESTAPI"),
        (MailboxState.UNDISCOVERABLE, "ResourceNotFound"),
    ],
)
async def test_a_mailbox_that_graph_cannot_reach(
    client: Client, tenant: Tenant, state: MailboxState, code: str
) -> None:
    tenant.set_state("boardroom", state)
    answer = await client.view(BOARDROOM)
    assert (answer.status, answer.code) == (404, code)


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("", "Access token is empty."),
        ("Bearer ", "Access token is empty."),
        ("Bearer nonsense", "IDX14100: JWT is not well formed, there are no dots (.)."),
    ],
)
async def test_a_bad_token_is_refused(client: Client, authorization: str, message: str) -> None:
    answer = await client.view(BOARDROOM, Authorization=authorization)
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")
    assert answer.json["error"]["message"].startswith(message)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_a_token_expires_by_the_clock_of_the_service(
    client: Client, tenant: Tenant, clock: Clock
) -> None:
    tenant.tokens.lifetime = timedelta(minutes=5)
    await client.log_in()
    clock.advance(minutes=4)
    assert await verdict(client, BOARDROOM) == "read"
    clock.advance(minutes=1)
    assert (await client.view(BOARDROOM)).status == 401
    await client.log_in()
    assert await verdict(client, BOARDROOM) == "read"


async def test_tokens_can_be_withdrawn(client: Client, tenant: Tenant) -> None:
    tenant.expire_tokens(client.app)
    assert (await client.view(BOARDROOM)).status == 401
    await client.log_in()
    assert await verdict(client, BOARDROOM) == "read"


async def test_a_token_of_another_tenant_is_refused(client: Client, clock: Clock) -> None:
    """Even one with the right audience and signature."""
    other = Tenant(domain="fabrikam.example", now=clock)
    foreign = other.tokens.issue(other.register_app(), client.simulator.url, by_certificate=False, number=1)
    answer = await client.view(BOARDROOM, Authorization=f"Bearer {foreign}")
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")


async def test_a_token_for_another_service_is_refused(client: Client, tenant: Tenant) -> None:
    foreign = tenant.tokens.issue(client.app, "https://elsewhere.example", by_certificate=False, number=1)
    answer = await client.view(BOARDROOM, Authorization=f"Bearer {foreign}")
    assert answer.json["error"]["message"] == "Access token validation failure. Invalid audience."


async def test_a_token_that_was_tampered_with_is_refused(client: Client) -> None:
    head, claims, signature = client.token.split(".")
    other = ("B" if signature[0] == "A" else "A") + signature[1:]
    answer = await client.view(BOARDROOM, Authorization=f"Bearer {head}.{claims}.{other}")
    assert answer.json["error"]["message"] == "Signature validation failed."


async def test_a_token_of_an_app_that_was_removed_is_refused(client: Client, tenant: Tenant) -> None:
    tenant.apps.clear()
    assert (await client.view(BOARDROOM)).status == 401
