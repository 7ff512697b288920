"""The Directory lists rooms and buildings for who may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed_google.simulator import Where
from tests.drivers.google.simulator.conftest import BOARDROOM, LIBRARY
from tests.drivers.google.simulator.google_client import GoogleClient

if TYPE_CHECKING:
    from placed_google.simulator import ServiceAccount, Simulator, Workspace
    from tests.drivers.google.simulator.plain_client import Answer, PlainClient

SCOPE = "https://www.googleapis.com/auth/admin.directory.resource.calendar.readonly"


@pytest.fixture
async def reader(client: PlainClient) -> PlainClient:
    """The client, whose account has the administrator's role for resources."""
    client.account.reads_directory = True
    await client.sign_in(scope=SCOPE)
    return client


async def rooms(client: PlainClient, customer: str | None = None, **query: str) -> Answer:
    return await resources(client, "calendars", customer, **query)


async def resources(client: PlainClient, kind: str, customer: str | None = None, **query: str) -> Answer:
    name = client.simulator.workspace.customer_id if customer is None else customer
    text = "&".join(f"{key}={value}" for key, value in query.items())
    return await client.get(f"/admin/directory/v1/customer/{name}/resources/{kind}?{text}")


def refusal(answer: Answer) -> tuple[int, str, str]:
    return answer.status, answer.reason, answer.json["error"]["message"]


async def test_googles_library_lists_rooms(
    simulator: Simulator, workspace: Workspace, account: ServiceAccount
) -> None:
    account.reads_directory = True
    with GoogleClient(simulator, simulator.make_key(account), SCOPE) as google:
        listing = google.directory.resources().calendars()
        asked = listing.list(customer=workspace.customer_id, maxResults=1)
        first = await google.run(asked.execute)
        second = await google.run(listing.list_next(asked, first).execute)
    assert first["items"][0]["resourceEmail"] == BOARDROOM
    assert first["items"][0]["generatedResourceName"] == "HQ-3-Boardroom (12)"
    assert [one["resourceEmail"] for one in second["items"]] == [LIBRARY]
    assert "nextPageToken" not in second


async def test_a_room_names_its_building_by_an_id(reader: PlainClient) -> None:
    room = (await rooms(reader)).items[0]
    (building,) = (await resources(reader, "buildings")).json["buildings"]
    assert room["buildingId"] == building["buildingId"]
    assert (building["buildingName"], building["floorNames"]) == ("HQ", ["3", "1"])
    assert (await resources(reader, f"calendars/{room['resourceId']}")).json == room
    assert (await resources(reader, "calendars/nothing")).status == 404


async def test_a_query_filters(reader: PlainClient, workspace: Workspace) -> None:
    workspace.add_room("Projector", category="OTHER")
    only = "resourceCategory=CONFERENCE_ROOM"
    assert len((await rooms(reader)).items) == 3
    assert len((await rooms(reader, query=only)).items) == 2
    both = f"{only}%20AND%20capacity%3E=10"
    assert [one["resourceName"] for one in (await rooms(reader, query=both)).items] == ["Boardroom"]
    assert [one["resourceName"] for one in (await rooms(reader, query="name:Lib*")).items] == ["Library"]
    assert (await rooms(reader, query="colour=green")).status == 400


async def test_fields_and_pages_are_checked(reader: PlainClient) -> None:
    mask = "nextPageToken,items(resourceEmail,capacity)"
    assert (await rooms(reader, fields=mask)).items[0] == {"resourceEmail": BOARDROOM, "capacity": 12}
    assert (await rooms(reader, fields="items(email)")).status == 400
    assert (await rooms(reader, maxResults="501")).status == 400
    ordered = (await rooms(reader, orderBy="resourceName%20desc")).items
    assert [one["resourceName"] for one in ordered] == ["Library", "Boardroom"]


@pytest.mark.parametrize("customer", ["my_customer", "C0elsewhere"])
async def test_a_service_account_has_no_customer_of_its_own(reader: PlainClient, customer: str) -> None:
    assert refusal(await rooms(reader, customer)) == (404, "notFound", "Domain not found.")


async def test_without_the_role_the_list_is_refused(reader: PlainClient) -> None:
    reader.account.reads_directory = False
    message = "Not Authorized to access this resource/api"
    assert refusal(await rooms(reader)) == (403, "forbidden", message)


async def test_whether_the_id_works_for_the_role_is_an_answer(
    reader: PlainClient, workspace: Workspace
) -> None:
    workspace.answers.customer_id_works_for_roles = False
    assert (await rooms(reader)).status == 404


async def test_an_administrator_who_is_acted_as_has_a_customer(
    reader: PlainClient, workspace: Workspace
) -> None:
    workspace.delegate(reader.account, SCOPE)
    await reader.sign_in(scope=SCOPE, sub="ada@fabrikam.example")
    assert (await rooms(reader, "my_customer")).status == 403
    workspace.administrators.add("ada@fabrikam.example")
    assert len((await rooms(reader, "my_customer")).items) == 2


async def test_the_scope_and_the_api_are_needed(reader: PlainClient) -> None:
    await reader.sign_in()
    assert (await rooms(reader)).reason == "insufficientPermissions"
    reader.account.project.apis.clear()
    assert (await rooms(reader)).reason == "accessNotConfigured"


async def test_the_directory_may_fail(reader: PlainClient, workspace: Workspace) -> None:
    workspace.faults.status(503, where=Where.DIRECTORY, times=1)
    assert [(await rooms(reader)).status for _ in range(2)] == [503, 200]


async def test_a_room_that_is_removed_is_gone(reader: PlainClient, workspace: Workspace) -> None:
    workspace.remove_room("library")
    assert [one["resourceEmail"] for one in (await rooms(reader)).items] == [BOARDROOM]
    workspace.remove_room("boardroom")
    assert "items" not in (await rooms(reader)).json
