"""Faults of writes: refused, done without an answer, and slow to show."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import pytest

from placed_google.simulator import Role, Where
from tests.drivers.google.simulator.conftest import BOARDROOM, LIBRARY
from tests.drivers.google.simulator.plain_client import events_path
from tests.drivers.google.simulator.test_event_writing import EVENTS, SCOPE, body

if TYPE_CHECKING:
    from placed_google.simulator import Workspace
    from placed_google.simulator.workspace.calendar_model import EventWrite
    from tests.drivers.google.simulator.conftest import Clock
    from tests.drivers.google.simulator.plain_client import PlainClient


@pytest.fixture
async def writer(client: PlainClient, workspace: Workspace) -> PlainClient:
    """The client, which may write to both calendars."""
    for room in (BOARDROOM, LIBRARY):
        workspace.share(room, client.account, Role.WRITER)
    await client.sign_in(scope=SCOPE)
    return client


async def test_a_write_is_refused_and_readings_go_on(writer: PlainClient, workspace: Workspace) -> None:
    workspace.faults.status(412, reason="conditionNotMet", where=Where.WRITE)
    assert (await writer.post(EVENTS, body())).status == 412
    answer = await writer.get(EVENTS)
    assert (answer.status, answer.json["items"]) == (200, [])


async def test_a_write_is_done_and_its_answer_is_that_of_a_gateway(
    writer: PlainClient, workspace: Workspace
) -> None:
    workspace.faults.lost_answer(status=502, room=BOARDROOM)
    assert (await writer.post(EVENTS, body())).status == 502
    assert len(workspace.events(BOARDROOM)) == 1
    assert (await writer.post(events_path(LIBRARY), body())).status == 200


async def test_a_write_is_done_and_the_connection_is_cut(writer: PlainClient, workspace: Workspace) -> None:
    workspace.faults.lost_answer(times=1)
    with pytest.raises(aiohttp.ClientError):
        await writer.post(EVENTS, body())
    assert len(workspace.events(BOARDROOM)) == 1


async def test_a_write_that_was_refused_has_no_answer_to_lose(
    writer: PlainClient, workspace: Workspace
) -> None:
    workspace.faults.lost_answer()
    assert (await writer.post(EVENTS, body("09:00", "08:00"))).status == 400


async def test_lists_and_free_busy_show_a_write_after_the_delay_that_is_set(
    writer: PlainClient, workspace: Workspace, clock: Clock
) -> None:
    workspace.answers.visible_after = timedelta(seconds=5)
    booked = (await writer.post(EVENTS, body())).json
    assert (await writer.get(EVENTS)).json["items"] == []
    assert (await writer.get(f"{EVENTS}/{booked['id']}")).status == 200
    clock.advance(seconds=5)
    assert len((await writer.get(EVENTS)).json["items"]) == 1
    await writer.delete(f"{EVENTS}/{booked['id']}")
    assert [one["status"] for one in (await writer.get(EVENTS)).json["items"]] == ["confirmed"]
    clock.advance(seconds=5)
    assert (await writer.get(EVENTS)).json["items"] == []


async def test_a_clock_that_is_set_back_hides_no_write_for_longer(
    writer: PlainClient, workspace: Workspace, clock: Clock
) -> None:
    workspace.answers.visible_after = timedelta(seconds=5)
    await writer.post(EVENTS, body())
    assert (await writer.get(EVENTS)).json["items"] == []
    clock.advance(hours=-1)
    assert len((await writer.get(EVENTS)).json["items"]) == 1


async def test_what_applications_write_is_reported_with_what_was_before(
    writer: PlainClient, workspace: Workspace
) -> None:
    writes: list[EventWrite] = []
    workspace.on_write = writes.append
    booked = (await writer.post(EVENTS, body())).json
    await writer.patch(f"{EVENTS}/{booked['id']}", {"end": {"dateTime": "2026-12-02T08:30:00Z"}})
    await writer.delete(f"{EVENTS}/{booked['id']}?sendUpdates=all")
    assert [(w.before is None, w.after is None, w.notifies) for w in writes] == [
        (True, False, False),
        (False, False, False),
        (False, True, True),
    ]
    assert all(write.calendar.id == BOARDROOM for write in writes)
