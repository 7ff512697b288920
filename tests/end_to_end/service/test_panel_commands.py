"""A panel's command changes the calendar, and the room's statement follows, by both ways in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from placed.settings.loader import load
from tests.support.acting_panels import TOKEN, panels_file, payload, post, with_actions

if TYPE_CHECKING:
    from tests.support.deployment import Deployment

ROOMS = "placed/rooms/boardroom"
MINUTE = timedelta(minutes=1)


async def test_a_room_is_booked_over_mqtt_and_its_statement_follows(deployment: Deployment) -> None:
    with_actions(deployment)
    until = deployment.clock.now().replace(second=0, microsecond=0) + 30 * MINUTE
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, _):
        await running.has_logged("commands.are_taken")
        key = str(uuid4())
        await panel.publish(f"{ROOMS}/command/book", payload(key, until))
        accepted = await panel.message(f"{ROOMS}/response")
        assert (accepted.document["key"], accepted.document["outcome"]) == (key, "accepted")
        final = await panel.until(lambda a: a.topic == f"{ROOMS}/response" and a is not accepted)
        assert (final.document["outcome"], final.document["reason"]) == ("done", None)
        state = await panel.until(lambda a: a.topic == f"{ROOMS}/state" and a.document["status"] == "busy")
        assert (state.document["epoch"], state.document["seq"]) >= (
            final.document["epoch"],
            final.document["seq"],
        )
        assert len(deployment.tenant.meetings("boardroom")) == 1


async def test_a_room_is_booked_over_http_once_whatever_is_repeated(deployment: Deployment) -> None:
    with_actions(deployment)
    until = deployment.clock.now().replace(second=0, microsecond=0) + 30 * MINUTE
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        key = str(uuid4())
        answers = [await post(web.url, "book", key=key, until=until) for _ in range(3)]
        assert {status for status, _ in answers} <= {200, 202}
        await panel.until(lambda a: a.topic == f"{ROOMS}/state" and a.document["status"] == "busy")
        assert len(deployment.tenant.meetings("boardroom")) == 1


async def test_without_actions_no_command_is_taken(deployment: Deployment) -> None:
    panels = str(panels_file(deployment.folder))
    deployment.configure(http={"listen": "127.0.0.1:0", "panel_tokens": panels})
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        assert (await post(web.url, "book"))[0] == 409
        await panel.publish(f"{ROOMS}/command/book", payload(str(uuid4())))
        await panel.caught_up()
        assert panel.on(f"{ROOMS}/response") == []
        assert running.logged("commands.are_taken") == []
    assert TOKEN not in str(running.logs)


CHECK_IN = '\n[connections.check_in]\n[connections.no_show]\nmode = "rehearse"\n'


@pytest.mark.parametrize("tables", ["", CHECK_IN])
async def test_without_actions_no_request_that_changes_anything_leaves_the_program(
    deployment: Deployment, tables: str
) -> None:
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now - 5 * MINUTE, now + 60 * MINUTE)
    # Even if the administrator gave the registration that reads too much.
    deployment.connect(more=tables, roles=["Calendars.ReadWrite"])
    panels = str(panels_file(deployment.folder))
    deployment.configure(http={"listen": "127.0.0.1:0", "panel_tokens": panels})
    meeting, until = now - 5 * MINUTE, now + 90 * MINUTE
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        await panel.until(lambda a: a.topic == f"{ROOMS}/state" and a.document["occupied"])
        for action in ("end", "extend", "book"):
            status, _ = await post(web.url, action, meeting=meeting, until=until)
            assert status == 409
            command = payload(str(uuid4()), until, meeting)
            await panel.publish(f"{ROOMS}/command/{action}", command)
        await deployment.simulator.asked(5)
    requests = deployment.simulator.requests
    changing = [
        record
        for record in requests
        if record.method != "GET"
        and not (record.path.endswith("/$batch") and {item.method for item in record.items} == {"GET"})
        and not record.path.endswith("/oauth2/v2.0/token")
    ]
    assert changing == []
    assert len(deployment.tenant.meetings("boardroom")) == 1


async def test_a_reload_takes_up_other_tokens_and_the_end_of_actions(deployment: Deployment) -> None:
    with_actions(deployment)
    until = deployment.clock.now().replace(second=0, microsecond=0) + 30 * MINUTE
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        await running.has_logged("commands.are_taken")

        async def reload() -> None:
            await running.daemon.change(running.daemon.prepare(load(deployment.file)))

        panels_file(deployment.folder, token="another")
        await reload()
        assert (await post(web.url, "book", until=until))[0] == 401
        assert (await post(web.url, "book", until=until, token="another"))[0] in (200, 202)
        assert len(running.logged("commands.are_taken")) == 1, "the connection to the broker went on"

        deployment.connections = [deployment.connections[0].partition("[connections.actions]")[0]]
        panels = str(deployment.folder / "panels.toml")
        deployment.configure(http={"listen": "127.0.0.1:0", "panel_tokens": panels})
        await reload()
        await panel.publish(f"{ROOMS}/command/book", payload(str(uuid4()), until))
        await panel.caught_up()
        assert panel.on(f"{ROOMS}/response") == []
        assert (await post(web.url, "book", until=until, token="another"))[0] == 409
