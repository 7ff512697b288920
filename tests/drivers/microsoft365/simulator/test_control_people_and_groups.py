"""People and groups come and go by the control interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed_microsoft365.simulator import Tenant
    from tests.drivers.microsoft365.simulator.conftest import Clock
    from tests.drivers.microsoft365.simulator.simulator_client import Client

BOARDROOM = "boardroom@contoso.example"


async def names(client: Client, resource: str) -> list[str]:
    return [one["address"].partition("@")[0] for one in (await client.play("GET", resource)).json]


async def test_people_come_and_go(client: Client) -> None:
    new = (await client.play("POST", "people", {"person": "grace", "name": "Grace Sample"})).json
    assert (new["address"], new["name"]) == ("grace@contoso.example", "Grace Sample")
    assert await names(client, "people") == ["ada", "grace"]
    assert (await client.view("grace@contoso.example")).status == 200
    await client.play("DELETE", "people/ada")
    assert await names(client, "people") == ["grace"]
    assert (await client.view("ada@contoso.example")).code == "ErrorInvalidUser"


async def test_groups_come_and_go(client: Client) -> None:
    new = (await client.play("POST", "groups", {"group": "floor", "members": ["library"]})).json
    assert new["members"] == ["library@contoso.example"]
    assert not new["room_list"]
    rooms = {"group": "rooms", "members": ["boardroom"], "room_list": True}
    assert (await client.play("POST", "groups", rooms)).json["room_list"]
    assert await names(client, "groups") == ["placed-rooms", "floor", "rooms"]
    await client.play("DELETE", "groups/floor")
    assert await names(client, "groups") == ["placed-rooms", "rooms"]
    assert (await client.get(f"/groups/{new['group_id']}/members")).status == 404


async def test_members_come_and_go(client: Client) -> None:
    added = await client.play("POST", "groups/placed-rooms/members", {"member": "ada"})
    assert [member.partition("@")[0] for member in added.json["members"]] == ["boardroom", "library", "ada"]
    left = await client.play("DELETE", f"groups/placed-rooms/members/{BOARDROOM}")
    assert [member.partition("@")[0] for member in left.json["members"]] == ["library", "ada"]


async def test_a_fence_applies_member_changes_after_the_set_delay(
    client: Client, tenant: Tenant, clock: Clock
) -> None:
    tenant.restrict(client.app, "placed-rooms")
    tenant.add_room("attic")
    await client.play("POST", "groups/placed-rooms/members", {"member": "attic", "delay": "90m"})
    await client.play("DELETE", "groups/placed-rooms/members/boardroom", {"delay": "2h"})
    clock.advance(minutes=89)
    await client.log_in()
    assert (await client.view("attic@contoso.example")).status == 403
    clock.advance(minutes=1)
    assert (await client.view("attic@contoso.example")).status == 200
    assert (await client.view(BOARDROOM)).status == 200
    clock.advance(minutes=30)
    await client.log_in()
    assert (await client.view(BOARDROOM)).status == 403


async def test_a_fence_with_a_deleted_group_refuses_every_mailbox(client: Client, tenant: Tenant) -> None:
    tenant.add_group("outer", members=["placed-rooms"])
    tenant.restrict(client.app, "placed-rooms")
    await client.play("DELETE", "groups/placed-rooms")
    assert (await client.view(BOARDROOM)).status == 403
    assert tenant.group("outer").listed() == []
    tenant.lift_restrictions(client.app)
    tenant.restrict(client.app, "outer")
    assert (await client.view(BOARDROOM)).status == 403


async def test_a_new_room_is_in_its_groups_at_once(client: Client) -> None:
    await client.play("POST", "rooms", {"room": "attic", "groups": ["placed-rooms"]})
    (group,) = (await client.play("GET", "groups")).json
    assert group["members"][-1] == "attic@contoso.example"
