"""Each fault goes wrong as it does at the real hosts, and is over after its time."""

from __future__ import annotations

import asyncio
import json
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest

from placed_google.simulator import BAD_EVENTS, WRONG_TYPES, Fault, Kind, Simulator, Where
from tests.drivers.google.simulator.conftest import BOARDROOM, LIBRARY

if TYPE_CHECKING:
    from placed_google.simulator import SimRoom, Workspace
    from tests.drivers.google.simulator.plain_client import PlainClient


@pytest.fixture(autouse=True)
def _meeting(workspace: Workspace, boardroom: SimRoom) -> None:
    begin = datetime(2026, 12, 2, 8, tzinfo=UTC)
    workspace.book(boardroom, begin, begin.replace(hour=9), summary="Planning")


async def test_a_fault_hits_its_room_and_is_over_after_its_times(
    client: PlainClient, workspace: Workspace
) -> None:
    workspace.faults.status(503, room="boardroom", times=2)
    assert (await client.events(LIBRARY)).status == 200
    assert [(await client.events(BOARDROOM)).status for _ in range(3)] == [503, 503, 200]


async def test_a_fault_is_removed_or_all_are(client: PlainClient, workspace: Workspace) -> None:
    first = workspace.faults.forbidden()
    workspace.faults.abused()
    assert (await client.events(BOARDROOM)).reason == "forbidden"
    workspace.faults.remove(first)
    assert (await client.events(BOARDROOM)).reason == "quotaExceeded"
    workspace.faults.clear()
    assert (await client.events(BOARDROOM)).status == 200


async def test_retry_after_comes_only_if_it_is_given(client: PlainClient, workspace: Workspace) -> None:
    workspace.faults.throttled(429, times=1)
    answer = await client.events(BOARDROOM)
    assert (answer.status, answer.reason) == (429, "rateLimitExceeded")
    assert "Retry-After" not in answer.headers
    workspace.faults.throttled(retry_after="soon", times=1)
    assert (await client.events(BOARDROOM)).headers["Retry-After"] == "soon"
    workspace.faults.day_is_over(times=1)
    assert (await client.events(BOARDROOM)).reason == "dailyLimitExceeded"


@pytest.mark.parametrize(("status", "text"), [(200, b"terms of use"), (502, b"Server Error")])
async def test_a_page_comes_in_place_of_json(
    client: PlainClient, workspace: Workspace, status: int, text: bytes
) -> None:
    workspace.faults.html(status=status)
    answer = await client.events(BOARDROOM)
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert text in answer.body


async def test_an_answer_is_empty_or_cut(client: PlainClient, workspace: Workspace) -> None:
    workspace.faults.empty(times=1)
    assert (await client.events(BOARDROOM)).body == b""
    workspace.faults.truncated(times=1)
    with pytest.raises(json.JSONDecodeError):
        _ = (await client.events(BOARDROOM)).json


async def test_the_connection_is_lost(client: PlainClient, workspace: Workspace) -> None:
    workspace.faults.drop()
    with pytest.raises(aiohttp.ClientError):
        await client.events(BOARDROOM)
    workspace.faults.clear()
    assert (await client.events(BOARDROOM)).status == 200


@pytest.mark.parametrize("detail", BAD_EVENTS)
async def test_one_event_is_unusual(client: PlainClient, workspace: Workspace, detail: str) -> None:
    usual = (await client.events(BOARDROOM)).items
    workspace.faults.bad_event(detail, times=1)
    *others, bad = (await client.events(BOARDROOM)).items
    assert others == usual
    if detail.startswith("missing_"):
        assert detail.removeprefix("missing_") not in bad
    else:
        assert bad.keys() >= {"id", "start", "end"}


@pytest.mark.parametrize("detail", WRONG_TYPES)
async def test_types_are_wrong(client: PlainClient, workspace: Workspace, detail: str) -> None:
    usual = (await client.events(BOARDROOM)).json
    workspace.faults.wrong_types(detail, times=1)
    wrong = (await client.events(BOARDROOM)).json
    assert wrong != usual
    assert (await client.events(BOARDROOM)).json == usual


async def test_pages_have_no_end(client: PlainClient, workspace: Workspace) -> None:
    workspace.faults.endless()
    first = (await client.events(BOARDROOM)).json
    second = (await client.events(BOARDROOM, pageToken=first["nextPageToken"])).json
    assert second["nextPageToken"] == first["nextPageToken"]


async def test_a_good_token_is_refused_once(client: PlainClient, workspace: Workspace) -> None:
    workspace.faults.bad_credentials()
    assert [(await client.events(BOARDROOM)).status for _ in range(2)] == [401, 200]


async def test_the_date_is_another(client: PlainClient, workspace: Workspace) -> None:
    assert (await client.events(BOARDROOM)).headers["Date"] == "Wed, 02 Dec 2026 07:30:00 GMT"
    workspace.faults.date("Wed, 02 Dec 2026 05:30:00 GMT", age="7200", times=1)
    headers = (await client.events(BOARDROOM)).headers
    assert (headers["Date"], headers["Age"]) == ("Wed, 02 Dec 2026 05:30:00 GMT", "7200")


async def test_the_token_host_refuses(client: PlainClient, workspace: Workspace) -> None:
    workspace.faults.oauth("admin_policy_enforced", "Access blocked.", status=403, times=1)
    answer = await client.sign_in()
    assert (answer.status, answer.json["error"]) == (403, "admin_policy_enforced")
    workspace.faults.html(status=503, where=Where.TOKEN, times=1)
    assert (await client.sign_in()).status == 503
    assert (await client.sign_in()).status == 200


async def test_an_answer_comes_late(workspace: Workspace, client: PlainClient) -> None:
    asleep, go = asyncio.Event(), asyncio.Event()

    async def sleep(_seconds: float) -> None:
        asleep.set()
        await go.wait()

    async with Simulator(workspace, sleep=sleep) as simulator:
        workspace.faults.delay(30, room="boardroom")
        url = f"{simulator.url}/calendar/v3/calendars/{BOARDROOM}/events"
        connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=simulator.ca_file))
        async with aiohttp.ClientSession(connector=connector) as session:
            headers = {"Authorization": f"Bearer {client.token}"}
            task = asyncio.create_task(session.get(url, headers=headers))
            await asleep.wait()
            assert not task.done()
            go.set()
            assert (await task).status == 200


async def test_nobody_listens_during_an_outage(client: PlainClient, simulator: Simulator) -> None:
    async with simulator.outage():
        with pytest.raises(aiohttp.ClientError):
            await client.events(BOARDROOM)
    assert (await client.events(BOARDROOM)).status == 200


@pytest.mark.parametrize("fields", [{"times": 0}, {"kind": Kind.BAD_EVENT, "detail": "nothing"}])
def test_a_fault_that_is_none_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"times|detail"):
        Fault(**{"kind": Kind.STATUS, **fields})  # type: ignore[arg-type]
