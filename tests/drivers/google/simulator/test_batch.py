"""A batch answers each part by itself, in any order, with the Content-ID of its question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed_google.simulator import Where
from tests.drivers.google.simulator.conftest import BOARDROOM, LIBRARY
from tests.drivers.google.simulator.plain_client import DAY, events_path, parts_of

if TYPE_CHECKING:
    from placed_google.simulator import Simulator, Workspace
    from tests.drivers.google.simulator.plain_client import PlainClient

ROOM = f"{events_path(BOARDROOM)}?{DAY}"
OTHER = f"{events_path(LIBRARY)}?{DAY}"
NOBODY = f"{events_path('nobody@fabrikam.example')}?{DAY}"


async def statuses(client: PlainClient, *targets: str) -> dict[str | None, int]:
    return {part.content_id: part.status for part in parts_of(await client.batch(targets))}


async def test_each_part_has_a_status_of_its_own(client: PlainClient) -> None:
    answer = await client.batch([ROOM, NOBODY])
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("multipart/mixed; boundary=")
    found = {part.content_id: part for part in parts_of(answer)}
    assert found["<response-0>"].json["accessRole"] == "reader"
    assert found["<response-1>"].status == 404
    assert found["<response-1>"].json["error"]["errors"][0]["reason"] == "notFound"


async def test_parts_come_in_another_order(client: PlainClient) -> None:
    order = [part.content_id for part in parts_of(await client.batch([ROOM] * 20))]
    assert order != [f"<response-{number}>" for number in range(20)]
    assert set(order) == {f"<response-{number}>" for number in range(20)}


@pytest.mark.parametrize("content_id", ["<0 + 1>", "<a@b>", "<0>", "0"])
async def test_a_content_id_comes_back_character_by_character(
    client: PlainClient, workspace: Workspace, content_id: str
) -> None:
    (part,) = parts_of(await client.batch([ROOM], [content_id]))
    assert part.content_id == f"<response-{content_id.strip('<>')}>"
    workspace.answers.content_ids_get_a_prefix = False
    (part,) = parts_of(await client.batch([ROOM], [content_id]))
    assert part.content_id == content_id


async def test_a_part_without_a_content_id_comes_back_without_one(client: PlainClient) -> None:
    (part,) = parts_of(await client.batch([ROOM], [None]))
    assert (part.content_id, part.status) == (None, 200)


@pytest.mark.parametrize("content_ids", [["<0>", "<0>"], [None, None]])
async def test_two_requests_with_one_content_id_are_refused(
    client: PlainClient, content_ids: list[str | None]
) -> None:
    """Google: google-api-dotnet-client 1969, since 2021; without any, both have the same."""
    answer = await client.batch([ROOM, OTHER], content_ids)
    assert (answer.status, answer.reason) == (400, "badRequest")


async def test_a_thousand_parts_are_answered_and_one_more_refused(
    client: PlainClient, workspace: Workspace
) -> None:
    workspace.limits.per_user_minute = None
    assert len(parts_of(await client.batch([NOBODY] * 1000))) == 1000
    answer = await client.batch([NOBODY] * 1001)
    assert (answer.status, answer.reason) == (400, "badRequest")


@pytest.mark.parametrize("target", ["https://www.googleapis.com/calendar/v3/calendars", "calendars"])
async def test_a_part_is_a_path_without_a_host(client: PlainClient, target: str) -> None:
    assert (await client.batch([target])).status == 400


async def test_what_is_no_batch_is_refused(client: PlainClient) -> None:
    assert (await client.batch([])).status == 400
    assert (await client.post("/batch/calendar/v3", {})).status == 400
    assert (await client.get("/batch/calendar/v3")).status == 404
    assert (await client.post("/batch", {})).status == 404


async def test_a_batch_needs_a_token(client: PlainClient) -> None:
    client.token = "nonsense"
    answer = await client.batch([ROOM])
    assert (answer.status, answer.reason) == (401, "authError")


async def test_the_request_log_lists_the_parts(client: PlainClient, simulator: Simulator) -> None:
    simulator.clear_requests()
    await client.batch([ROOM, NOBODY])
    (record,) = simulator.requests
    assert (record.path, record.status) == ("/batch/calendar/v3", 200)
    assert [(one.method, one.path, one.status) for one in record.items] == [
        ("GET", ROOM, 200),
        ("GET", NOBODY, 404),
    ]


@pytest.mark.parametrize("status", [403, 429])
async def test_a_part_is_throttled_by_itself(client: PlainClient, workspace: Workspace, status: int) -> None:
    workspace.faults.throttled(status, room="library")
    assert await statuses(client, ROOM, OTHER) == {"<response-0>": 200, "<response-1>": status}


async def test_a_part_fails_by_itself(client: PlainClient, workspace: Workspace) -> None:
    workspace.faults.status(500, room="boardroom", times=1)
    workspace.faults.html(status=502, room="library", times=1)
    found = {part.content_id: part for part in parts_of(await client.batch([ROOM, OTHER]))}
    assert found["<response-0>"].json["error"]["errors"][0]["reason"] == "backendError"
    assert found["<response-1>"].body.startswith(b"<!DOCTYPE html>")
    assert await statuses(client, ROOM, OTHER) == {"<response-0>": 200, "<response-1>": 200}


async def test_a_part_whose_connection_is_lost_is_a_gateways_page(
    client: PlainClient, workspace: Workspace
) -> None:
    workspace.faults.drop(room="boardroom", where=Where.CALENDAR)
    assert await statuses(client, ROOM, OTHER) == {"<response-0>": 502, "<response-1>": 200}


async def test_a_batch_that_is_cut_has_no_end(client: PlainClient, workspace: Workspace) -> None:
    workspace.faults.truncated(where=Where.BATCH)
    answer = await client.batch([ROOM, OTHER])
    boundary = answer.headers["Content-Type"].partition("boundary=")[2].encode()
    assert answer.body.count(b"--" + boundary) == 2
    assert not answer.body.endswith(b"--\r\n")


async def test_two_parts_may_carry_one_content_id(client: PlainClient, workspace: Workspace) -> None:
    workspace.faults.duplicate_part()
    parts = parts_of(await client.batch([ROOM, NOBODY]))
    assert [part.content_id for part in parts] == ["<response-0>"] * 2
    assert {part.status for part in parts} == {200, 404}


async def test_a_part_may_be_missing_unknown_or_nameless(client: PlainClient, workspace: Workspace) -> None:
    workspace.faults.missing_part(room="library", times=1)
    assert await statuses(client, ROOM, OTHER) == {"<response-0>": 200}
    workspace.faults.unknown_part(times=1)
    assert (await statuses(client, ROOM))["<response-nobody-asked>"] == 200
    workspace.faults.no_content_id(times=1)
    assert await statuses(client, ROOM, OTHER) == {None: 200, "<response-1>": 200}
