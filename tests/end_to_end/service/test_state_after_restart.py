"""A start begins with what the last one knew, and panels do not notice that there was one."""

from __future__ import annotations

import asyncio
import signal
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed.runtime.systemd import Supervisor
from tests.support.deadlines import DEADLINE
from tests.support.notify_socket import Manager
from tests.support.placed_process import Program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Arrival, Subscriber

TOPIC = "placed/rooms/boardroom"


async def published_state(panel: Subscriber, *, epoch: int) -> Arrival:
    """The boardroom's first state of that start."""
    return await panel.until(lambda a: a.topic == f"{TOPIC}/state" and a.document["epoch"] == epoch)


async def test_a_start_without_internet_publishes_the_stored_state_with_the_time_of_its_reading(
    deployment: Deployment,
) -> None:
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now - timedelta(minutes=1), now + timedelta(hours=1))
    deployment.configure()
    async with deployment.daemon() as running, deployment.listener() as panel:
        before = (await published_state(panel, epoch=running.daemon.board.epoch)).document
    asked = len(deployment.simulator.requests)
    deployment.clock.leap(60)
    async with deployment.outage(), deployment.listener() as panel, deployment.daemon() as running:
        after = (await published_state(panel, epoch=running.daemon.board.epoch)).document
        assert after["status"] == "busy"
        assert after["epoch"] > before["epoch"]
        assert datetime.fromisoformat(after["observed_at"]) < deployment.clock.now() - timedelta(seconds=59)
        holds = datetime.fromisoformat(after["valid_until"]) - datetime.fromisoformat(after["observed_at"])
        assert holds == timedelta(minutes=15)
        index = await panel.message("placed/rooms")
        assert [entry["id"] for entry in index.document["rooms"]] == ["boardroom", "library"]
        deployment.clock.leap(15 * 60)
        await panel.until(lambda a: a.topic == f"{TOPIC}/state" and a.document["status"] == "unknown")
    assert len(deployment.simulator.requests) == asked


async def test_offline_grace_may_cover_a_day_without_internet(deployment: Deployment) -> None:
    now = deployment.clock.now()
    meeting = (now + timedelta(hours=5), now + timedelta(hours=6))
    deployment.tenant.book("boardroom", *meeting)
    deployment.configure(occupancy={"offline_grace": "12h", "lead": "0s"})
    async with deployment.daemon():
        pass
    async with deployment.outage():
        async with deployment.listener() as panel, deployment.daemon() as running:
            await published_state(panel, epoch=running.daemon.board.epoch)
            await running.failing()
            for hours in (1, 3):
                deployment.clock.leap(hours * 3600)
                state = (await fresh(panel, deployment)).document
                assert (state["status"], state["stale"], state["reason"]) == ("free", True, "unavailable")
                remaining = datetime.fromisoformat(state["valid_until"]) - deployment.clock.now()
                assert remaining <= timedelta(minutes=15)  # a panel believes a daemon that is dead no longer
        async with (
            deployment.listener() as panel,
            deployment.daemon() as running,
        ):  # and a restart changes nothing
            state = (await published_state(panel, epoch=running.daemon.board.epoch)).document
            assert (state["status"], state["stale"], state["reason"]) == ("free", True, "unavailable")
            deployment.clock.leap(3600 * 1.5)
            await panel.until(lambda a: a.topic == f"{TOPIC}/state" and a.document["status"] == "busy")
            deployment.clock.leap(3600 * 7)
            await panel.until(lambda a: a.topic == f"{TOPIC}/state" and a.document["status"] == "unknown")


async def fresh(panel: Subscriber, deployment: Deployment) -> Arrival:
    """The first state of the boardroom that holds now."""
    return await panel.until(
        lambda a: (
            a.topic == f"{TOPIC}/state"
            and a.document["valid_until"] > deployment.clock.now().isoformat().replace("+00:00", "Z")
        )
    )


@pytest.mark.parametrize("way", [signal.SIGUSR1, signal.SIGKILL])
async def test_a_restart_is_not_seen_by_panels(deployment: Deployment, way: signal.Signals) -> None:
    """Not on any topic: only states of the new start come, with the same content."""
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now - timedelta(minutes=1), now + timedelta(hours=1))
    deployment.configure()
    arguments = ("run", "-c", deployment.file, "--log-format", "json", "--verbose")
    async with deployment.listener() as panel:
        async with Program.start(deployment.folder, *arguments) as program:
            ready = await program.logged("daemon.became_ready")
            await program.logged("journal.was_written")
            await panel.caught_up()
            program.signal(way)
            code = await program.ends()
            assert code == (0 if way is signal.SIGUSR1 else -way)
        before = len(panel.arrivals)
        async with deployment.outage(), Program.start(deployment.folder, *arguments) as program:
            again = await program.logged("daemon.became_ready")
            assert again["epoch"] > ready["epoch"]
            await panel.caught_up()
            seen = panel.arrivals[before:]
            states = [a.document for a in seen if a.topic == f"{TOPIC}/state"]
            assert {state["epoch"] for state in states} == {again["epoch"]}
            assert {state["status"] for state in states} == {"busy"}
            words = {a.topic: a.text for a in seen if a.topic.startswith(TOPIC)}
            assert words[f"{TOPIC}/availability"] == "online"
            assert {a.text for a in seen if a.topic == f"{TOPIC}/availability"} == {"online"}
            assert {a.text for a in seen if a.topic == f"{TOPIC}/occupied"} == {"ON"}
            assert {a.document["state"] for a in seen if a.topic == "placed/bridge/state"} == {"online"}
            assert not [a for a in seen if a.topic.endswith("/event")]


async def test_a_stopped_daemon_publishes_offline_and_ends_within_five_seconds(
    deployment: Deployment,
) -> None:
    deployment.configure()
    async with (
        deployment.listener() as panel,
        Program.start(deployment.folder, "run", "-c", deployment.file, "--log-format", "json") as program,
    ):
        await program.logged("daemon.became_ready")
        async with asyncio.timeout(5):
            program.signal(signal.SIGTERM)
            assert await program.ends() == 0
        await panel.until(lambda a: a.topic == "placed/bridge/state" and a.document["state"] == "offline")


async def test_the_watchdog_is_fed_while_the_service_is_down_and_not_once_a_part_is_stuck(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stuck here is the driver: it never answers, and never fails."""
    deployment.configure(polling={"interval": "100ms"})
    with Manager.listening(deployment.folder) as manager:
        supervisor = Supervisor(manager.address, watchdog=0.3)
        async with deployment.daemon(supervisor=supervisor) as running:
            async with deployment.outage():
                await running.failing()
                await fed(manager, 5)

            async def never(*_: object) -> AsyncIterator[None]:
                await asyncio.Event().wait()
                yield  # reading is an async iterator

            monkeypatch.setattr("placed.polling.poller._SILENCE", 0.5)
            monkeypatch.setattr(running.daemon.pollers[0]._driver, "read", never)
            stuck = await running.has_logged("daemon.is_stuck")
            assert stuck["parts"] == ["poller of contoso"]
            manager.forget()
            await asyncio.sleep(0.5)  # five turns of the watchdog; silence is no event
            assert "WATCHDOG=1" not in manager.heard


async def fed(manager: Manager, times: int) -> None:
    """Waits until the watchdog has heard of us so often."""
    async with asyncio.timeout(DEADLINE):
        while times > 0:
            times -= (await manager.more()).count("WATCHDOG=1")
