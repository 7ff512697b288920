"""Each switch makes the services misbehave in its way, for the chosen clients and the chosen time."""

from __future__ import annotations

import asyncio
import base64
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from placed_microsoft365.simulator import Fault, Kind, Where
from placed_microsoft365.simulator.faults.fault import BAD_EVENTS, ODD_EVENTS, WRONG_TYPES
from placed_microsoft365.simulator.faults.faulty_replies import BOMB_MIB

if TYPE_CHECKING:
    from placed_microsoft365.simulator import Tenant
    from tests.drivers.microsoft365.simulator.conftest import HeldSleep
    from tests.drivers.microsoft365.simulator.simulator_client import Client

BOARDROOM = "boardroom@contoso.example"
LIBRARY = "library@contoso.example"
VIEW = "/calendarView?startDateTime=2026-10-06T00:00:00Z&endDateTime=2026-10-07T00:00:00Z"
URLS = [f"/users/{BOARDROOM}{VIEW}", f"/users/{LIBRARY}{VIEW}"]
NINE = datetime(2026, 10, 6, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _meeting(tenant: Tenant) -> None:
    tenant.book("boardroom", NINE, NINE + timedelta(hours=1))


@pytest.mark.parametrize(
    "retry_after", [None, "3", "2.128", "Tue, 06 Oct 2026 08:00:00 GMT", "-5", "99999999", "soon"]
)
async def test_an_error_for_one_room_and_one_time(
    client: Client, tenant: Tenant, retry_after: str | None
) -> None:
    tenant.faults.status(503, room="boardroom", times=1, retry_after=retry_after)
    assert (await client.view(LIBRARY)).status == 200
    answer = await client.view(BOARDROOM)
    assert (answer.status, answer.code) == (503, "ErrorServerBusy")
    assert answer.headers.get("Retry-After") == retry_after
    assert (await client.view(BOARDROOM)).status == 200


async def test_an_error_until_it_is_removed(client: Client, tenant: Tenant) -> None:
    fault = tenant.faults.forbidden(room=BOARDROOM)
    for _ in range(3):
        assert (await client.view(BOARDROOM)).code == "ErrorAccessDenied"
    tenant.faults.remove(fault)
    assert (await client.view(BOARDROOM)).status == 200


async def test_an_error_for_all_rooms_hits_the_items_of_a_batch(client: Client, tenant: Tenant) -> None:
    tenant.faults.throttled(retry_after="2.128")
    answers = await client.batch(URLS)
    assert [answers[number]["status"] for number in "01"] == [429, 429]
    assert answers["0"]["headers"]["Retry-After"] == "2.128"
    tenant.faults.clear()
    assert [item["status"] for item in (await client.batch(URLS)).values()] == [200, 200]


async def test_a_batch_can_fail_as_a_whole(client: Client, tenant: Tenant) -> None:
    tenant.faults.status(503, where=Where.BATCH, retry_after="1", times=1)
    answer = await client.post("/$batch", {"requests": []})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")


async def test_a_gateway_answers_with_a_page(client: Client, tenant: Tenant) -> None:
    tenant.faults.html(status=502)
    answer = await client.view(BOARDROOM)
    assert (answer.status, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")
    item = (await client.batch(URLS))["0"]
    assert base64.b64decode(item["body"]).startswith(b"<html>")


async def test_an_answer_can_be_empty(client: Client, tenant: Tenant) -> None:
    tenant.faults.empty()
    answer = await client.view(BOARDROOM)
    assert (answer.status, answer.body) == (200, b"")
    assert "body" not in (await client.batch(URLS))["0"]


@pytest.mark.parametrize("where", [Where.CALENDAR, Where.BATCH])
async def test_json_can_break_off(client: Client, tenant: Tenant, where: Where) -> None:
    tenant.faults.truncated(where=where, times=1)
    if where is Where.CALENDAR:
        answer = await client.view(BOARDROOM)
    else:
        items = [{"id": "1", "method": "GET", "url": URLS[0]}]
        answer = await client.post("/$batch", {"requests": items})
    assert answer.status == 200
    with pytest.raises(json.JSONDecodeError):
        _ = answer.json


@pytest.mark.parametrize("detail", WRONG_TYPES)
async def test_json_can_be_of_other_types(client: Client, tenant: Tenant, detail: str) -> None:
    right = (await client.view(BOARDROOM)).json
    tenant.faults.wrong_types(detail, times=1)
    wrong = (await client.view(BOARDROOM)).json
    assert wrong != right
    assert (await client.view(BOARDROOM)).json == right


@pytest.mark.parametrize("detail", BAD_EVENTS)
async def test_one_event_can_be_malformed_beside_a_good_one(
    client: Client, tenant: Tenant, detail: str
) -> None:
    tenant.faults.bad_event(detail, room="boardroom")
    good, bad = (await client.view(BOARDROOM)).json["value"]
    assert good["start"]["dateTime"].startswith("2026-10-06T09:00")
    assert bad.get("id", "AAMkADbad") == "AAMkADbad"
    assert bad != good


async def test_pages_can_go_on_for_ever(client: Client, tenant: Tenant) -> None:
    tenant.faults.endless(room="boardroom")
    answer = await client.view(BOARDROOM)
    links = set()
    for _ in range(3):
        links.add(answer.json["@odata.nextLink"])
        answer = await client.get(answer.json["@odata.nextLink"])
    assert len(links) == 1


async def test_a_next_link_can_be_missing(client: Client, tenant: Tenant) -> None:
    tenant.faults.no_next_link(where=Where.PLACES)
    answer = await client.get("/places/microsoft.graph.room?$top=1")
    assert "@odata.nextLink" not in answer.json


async def ids(client: Client) -> list[str]:
    items = [{"id": str(number), "method": "GET", "url": url} for number, url in enumerate(URLS)]
    answer = await client.post("/$batch", {"requests": items})
    return sorted(item["id"] for item in answer.json["responses"])


async def test_a_batch_can_leave_out_an_item(client: Client, tenant: Tenant) -> None:
    tenant.faults.missing_item(room="library", times=1)
    assert await ids(client) == ["0"]
    tenant.faults.missing_item()
    assert await ids(client) == ["1"]
    tenant.faults.clear()
    assert await ids(client) == ["0", "1"]


async def test_a_batch_can_return_duplicate_and_unrequested_items(client: Client, tenant: Tenant) -> None:
    tenant.faults.duplicate_item(times=1)
    assert await ids(client) == ["0", "0", "1"]
    tenant.faults.unknown_item(times=1)
    assert await ids(client) == ["0", "1", "nobody-asked"]
    assert await ids(client) == ["0", "1"]


async def test_the_connection_can_be_cut(client: Client, tenant: Tenant) -> None:
    tenant.faults.drop()
    with pytest.raises(aiohttp.ClientError):
        await client.view(BOARDROOM)
    tenant.faults.clear()
    assert client.simulator.requests[-1].status == 0
    assert (await client.view(BOARDROOM)).status == 200


async def test_no_port_is_open_during_an_outage(client: Client) -> None:
    async with client.simulator.outage():
        with pytest.raises(aiohttp.ClientError):
            await client.view(BOARDROOM)
    assert (await client.view(BOARDROOM)).status == 200


async def test_an_outage_does_not_wait_for_a_late_answer(
    client: Client, tenant: Tenant, held_sleep: HeldSleep
) -> None:
    tenant.faults.delay(3600.0)
    late = asyncio.create_task(client.view(BOARDROOM))
    await held_sleep.until_asleep(1)
    async with client.simulator.outage():
        with pytest.raises(aiohttp.ClientError):
            await late


async def test_an_item_whose_connection_is_cut_is_a_gateways_timeout(client: Client, tenant: Tenant) -> None:
    tenant.faults.drop(where=Where.CALENDAR, room="boardroom")
    answers = await client.batch(URLS)
    assert (answers["0"]["status"], answers["1"]["status"]) == (504, 200)


@pytest.mark.parametrize("where", [Where.GRAPH, Where.CALENDAR])
async def test_an_answer_can_come_late(
    client: Client, tenant: Tenant, held_sleep: HeldSleep, where: Where
) -> None:
    tenant.faults.delay(30.0, where=where, times=1)
    async with asyncio.TaskGroup() as group:
        late = group.create_task(client.view(BOARDROOM))
        await held_sleep.until_asleep(1)
        assert (await client.view(LIBRARY)).status == 200
        assert not late.done()
        await held_sleep.let_go()
    assert late.result().status == 200
    assert held_sleep.lengths == [30.0]


async def test_a_good_token_can_be_refused(client: Client, tenant: Tenant) -> None:
    tenant.faults.token_refused("Access token has expired or is not yet valid.")
    answer = await client.view(BOARDROOM)
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")
    assert (await client.view(BOARDROOM)).status == 200


async def test_groups_and_places_can_fail_by_themselves(client: Client, tenant: Tenant) -> None:
    tenant.faults.status(500, where=Where.GROUPS)
    tenant.faults.html(where=Where.PLACES)
    assert (await client.get("/groups")).status == 500
    assert (await client.get("/places/microsoft.graph.room")).status == 502
    assert (await client.view(BOARDROOM)).status == 200


async def test_the_login_can_fail_without_a_reason(client: Client, tenant: Tenant) -> None:
    tenant.faults.status(500, where=Where.LOGIN, times=1)
    assert (await client.ask_token(client_secret="s3cret")).status == 500
    tenant.faults.html(where=Where.LOGIN, status=503, times=1)
    assert (await client.ask_token(client_secret="s3cret")).headers["Content-Type"].startswith("text/html")
    tenant.faults.empty(where=Where.DISCOVERY, status=503)
    url = f"{client.simulator.url}/contoso.example/v2.0/.well-known/openid-configuration"
    assert (await client.send("GET", url)).status == 503


async def test_the_login_can_be_slow(client: Client, tenant: Tenant, held_sleep: HeldSleep) -> None:
    tenant.faults.delay(20.0, where=Where.LOGIN)
    async with asyncio.TaskGroup() as group:
        slow = group.create_task(client.ask_token(client_secret="s3cret"))
        await held_sleep.until_asleep(1)
        await held_sleep.let_go()
    assert slow.result().status == 200


async def test_the_first_fault_that_fits_is_used_up_first(client: Client, tenant: Tenant) -> None:
    tenant.faults.status(500, times=1)
    tenant.faults.status(503, times=1)
    assert [(await client.view(BOARDROOM)).status for _ in range(3)] == [500, 503, 200]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"kind": Kind.STATUS, "times": 0}, "times"), ({"kind": Kind.BAD_EVENT, "detail": "odd"}, "detail")],
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fault(**wrong)


async def test_an_answer_that_is_small_until_it_is_unpacked(client: Client, tenant: Tenant) -> None:
    tenant.faults.bomb(times=1, where=Where.GRAPH)
    url, asked = f"{client.simulator.url}/v1.0{URLS[0]}", {"Authorization": f"Bearer {client.token}"}
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.get(url, headers=asked, ssl=client.context) as answer,
    ):
        packed = await answer.read()
    assert answer.headers["Content-Encoding"] == "gzip"
    unpack, size = zlib.decompressobj(zlib.MAX_WBITS + 16), 0
    while packed:
        size += len(unpack.decompress(packed, 2**24))
        packed = unpack.unconsumed_tail
    assert size == BOMB_MIB * 2**20
    assert not unpack.eof
    assert (await client.view(BOARDROOM)).status == 200


@pytest.mark.parametrize("detail", ODD_EVENTS)
async def test_events_that_are_written_oddly(client: Client, tenant: Tenant, detail: str) -> None:
    tenant.book("boardroom", NINE.date(), NINE.date() + timedelta(days=1), all_day=True)
    plain = (await client.view(BOARDROOM)).json
    tenant.faults.odd_events(detail, room="boardroom", times=1)
    odd = (await client.view(BOARDROOM)).json
    assert odd != plain
    assert (await client.view(BOARDROOM)).json == plain
