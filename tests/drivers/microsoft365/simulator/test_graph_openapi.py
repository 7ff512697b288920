"""What the simulated Graph answers has the shapes of Microsoft's OpenAPI."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.drivers.microsoft365 import graph_openapi

if TYPE_CHECKING:
    from placed_microsoft365.simulator import Tenant
    from tests.drivers.microsoft365.simulator.simulator_client import Client

pytestmark = graph_openapi.needs_contract

WINDOW = "startDateTime=2026-10-06T00:00:00Z&endDateTime=2026-10-07T00:00:00Z"
NINE = datetime(2026, 10, 6, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def assert_in_contract(client: Client, target: str, status: int = 200, **headers: str) -> None:
    answer = await client.get(target, **headers)
    assert answer.status == status
    assert graph_openapi.load().answer_problems("GET", target, status, answer.json) == []
    if status == 200:
        assert graph_openapi.load().request_problems("GET", target) == []


async def test_calendar_views_keep_to_the_contract(client: Client, tenant: Tenant) -> None:
    tenant.book("boardroom", NINE, NINE + HOUR)
    tenant.book("boardroom", date(2026, 10, 6), date(2026, 10, 7), all_day=True)
    tenant.book_series("boardroom", NINE, NINE + HOUR, count=2, response="notResponded")
    tenant.cancel(tenant.book("boardroom", NINE, NINE + HOUR))
    await assert_in_contract(client, f"/users/boardroom@contoso.example/calendarView?{WINDOW}")
    await assert_in_contract(
        client, f"/users/boardroom@contoso.example/calendarView?{WINDOW}&$select=subject,start,end&$top=2"
    )


@pytest.mark.parametrize(
    "target",
    ["/places/microsoft.graph.room", "/places/rooms@contoso.example/microsoft.graph.roomlist/rooms?$top=1"],
)
async def test_places_keep_to_the_contract(client: Client, tenant: Tenant, target: str) -> None:
    tenant.add_room_list("rooms", rooms=["boardroom", "library"])
    await assert_in_contract(client, target)


async def test_group_members_keep_to_the_contract(client: Client, tenant: Tenant) -> None:
    group = tenant.group("placed-rooms").group_id
    await assert_in_contract(client, f"/groups/{group}/transitiveMembers")
    await assert_in_contract(
        client,
        f"/groups/{group}/transitiveMembers/microsoft.graph.user?$count=true&$top=1",
        ConsistencyLevel="eventual",
    )


async def test_errors_keep_to_the_contract(client: Client) -> None:
    await assert_in_contract(client, f"/users/nobody@contoso.example/calendarView?{WINDOW}", status=404)
    await assert_in_contract(client, "/users/boardroom@contoso.example/calendarView", status=400)


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("/users/a/calendarView?startDateTime=1", "endDateTime is missing"),
        (f"/users/a/calendarView?{WINDOW}&$top=many", "$top=many is no such number"),
        (f"/users/a/calendarView?{WINDOW}&$limit=3", "$limit is no parameter of /users/a/calendarView"),
        ("/me/messages", "GET /me/messages: no such path in the contract"),
    ],
)
def test_a_wrong_request_is_found_out(target: str, problem: str) -> None:
    assert problem in graph_openapi.load().request_problems("GET", target)


def test_a_request_beyond_the_subset_is_let_pass() -> None:
    assert graph_openapi.load().request_problems("POST", "/$batch") == []


def test_a_wrong_answer_is_found_out() -> None:
    document = {"value": [{"id": "1", "showAs": "daydreaming", "mood": "good"}]}
    problems = graph_openapi.load().answer_problems("GET", "/users/a/calendarView", 200, document)
    assert len(problems) == 2
