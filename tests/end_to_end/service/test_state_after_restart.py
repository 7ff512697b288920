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

    from tests.support.daemon_environment import Stage
    from tests.support.mosquitto import Arrival, Subscriber

TOPIC = "placed/rooms/boardroom"


async def told(panel: Subscriber, *, epoch: int) -> Arrival:
    """The boardroom's first state of that start."""
    return await panel.until(lambda a: a.topic == f"{TOPIC}/state" and a.document["epoch"] == epoch)


async def test_a_start_without_internet_publishes_the_stored_state_with_the_time_of_its_reading(
    stage: Stage,
) -> None:
    now = stage.clock.now()
    stage.tenant.book("boardroom", now - timedelta(minutes=1), now + timedelta(hours=1))
    stage.configure()
    async with stage.daemon() as running, stage.listener() as panel:
        before = (await told(panel, epoch=running.daemon.board.epoch)).document
    asked = len(stage.simulator.requests)
    stage.clock.leap(60)
    async with stage.outage(), stage.listener() as panel, stage.daemon() as running:
        after = (await told(panel, epoch=running.daemon.board.epoch)).document
        assert after["status"] == "busy"
        assert after["epoch"] > before["epoch"]
        assert datetime.fromisoformat(after["observed_at"]) < stage.clock.now() - timedelta(seconds=59)
        holds = datetime.fromisoformat(after["valid_until"]) - datetime.fromisoformat(after["observed_at"])
        assert holds == timedelta(minutes=15)
        index = await panel.message("placed/rooms")
        assert [entry["id"] for entry in index.document["rooms"]] == ["boardroom", "library"]
        stage.clock.leap(15 * 60)
        await panel.until(lambda a: a.topic == f"{TOPIC}/state" and a.document["status"] == "unknown")
    assert len(stage.simulator.requests) == asked


async def test_offline_grace_may_cover_a_day_without_internet(stage: Stage) -> None:
    now = stage.clock.now()
    meeting = (now + timedelta(hours=5), now + timedelta(hours=6))
    stage.tenant.book("boardroom", *meeting)
    stage.configure(occupancy={"offline_grace": "12h", "lead": "0s"})
    async with stage.daemon():
        pass
    async with stage.outage():
        async with stage.listener() as panel, stage.daemon() as running:
            await told(panel, epoch=running.daemon.board.epoch)
            await running.failing()
            for hours in (1, 3):
                stage.clock.leap(hours * 3600)
                state = (await fresh(panel, stage)).document
                assert (state["status"], state["stale"], state["reason"]) == ("free", True, "unavailable")
                life = datetime.fromisoformat(state["valid_until"]) - stage.clock.now()
                assert life <= timedelta(minutes=15)  # a panel believes a daemon that is dead no longer
        async with stage.listener() as panel, stage.daemon() as running:  # and a restart changes nothing
            state = (await told(panel, epoch=running.daemon.board.epoch)).document
            assert (state["status"], state["stale"], state["reason"]) == ("free", True, "unavailable")
            stage.clock.leap(3600 * 1.5)
            await panel.until(lambda a: a.topic == f"{TOPIC}/state" and a.document["status"] == "busy")
            stage.clock.leap(3600 * 7)
            await panel.until(lambda a: a.topic == f"{TOPIC}/state" and a.document["status"] == "unknown")


async def fresh(panel: Subscriber, stage: Stage) -> Arrival:
    """The first state of the boardroom that holds now."""
    return await panel.until(
        lambda a: (
            a.topic == f"{TOPIC}/state"
            and a.document["valid_until"] > stage.clock.now().isoformat().replace("+00:00", "Z")
        )
    )


@pytest.mark.parametrize("way", [signal.SIGUSR1, signal.SIGKILL])
async def test_a_restart_is_not_seen_by_panels(stage: Stage, way: signal.Signals) -> None:
    """Not on any topic: only states of the new start, which say the same."""
    now = stage.clock.now()
    stage.tenant.book("boardroom", now - timedelta(minutes=1), now + timedelta(hours=1))
    stage.configure()
    arguments = ("run", "-c", stage.file, "--log-format", "json", "--verbose")
    async with stage.listener() as panel:
        async with Program.start(stage.folder, *arguments) as program:
            ready = await program.logged("daemon.became_ready")
            await program.logged("journal.was_written")
            await panel.caught_up()
            program.signal(way)
            code = await program.ends()
            assert code == (0 if way is signal.SIGUSR1 else -way)
        before = len(panel.arrivals)
        async with stage.outage(), Program.start(stage.folder, *arguments) as program:
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


async def test_a_stopped_daemon_publishes_offline_and_ends_within_five_seconds(stage: Stage) -> None:
    stage.configure()
    async with (
        stage.listener() as panel,
        Program.start(stage.folder, "run", "-c", stage.file, "--log-format", "json") as program,
    ):
        await program.logged("daemon.became_ready")
        async with asyncio.timeout(5):
            program.signal(signal.SIGTERM)
            assert await program.ends() == 0
        await panel.until(lambda a: a.topic == "placed/bridge/state" and a.document["state"] == "offline")


async def test_the_watchdog_is_fed_while_the_service_is_down_and_not_once_a_part_is_stuck(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stuck here is the driver: it never answers, and never fails."""
    stage.configure(polling={"interval": "100ms"})
    with Manager.listening(stage.folder) as manager:
        supervisor = Supervisor(manager.address, watchdog=0.3)
        async with stage.daemon(supervisor=supervisor) as running:
            async with stage.outage():
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
            await asyncio.sleep(0.5)  # five of its turns
            assert "WATCHDOG=1" not in manager.heard


async def fed(manager: Manager, times: int) -> None:
    """Waits until the watchdog has heard of us so often."""
    async with asyncio.timeout(DEADLINE):
        while times > 0:
            times -= manager.heard.count("WATCHDOG=1")
            await asyncio.sleep(0.05)
