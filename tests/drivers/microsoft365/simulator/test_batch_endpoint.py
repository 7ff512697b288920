"""`$batch` answers as Graph does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from placed_microsoft365.simulator import Tenant
    from tests.drivers.microsoft365.simulator.simulator_client import Client

VIEW = "/calendarView?startDateTime=2026-10-06T00:00:00Z&endDateTime=2026-10-07T00:00:00Z"
BOARDROOM = f"/users/boardroom@contoso.example{VIEW}"
NOBODY = f"/users/nobody@contoso.example{VIEW}"


async def test_each_item_has_a_status_of_its_own(client: Client) -> None:
    answers = await client.batch([BOARDROOM, NOBODY])
    assert answers["0"]["status"] == 200
    assert answers["0"]["body"]["value"] == []
    assert answers["0"]["headers"]["Content-Type"].startswith("application/json")
    assert answers["1"]["status"] == 404
    assert answers["1"]["body"]["error"]["code"] == "ErrorInvalidUser"


async def test_answers_come_in_another_order(client: Client) -> None:
    items = [{"id": str(number), "method": "GET", "url": BOARDROOM} for number in range(20)]
    answer = await client.post("/$batch", {"requests": items})
    order = [item["id"] for item in answer.json["responses"]]
    assert order != [item["id"] for item in items]
    assert sorted(order, key=int) == [item["id"] for item in items]


def item(number: str, **more: object) -> dict[str, object]:
    return {"id": number, "method": "GET", "url": BOARDROOM, **more}


@pytest.mark.parametrize(
    "requests",
    [
        [item(str(number)) for number in range(21)],
        [item("a"), item("A")],
        [],
        [{"id": "1"}],
        [item("1", dependsOn=["7"])],
    ],
    ids=["21 items", "an id twice", "none", "no url", "depends on nothing"],
)
async def test_a_batch_that_is_none_is_refused_as_a_whole(client: Client, requests: list[object]) -> None:
    assert (await client.post("/$batch", {"requests": requests})).status == 400


async def test_what_depends_on_a_failed_item_fails_too(client: Client) -> None:
    requests = [
        item("1", url=NOBODY),
        item("2", dependsOn=["1"]),
        item("3"),
        item("4", dependsOn=["3"]),
    ]
    answer = await client.post("/$batch", {"requests": requests})
    statuses = {one["id"]: one["status"] for one in answer.json["responses"]}
    assert statuses == {"1": 404, "2": 424, "3": 200, "4": 200}


@pytest.mark.parametrize("url", ["/$batch", "/me/messages", "https://elsewhere.example/v1.0/users/a"])
async def test_an_item_that_does_not_fit_in_a_batch_fails_alone(client: Client, url: str) -> None:
    answers = await client.batch([url, BOARDROOM])
    assert (answers["0"]["status"], answers["1"]["status"]) == (400, 200)


async def test_a_batch_takes_headers_of_its_items(client: Client) -> None:
    prefer = {"Prefer": 'outlook.timezone="Mars/Olympus"'}
    answer = await client.post("/$batch", {"requests": [item("1", headers=prefer)]})
    assert answer.json["responses"][0]["status"] == 400


async def test_a_batch_needs_a_token(client: Client) -> None:
    client.token = "nonsense"
    answer = await client.post("/$batch", {"requests": [item("1")]})
    assert (answer.status, answer.code) == (401, "InvalidAuthenticationToken")


async def test_an_item_is_throttled_by_itself(client: Client, tenant: Tenant) -> None:
    tenant.limits.mailbox_requests = 1
    answers = await client.batch([BOARDROOM, BOARDROOM, BOARDROOM.replace("boardroom", "library")])
    assert [answers[number]["status"] for number in "012"] == [200, 429, 200]
    assert answers["1"]["headers"]["Retry-After"] == "600.000"


async def test_the_request_log_lists_the_items(client: Client) -> None:
    client.simulator.clear_requests()
    await client.batch([BOARDROOM, NOBODY])
    (record,) = client.simulator.requests
    assert (record.path, record.status) == ("/v1.0/$batch", 200)
    assert [(one.method, one.path, one.status) for one in record.items] == [
        ("GET", BOARDROOM, 200),
        ("GET", NOBODY, 404),
    ]
