"""Requests are counted in a sliding minute, by account and by project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.google.simulator.conftest import BOARDROOM
from tests.drivers.google.simulator.plain_client import DAY, events_path, parts_of

if TYPE_CHECKING:
    from placed_google.simulator import Workspace
    from tests.drivers.google.simulator.conftest import Clock
    from tests.drivers.google.simulator.plain_client import PlainClient

ROOM = f"{events_path(BOARDROOM)}?{DAY}"


async def status(client: PlainClient) -> int:
    return (await client.events(BOARDROOM)).status


async def test_a_request_too_much_is_refused_as_403_and_as_429_in_turns(
    client: PlainClient, workspace: Workspace
) -> None:
    workspace.limits.per_user_minute = 1
    assert await status(client) == 200
    first, second = await client.events(BOARDROOM), await client.events(BOARDROOM)
    assert [(one.status, one.reason) for one in (first, second)] == [
        (403, "rateLimitExceeded"),
        (429, "rateLimitExceeded"),
    ]
    assert first.json["error"]["errors"][0]["domain"] == "usageLimits"
    assert "Queries per minute per user" in first.json["error"]["message"]
    assert "Retry-After" not in first.headers


async def test_the_minute_slides(client: PlainClient, workspace: Workspace, clock: Clock) -> None:
    workspace.limits.per_user_minute = 2
    assert await status(client) == 200
    clock.advance(seconds=40)
    assert await status(client) == 200
    assert await status(client) == 403
    clock.advance(seconds=20)
    assert await status(client) == 200
    assert await status(client) == 429
    clock.advance(seconds=40)
    assert await status(client) == 200


@pytest.mark.parametrize("limit", ["per_user_minute", "per_project_minute", "per_project_day"])
async def test_a_clock_that_is_set_back_uses_up_no_limit(
    client: PlainClient, workspace: Workspace, clock: Clock, limit: str
) -> None:
    setattr(workspace.limits, limit, 2)
    assert [await status(client) for _ in range(3)] == [200, 200, 403]
    clock.advance(hours=-1)
    assert await status(client) == 200
    clock.advance(seconds=30)
    assert await status(client) == 200
    assert await status(client) >= 400


async def test_each_part_of_a_batch_counts(client: PlainClient, workspace: Workspace) -> None:
    workspace.limits.per_user_minute = 3
    parts = parts_of(await client.batch([ROOM] * 5))
    assert sorted(part.status for part in parts) == [200, 200, 200, 403, 429]


async def test_another_account_has_a_quota_of_its_own_within_the_projects(
    client: PlainClient, workspace: Workspace
) -> None:
    workspace.limits.per_user_minute = 1
    other = workspace.add_service_account("other")
    workspace.share_rooms(other)
    assert [await status(client), await status(client)] == [200, 403]
    client.use_key_of(other)
    await client.sign_in()
    assert await status(client) == 200
    workspace.limits.per_user_minute = None
    workspace.limits.per_project_minute = 2
    assert "limit 'Queries per minute' " in (await client.events(BOARDROOM)).json["error"]["message"]


async def test_the_limit_of_a_day_counts_parts_or_batches(
    client: PlainClient, workspace: Workspace, clock: Clock
) -> None:
    workspace.limits.per_project_day = 2
    parts = parts_of(await client.batch([ROOM] * 3))
    assert sorted(part.status for part in parts) == [200, 200, 403]
    assert (await client.events(BOARDROOM)).reason == "dailyLimitExceeded"
    clock.advance(days=1)
    await client.sign_in()
    workspace.answers.daily_limit_counts_parts = False
    parts = parts_of(await client.batch([ROOM] * 3))
    assert [part.status for part in parts] == [200] * 3
    assert [await status(client), await status(client)] == [200, 403]


async def test_the_default_is_six_hundred_a_minute(client: PlainClient) -> None:
    parts = parts_of(await client.batch([ROOM] * 601))
    assert sorted(part.status for part in parts) == [200] * 600 + [403]
