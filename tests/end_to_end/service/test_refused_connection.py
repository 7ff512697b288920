"""A connection that is refused for good takes down nothing but itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from placed_microsoft365.simulator import App
    from tests.support.deployment import Deployment, Running

SELDOM = 300.0  # seconds between two tries


@pytest.fixture
def apps(deployment: Deployment) -> tuple[App, App]:
    """The boardroom is read with one registration, the library with another."""
    deployment.tenant.add_person("ada")
    group = deployment.tenant.add_group("placed-rooms", members=["boardroom", "library"])
    apps = tuple(
        deployment.connect(
            name, rooms=[room], more='[connections.fence]\ncanaries = ["ada@contoso.example"]\n'
        )
        for name, room in (("one", "boardroom"), ("two", "library"))
    )
    for app in apps:
        deployment.tenant.restrict(app, group)
    deployment.configure()
    return apps[0], apps[1]


async def read_again(deployment: Deployment, room: str) -> None:
    """The room is asked for once more."""
    before = asked_for(deployment, room)
    async with deployment.listener(f"placed/rooms/{room}/event") as panel:
        meeting = deployment.tenant.book(
            room, deployment.clock.now(), deployment.clock.now().replace(year=2099)
        )
        await panel.until(lambda a: a.document["event"] == "started")
        deployment.tenant.delete(meeting)
        await panel.until(lambda a: a.document["event"] == "cancelled")
    assert asked_for(deployment, room) > before


def asked_for(deployment: Deployment, room: str) -> int:
    return sum(f"/users/{room}@" in path for items in deployment.batches for path in items)


def refused_logins(deployment: Deployment) -> int:
    return sum(r.path.endswith("/token") and r.status == 401 for r in deployment.simulator.requests)


async def test_refused_at_the_start_it_is_unknown_with_the_reason_and_the_other_goes_on(
    deployment: Deployment, apps: tuple[App, App]
) -> None:
    deployment.tenant.expire_secrets(apps[1])
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        await refused(deployment, running)
        assert (await web.room("library"))["reason"] == "refused"
        assert (await web.room("boardroom"))["status"] == "free"
        await panel.message("placed/rooms/library/availability", "offline")


async def test_refused_later_its_rooms_are_unknown_at_once_and_the_other_goes_on(
    deployment: Deployment, apps: tuple[App, App]
) -> None:
    async with deployment.daemon() as running, deployment.listener() as panel:
        await panel.message("placed/rooms/library/status", "free")
        deployment.tenant.expire_secrets(apps[1])
        deployment.tenant.expire_tokens(apps[1])
        await panel.message("placed/rooms/library/availability", "offline")
        await refused(deployment, running)


async def refused(deployment: Deployment, running: Running) -> None:
    """The second connection is; this is reported everywhere, and it is not tried again before its time."""
    async with deployment.ways_out(running) as (panel, web), web.follow() as stream:
        state = await panel.until(
            lambda a: a.topic == "placed/rooms/library/state" and a.document["status"] == "unknown"
        )
        assert state.document["reason"] == "refused"
        health = await stream.health("two", "refused")
        assert health["problem"] == "sign-in refused: AADSTS7000222"
        assert "make a new one" in health["remedy"]
        bridge = await panel.until(
            lambda a: (
                a.topic == "placed/bridge/health"
                and [c["state"] for c in a.document["connections"]] == ["ok", "refused"]
            )
        )
        assert bridge.document["connections"][1]["remedy"] == health["remedy"]
        assert await web.metric("placed_connection_up", connection="one") == 1
        assert await web.metric("placed_connection_up", connection="two") == 0
        status, problem = await web.get("/readyz")
        assert status == 503
        assert "AADSTS7000222" in problem

        tried, read = refused_logins(deployment), asked_for(deployment, "library")
        assert tried == 1
        await read_again(deployment, "boardroom")
        deployment.clock.leap(SELDOM - 30)
        await read_again(deployment, "boardroom")
        assert refused_logins(deployment) == tried
        heard = len(panel.arrivals)
        deployment.clock.leap(60)
        await panel.until(lambda a: a.topic == "placed/bridge/health", after=heard)
        await stream.health("two", "refused")
        assert refused_logins(deployment) == tried + 1
        assert asked_for(deployment, "library") == read
        assert len([e for e in running.logged("connection.failed") if e["connection"] == "two"]) == 1
        assert not running.task.done()


async def test_a_new_secret_heals_it_without_a_restart(deployment: Deployment, apps: tuple[App, App]) -> None:
    """The file is read at a reload or a start; a secret that was corrected at the service is enough here."""
    before = list(apps[1].secrets)
    deployment.tenant.expire_secrets(apps[1])
    async with deployment.daemon() as running, deployment.listener() as panel:
        await panel.message("placed/rooms/library/status", "unknown")
        apps[1].secrets = before
        deployment.clock.leap(SELDOM * 1.2)
        await panel.message("placed/rooms/library/status", "free")
        await running.has_logged("connection.recovered")
        assert len(running.logged("connection.recovered")) == 1


async def test_without_any_connection_left_the_daemon_keeps_running_and_reports_it(
    deployment: Deployment, apps: tuple[App, App]
) -> None:
    """Only a start is refused with an exit: later there may be panels that have to be informed."""
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        await panel.message("placed/rooms/library/status", "free")
        for app in apps:
            deployment.tenant.expire_secrets(app)
            deployment.tenant.expire_tokens(app)
        for room in ("boardroom", "library"):
            await panel.message(f"placed/rooms/{room}/status", "unknown")
        assert (await web.get("/healthz"))[0] == 200
        assert (await web.get("/readyz"))[0] == 503
        assert not running.task.done()
