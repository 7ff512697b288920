"""Groups, their members, rooms and room lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed_microsoft365.simulator import Where

if TYPE_CHECKING:
    from placed_microsoft365.simulator import Tenant
    from tests.drivers.microsoft365.simulator.simulator_client import Client

USERS = "/microsoft.graph.user?$count=true"


def mails(answer: Any) -> list[str]:
    return [member["mail"].partition("@")[0] for member in answer.json["value"]]


async def everything(client: Client, path: str, field: str, **headers: str) -> list[str]:
    """The field of all items, page after page."""
    found: list[str] = []
    answer = await client.get(path, **headers)
    while True:
        found += [item[field] for item in answer.json["value"]]
        if "@odata.nextLink" not in answer.json:
            return found
        answer = await client.get(answer.json["@odata.nextLink"], **headers)


async def test_a_group_is_found_by_its_mail(client: Client, tenant: Tenant) -> None:
    answer = await client.get("/groups?$filter=mail%20eq%20'Placed-Rooms@contoso.example'&$select=id,mail")
    assert answer.json["value"] == [
        {"id": tenant.group("placed-rooms").group_id, "mail": "placed-rooms@contoso.example"}
    ]
    nobody = await client.get("/groups?$filter=mail%20eq%20'nobody@contoso.example'")
    assert nobody.json["value"] == []


async def test_another_filter_is_refused(client: Client) -> None:
    answer = await client.get("/groups?$filter=startswith(mail,'a')")
    assert (answer.status, answer.code) == (400, "Request_UnsupportedQuery")


async def test_members_are_direct_or_transitive(client: Client, tenant: Tenant) -> None:
    tenant.add_room("attic")
    group = tenant.add_group("all", members=["attic", "placed-rooms", "ada"]).group_id
    assert mails(await client.get(f"/groups/{group}/members")) == ["attic", "placed-rooms", "ada"]
    assert mails(await client.get(f"/groups/{group}/transitiveMembers")) == [
        "attic",
        "placed-rooms",
        "ada",
        "boardroom",
        "library",
    ]
    users = await client.get(f"/groups/{group}/transitiveMembers{USERS}", ConsistencyLevel="eventual")
    assert mails(users) == ["attic", "ada", "boardroom", "library"]
    assert users.json["@odata.count"] == 4


async def test_groups_within_each_other_end(client: Client, tenant: Tenant) -> None:
    outer = tenant.add_group("outer", members=["placed-rooms"])
    tenant.add_member("placed-rooms", outer)
    answer = await client.get(f"/groups/{outer.group_id}/transitiveMembers")
    assert mails(answer) == ["placed-rooms", "boardroom", "library"]


async def test_the_cast_to_users_is_an_advanced_query(client: Client, tenant: Tenant) -> None:
    group = tenant.group("placed-rooms").group_id
    answer = await client.get(f"/groups/{group}/transitiveMembers/microsoft.graph.user")
    assert (answer.status, answer.code) == (400, "Request_UnsupportedQuery")


async def test_members_come_page_by_page(client: Client, tenant: Tenant) -> None:
    for number in range(120):
        tenant.add_member("placed-rooms", tenant.add_room(f"room-{number:03}"))
    path = f"/groups/{tenant.group('placed-rooms').group_id}/transitiveMembers"
    assert len((await client.get(path)).json["value"]) == 100
    found = await everything(
        client, f"{path}{USERS}&$top=50&$select=mail", "mail", ConsistencyLevel="eventual"
    )
    assert found == [room.address for room in tenant.rooms()]


async def test_an_unknown_group_is_not_found(client: Client) -> None:
    answer = await client.get("/groups/00000000-0000-0000-0000-000000000007/members")
    assert (answer.status, answer.code) == (404, "Request_ResourceNotFound")


async def test_the_directory_wants_its_own_permission(client: Client, tenant: Tenant) -> None:
    tenant.revoke(client.app, "GroupMember.Read.All", "Place.Read.All")
    groups = await client.get("/groups")
    assert (groups.status, groups.code) == (403, "Authorization_RequestDenied")
    places = await client.get("/places/microsoft.graph.room")
    assert (places.status, places.code) == (403, "UnknownError")
    assert "place.read.all" in places.json["error"]["message"]


async def test_rooms_come_with_what_is_known_of_them(client: Client) -> None:
    answer = await client.get("/places/microsoft.graph.room?$top=1")
    (room,) = answer.json["value"]
    assert room["emailAddress"] == "boardroom@contoso.example"
    assert (room["displayName"], room["building"]) == ("Boardroom", "HQ")
    assert (room["floorNumber"], room["capacity"]) == (3, 12)


async def test_rooms_come_page_by_page(client: Client, tenant: Tenant) -> None:
    for number in range(150):
        tenant.add_room(f"room-{number:03}")
    found = await everything(client, "/places/microsoft.graph.room", "emailAddress")
    assert found == [room.address for room in tenant.rooms()]
    skipped = await client.get("/places/microsoft.graph.room?$top=100&$skip=100")
    assert [room["emailAddress"] for room in skipped.json["value"]] == found[100:]


@pytest.mark.parametrize("cast", ["microsoft.graph.roomlist", "microsoft.graph.roomList"])
async def test_the_rooms_of_a_list_are_found_by_its_address(
    client: Client, tenant: Tenant, cast: str
) -> None:
    room_list = tenant.add_room_list("hq", rooms=["library"])
    lists = await client.get(f"/places/{cast}")
    assert [one["emailAddress"] for one in lists.json["value"]] == ["hq@contoso.example"]
    rooms = await client.get(f"/places/hq@contoso.example/{cast}/rooms")
    assert [room["emailAddress"] for room in rooms.json["value"]] == ["library@contoso.example"]
    assert (await client.get(f"/places/{room_list.group_id}/{cast}/rooms")).status == 404
    assert (await client.get(f"/places/placed-rooms@contoso.example/{cast}/rooms")).status == 404


async def test_a_user_principal_name_need_not_be_the_address(client: Client, tenant: Tenant) -> None:
    tenant.add_room("attic", upn="R17@contoso.onmicrosoft.example")
    tenant.add_member("placed-rooms", "attic")
    group = tenant.group("placed-rooms").group_id
    answer = await client.get(f"/groups/{group}/members?$select=mail,userPrincipalName")
    assert answer.json["value"][-1] == {
        "@odata.type": "#microsoft.graph.user",
        "mail": "attic@contoso.example",
        "userPrincipalName": "r17@contoso.onmicrosoft.example",
    }
    assert (await client.view("r17@contoso.onmicrosoft.example")).status == 200
    assert (await client.view("attic@contoso.example")).status == 200


async def test_rooms_can_come_as_in_microsofts_sample(client: Client, tenant: Tenant) -> None:
    tenant.sloppy_places = True
    room = (await client.get("/places/microsoft.graph.room")).json["value"][0]
    assert (room["capacity"], room["isWheelchairAccessible"]) == ("12", False)


async def test_a_fence_does_not_hide_rooms_from_the_directory(client: Client, tenant: Tenant) -> None:
    tenant.add_group("nobody")
    tenant.restrict(client.app, group="nobody")
    assert len((await client.get("/places/microsoft.graph.room")).json["value"]) == 2


async def test_a_group_is_read_by_its_id(client: Client, tenant: Tenant) -> None:
    group = tenant.group("placed-rooms")
    answer = await client.get(f"/groups/{group.group_id}?$select=mail,securityEnabled")
    assert (answer.json["mail"], answer.json["securityEnabled"]) == (group.address, True)
    assert (await client.get("/groups/unknown")).status == 404


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/groups?$top=1000", 400, "ErrorInvalidUrlQuery"),
        ("/groups?$skip=1", 400, "Request_BadRequest"),
        ("/groups?$skiptoken=nonsense", 400, "Directory_ExpiredPageToken"),
        ("/groups?$select=mood", 400, "RequestBroker--ParseUri"),
        ("/groups?$top=1&$top=2", 400, "BadRequest"),
        ("/places/microsoft.graph.room?$top=0", 400, "ErrorInvalidUrlQuery"),
        ("/me/messages", 400, "BadRequest"),
    ],
)
async def test_a_wrong_query_of_the_directory_is_refused(
    client: Client, path: str, status: int, code: str
) -> None:
    answer = await client.get(path)
    assert (answer.status, answer.code) == (status, code)


async def test_collections_are_counted_on_request(client: Client) -> None:
    for path in ("/groups?$count=true", "/places/microsoft.graph.room?$count=true&$top=1"):
        answer = await client.get(path)
        assert answer.json["@odata.count"] >= len(answer.json["value"])


def test_unknown_names_are_an_error(tenant: Tenant) -> None:
    for lookup in (tenant.mailbox, tenant.group):
        with pytest.raises(LookupError, match="nobody"):
            lookup("nobody")
    with pytest.raises(LookupError, match="nobody"):
        tenant.add_member("placed-rooms", "nobody")
    with pytest.raises(ValueError, match="is there already"):
        tenant.add_room("boardroom")


async def test_members_that_the_application_may_not_read_are_their_type_and_id(
    client: Client, tenant: Tenant
) -> None:
    tenant.hides_users = True
    path = f"/groups/{tenant.group('placed-rooms').group_id}/transitiveMembers{USERS}"
    fields = "&$select=id,mail,displayName"
    hidden = (await client.get(path + fields, ConsistencyLevel="eventual")).json["value"]
    assert [member["id"] for member in hidden] == [room.user_id for room in tenant.rooms()]
    assert {(member["mail"], member["displayName"]) for member in hidden} == {(None, None)}
    tenant.grant(client.app, "User.ReadBasic.All")
    tenant.expire_tokens(client.app)
    await client.log_in()
    assert mails(await client.get(path + fields, ConsistencyLevel="eventual")) == ["boardroom", "library"]


async def test_a_room_with_another_address_is_the_same_object(client: Client, tenant: Tenant) -> None:
    before = tenant.mailbox("boardroom").user_id
    tenant.change_address("boardroom", "big-room")
    assert tenant.mailbox("big-room").user_id == before
    assert tenant.group("placed-rooms").listed() == ["big-room@contoso.example", "library@contoso.example"]
    rooms = (await client.get("/places/microsoft.graph.room")).json["value"]
    assert [room["emailAddress"] for room in rooms] == ["big-room@contoso.example", "library@contoso.example"]
    calendar = await client.get(f"/users/{before}/calendar?$select=owner")
    assert calendar.json["owner"] == {"name": "Boardroom", "address": "big-room@contoso.example"}
    with pytest.raises(ValueError, match="there already"):
        tenant.change_address("big-room", "library")
    with pytest.raises(LookupError):
        tenant.change_address("ada", "eve")


async def test_the_owner_of_a_calendar_is_inside_the_fence(client: Client, tenant: Tenant) -> None:
    tenant.restrict(client.app, "placed-rooms")
    assert (await client.get("/users/ada@contoso.example/calendar")).status == 403
    assert (await client.get("/users/library@contoso.example/calendar?$select=nothing")).status == 400


@pytest.mark.parametrize("where", [Where.GROUPS, Where.PLACES])
async def test_a_list_may_lack_rooms(client: Client, tenant: Tenant, where: Where) -> None:
    members = f"/groups/{tenant.group('placed-rooms').group_id}/transitiveMembers{USERS}"
    path = members if where is Where.GROUPS else "/places/microsoft.graph.room"

    async def listed() -> list[str]:
        answer = await client.get(path, ConsistencyLevel="eventual")
        assert answer.json.get("@odata.count", len(answer.json["value"])) == len(answer.json["value"])
        return [room["displayName"] for room in answer.json["value"]]

    tenant.faults.lacking("boardroom", where=where, times=1)
    assert [await listed(), await listed()] == [["Library"], ["Boardroom", "Library"]]
    (fault,) = tenant.faults.lacking(where=where)
    assert (await client.get("/groups?$filter=mail%20eq%20'placed-rooms@contoso.example'")).json["value"]
    assert await listed() == []
    tenant.faults.remove(fault)
    assert await listed() == ["Boardroom", "Library"]
