"""What heals by itself is waited for: the start is not refused, and nobody has to do anything afterwards."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed_microsoft365.simulator import Where

if TYPE_CHECKING:
    from tests.support.deployment import Deployment, Running
    from tests.support.mosquitto import Subscriber

BEGUN = ("connection.failed", "rooms.became_unreadable", "rooms.were_not_found")
OVER = ("connection.recovered", "rooms.became_readable")
STATUS = "placed/rooms/boardroom/status"
STATE = "placed/rooms/boardroom/state"


async def once(running: Running) -> tuple[Any, Any]:
    """What began and ended; each is in the log once, however often it was tried meanwhile."""
    await running.has_logged(*OVER)  # a panel may hear of a room before its round is over
    (begun,), (over,) = running.logged(*BEGUN), running.logged(*OVER)
    assert running.logs.index(begun) < running.logs.index(over)
    return begun, over


async def several_tries(deployment: Deployment) -> None:
    """Time passes; whatever is tried again is tried, and more than once."""
    async with deployment.listener("placed/bridge/health") as panel:
        for _ in range(3):
            heard = len(panel.arrivals)
            deployment.clock.leap(70)
            await panel.until(lambda a: a.document["connections"][0]["state"] == "failing", after=heard)


async def unknown(panel: Subscriber, reason: str) -> None:
    await panel.until(
        lambda a: a.topic == STATE and a.document["status"] == "unknown" and a.document["reason"] == reason
    )


async def test_a_service_that_is_not_there_at_the_start_is_waited_for(deployment: Deployment) -> None:
    async with deployment.listener() as panel, AsyncExitStack() as outage:
        await outage.enter_async_context(deployment.outage())
        async with deployment.daemon() as running:
            await unknown(panel, "unavailable")
            await several_tries(deployment)
            await outage.aclose()
            deployment.clock.leap(70)
            await panel.message(STATUS, "free")
            await panel.message("placed/rooms/library/status", "free")
            await once(running)


@pytest.mark.parametrize("where", [Where.LOGIN, Where.DISCOVERY, Where.GRAPH])
async def test_a_host_that_hangs_up_at_the_start_is_waited_for(deployment: Deployment, where: Where) -> None:
    deployment.tenant.faults.drop(where=where)
    async with deployment.daemon() as running, deployment.listener() as panel:
        await several_tries(deployment)
        deployment.tenant.faults.clear()
        deployment.clock.leap(70)
        await panel.message(STATUS, "free")
        await once(running)


async def test_a_login_host_that_is_out_of_order_at_the_start_is_waited_for(deployment: Deployment) -> None:
    deployment.tenant.faults.login_error(90033)
    async with deployment.daemon() as running, deployment.listener() as panel:
        await several_tries(deployment)
        deployment.tenant.faults.clear()
        deployment.clock.leap(70)
        await panel.message(STATUS, "free")
        await once(running)


async def test_host_names_that_do_not_resolve_at_the_start_are_retried(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A building's network is often up before its DNS is."""
    known = socket.getaddrinfo

    def forgetful(host: Any, *arguments: Any, **more: Any) -> Any:
        if host == "localhost":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", forgetful)
    deployment.configure(mqtt={"url": f"mqtt://localhost:{deployment.broker.port}"})
    async with deployment.daemon(ready=False) as running, deployment.listener() as panel:
        # In either order: both have looked for a name that nobody knew.
        await running.has_logged(*BEGUN)
        await running.has_logged("broker.was_not_reached")
        deployment.clock.leap(70)
        assert not running.task.done()
        monkeypatch.undo()
        deployment.clock.leap(70)
        await panel.message(STATUS, "free")
        await running.ready()
        await once(running)
        await running.has_logged("broker.connected")
        assert len(running.logged("broker.was_not_reached")) == 1
        assert len(running.logged("broker.connected")) == 1


async def test_a_name_that_does_not_exist_ends_nothing(deployment: Deployment) -> None:
    text = deployment.configure(mqtt={"url": "mqtt://broker.invalid"}).read_text()
    deployment.file.write_text(text.replace(deployment.simulator.url, "https://graph.invalid"))
    async with deployment.daemon(ready=False) as running:
        begun = await running.has_logged(*BEGUN)
        await running.has_logged("broker.was_not_reached")
        assert not running.task.done()
        assert begun.get("reason") == "unavailable"


async def test_a_broker_that_is_not_there_at_the_start_is_waited_for(deployment: Deployment) -> None:
    await deployment.broker.stop()
    deployment.tenant.book("library", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
    async with deployment.daemon(ready=False) as running:
        async with running.web() as web, web.follow() as stream:
            await stream.state("library", status="busy")
            await running.has_logged("broker.was_not_reached")
            assert (await web.get("/readyz"))[0] == 503
            await deployment.broker.start()
            await running.ready()
            assert (await web.get("/readyz"))[0] == 200
        async with deployment.listener() as panel:
            await panel.message("placed/rooms/library/status", "busy")
            await panel.message(STATUS, "free")
        assert len(running.logged("broker.was_not_reached")) == 1
        assert len(running.logged("broker.connected")) == 1


async def test_consent_that_is_not_given_yet_is_waited_for(deployment: Deployment) -> None:
    app = deployment.connect(roles=())
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        await unknown(panel, "forbidden")
        health = await panel.until(
            lambda a: (
                a.topic == "placed/bridge/health" and a.document["connections"][0]["consent"] == "missing"
            )
        )
        assert "consent" in health.document["connections"][0]["remedy"]
        assert (await web.get("/readyz"))[0] == 503
        deployment.tenant.grant(app, "Calendars.Read")
        deployment.tenant.expire_tokens(app)
        deployment.clock.leap(330)
        await panel.message(STATUS, "free")
        await once(running)
        await panel.until(
            lambda a: (
                a.topic == "placed/bridge/health" and a.document["connections"][0]["consent"] == "granted"
            )
        )


async def test_permission_to_see_the_group_that_is_not_given_yet_is_waited_for(
    deployment: Deployment,
) -> None:
    group = deployment.tenant.add_group("placed-rooms", members=["boardroom"])
    app = deployment.connect(room_group=group.address, roles=["Calendars.Read"])
    async with deployment.daemon() as running, deployment.listener() as panel:
        assert running.daemon.board.rooms == []
        deployment.tenant.grant(app, "GroupMember.Read.All")
        deployment.tenant.expire_tokens(app)
        deployment.clock.leap(330)
        await panel.message(STATUS, "free")
        await once(running)


async def test_an_access_policy_that_is_not_in_effect_yet_is_waited_for(deployment: Deployment) -> None:
    """The rooms are in the group, but Exchange will only see that half an hour later."""
    group = deployment.tenant.add_group("placed-rooms")
    app = deployment.connect()
    deployment.tenant.restrict(app, group)
    for room in ("boardroom", "library"):
        deployment.tenant.add_member(group, room, delay=timedelta(minutes=30))
    async with deployment.daemon() as running, deployment.listener() as panel:
        await unknown(panel, "forbidden")
        for _ in range(3):
            deployment.clock.leap(11 * 60)
        await panel.message(STATUS, "free")
        await once(running)


async def test_a_room_that_does_not_exist_is_the_only_unknown_one(deployment: Deployment) -> None:
    deployment.connect(rooms=["boardroom", "nowhere"])
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        await panel.message(STATUS, "free")
        nowhere = await panel.message("placed/rooms/nowhere/state")
        await panel.until(
            lambda a: a.topic == "placed/rooms/nowhere/state" and a.document["reason"] == "not_found"
        )
        assert nowhere.document["status"] == "unknown"
        assert (await web.get("/readyz"))[0] == 200
        deployment.tenant.add_room("nowhere")
        deployment.clock.leap(330)
        await panel.message("placed/rooms/nowhere/status", "free")
        begun, _ = await once(running)
        assert begun["reason"] == "not_found"
        assert begun["rooms"] == ["nowhere"]


async def test_an_empty_group_is_no_mistake(deployment: Deployment) -> None:
    group = deployment.tenant.add_group("placed-rooms")
    deployment.connect(room_group=group.address)
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        assert running.daemon.board.rooms == []
        assert (await web.json("/api/v1/rooms"))["rooms"] == []
        assert (await panel.message("placed/rooms")).document["rooms"] == []
        deployment.tenant.add_member(group, "boardroom")
        deployment.clock.leap(15)
        await panel.message(STATUS, "free")
        assert not running.logged(*BEGUN)


async def test_a_group_that_does_not_exist_yet_is_waited_for(deployment: Deployment) -> None:
    deployment.connect(room_group="placed-rooms@contoso.example")
    async with deployment.daemon() as running, deployment.listener() as panel:
        deployment.tenant.add_group("placed-rooms", members=["boardroom"])
        deployment.clock.leap(330)
        await panel.message(STATUS, "free")
        begun, _ = await once(running)
        assert "room_group" in begun["remedy"]
