"""Limits hold for each app and mailbox, and for each app."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed_microsoft365.simulator import Tenant
    from tests.drivers.microsoft365.simulator.conftest import Clock, HeldSleep
    from tests.drivers.microsoft365.simulator.simulator_client import Client

BOARDROOM = "boardroom@contoso.example"
LIBRARY = "library@contoso.example"
VIEW = "/calendarView?startDateTime=2026-10-06T00:00:00Z&endDateTime=2026-10-07T00:00:00Z"


async def test_a_mailbox_over_its_limit_returns_retry_after(
    client: Client, tenant: Tenant, clock: Clock
) -> None:
    tenant.limits.mailbox_requests = 2
    tenant.limits.mailbox_window = timedelta(seconds=10)
    for _ in range(2):
        assert (await client.view(BOARDROOM)).status == 200
    clock.advance(seconds=7.872)
    answer = await client.view(BOARDROOM)
    assert (answer.status, answer.code) == (429, "TooManyRequests")
    assert answer.headers["Retry-After"] == "2.128"
    assert (await client.view(LIBRARY)).status == 200
    clock.advance(seconds=2.128)
    assert (await client.view(BOARDROOM)).status == 200


async def test_a_mailbox_answers_four_requests_at_once(
    client: Client, tenant: Tenant, held_sleep: HeldSleep
) -> None:
    tenant.faults.delay(5.0)
    async with asyncio.TaskGroup() as group:
        four = [group.create_task(client.view(BOARDROOM)) for _ in range(4)]
        await held_sleep.until_asleep(4)
        fifth = await client.view(BOARDROOM)
        await held_sleep.let_go()
    assert (fifth.status, fifth.code, fifth.headers["Retry-After"]) == (429, "ApplicationThrottled", "1")
    assert [task.result().status for task in four] == [200] * 4
    assert (await client.view(BOARDROOM)).status == 200


async def test_a_batch_sends_four_items_at_once(
    client: Client, tenant: Tenant, held_sleep: HeldSleep
) -> None:
    tenant.faults.delay(5.0)
    async with asyncio.TaskGroup() as group:
        batch = group.create_task(client.batch([f"/users/{BOARDROOM}{VIEW}"] * 20))
        await held_sleep.until_asleep(4)
        await held_sleep.let_go()
    assert [item["status"] for item in batch.result().values()] == [200] * 20
    assert held_sleep.lengths == [5.0] * 20


async def test_the_whole_app_can_be_throttled(client: Client, tenant: Tenant, clock: Clock) -> None:
    tenant.limits.app_requests = 2
    assert (await client.view(BOARDROOM)).status == 200
    assert (await client.view(LIBRARY)).status == 200
    assert (await client.view(BOARDROOM)).status == 429
    assert (await client.get("/places/microsoft.graph.room")).status == 429
    clock.advance(seconds=10)
    assert (await client.view(BOARDROOM)).status == 200


async def test_one_app_does_not_throttle_another(client: Client, tenant: Tenant) -> None:
    tenant.limits.mailbox_requests = 1
    for expected in (200, 429):
        assert (await client.view(BOARDROOM)).status == expected
    client.app = tenant.register_app(secrets=["other"], roles={"Calendars.Read"})
    await client.log_in()
    assert (await client.view(BOARDROOM)).status == 200


async def test_a_late_answer_is_throttled_or_refused_like_any_other(client: Client, tenant: Tenant) -> None:
    tenant.faults.delay(5.0, room="boardroom")
    assert (await client.view("nobody@contoso.example")).status == 404
    tenant.limits.mailbox_requests = 0
    assert (await client.view(BOARDROOM)).status == 429
