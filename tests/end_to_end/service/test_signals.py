"""The daemon in the hands of an init system."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import typer

from placed.cli.run import run
from placed.runtime import early_signals
from placed_microsoft365.simulator import Where
from tests.support.placed_process import Program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.deployment import Deployment
    from tests.support.mosquitto import Subscriber

PROMISED = 5.0  # seconds in which it ends
STATUS = "placed/rooms/boardroom/status"


@asynccontextmanager
async def placed(deployment: Deployment) -> AsyncIterator[Program]:
    """`placed run`, as soon as it is ready; one room is busy."""
    deployment.tenant.book("boardroom", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
    if not deployment.file.exists():
        deployment.configure()
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments, fresh=True) as program:
        await program.logged("daemon.became_ready")
        yield program


async def publishes_offline(deployment: Deployment) -> None:
    """The broker retains the daemon's last message."""
    async with deployment.listener("placed/bridge/state") as panel:
        state = await panel.message("placed/bridge/state")
        assert state.document["state"] == "offline"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_soon_with_code_0_and_offline_on_the_broker(
    deployment: Deployment, number: signal.Signals
) -> None:
    async with placed(deployment) as program:
        program.signal(number)
        assert await program.ends(within=PROMISED) == 0
        assert program.logs[-1]["event"] == "daemon.stopped"
        assert not [entry for entry in program.logs if entry["level"] in ("warning", "error", "critical")][1:]
        assert not program.out
    await publishes_offline(deployment)


async def test_a_signal_ends_it_soon_while_nothing_answers(deployment: Deployment) -> None:
    """The service takes its time, the broker is frozen, and somebody follows the events."""
    async with placed(deployment) as program:
        url = (await program.logged("http.is_listening"))["url"]
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"event: state")
        deployment.tenant.faults.delay(60)
        asked = len(deployment.batches)
        deployment.broker.freeze()
        try:
            program.signal(signal.SIGTERM)
            assert await program.ends(within=PROMISED) == 0
        finally:
            deployment.broker.thaw()
        assert len(deployment.batches) - asked < 3
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("where", [Where.CALENDAR, Where.LOGIN, Where.DISCOVERY])
async def test_a_signal_while_it_starts_ends_it_with_code_0(deployment: Deployment, where: Where) -> None:
    deployment.configure()
    deployment.tenant.faults.delay(60, where=where)
    async with Program.start(
        deployment.folder, "run", "-c", deployment.file, "--log-format", "json", fresh=True
    ) as program:
        await program.logged("broker.connected")
        program.signal(signal.SIGTERM)
        assert await program.ends(within=PROMISED) == 0
        assert "Traceback" not in "\n".join(program.err)


# --- reloads ---


def lies(panel: Subscriber, after: int) -> list[str]:
    """What no panel shall see in a reload."""
    wrong = {b"unknown", b"offline", b"OFF", b""}
    return [
        f"{a.topic} {a.text}"
        for a in panel.arrivals[after:]
        if (
            a.topic.startswith("placed/rooms/boardroom") and (a.payload in wrong or b'"unknown"' in a.payload)
        )
        or (a.topic == "placed/bridge/state" and a.document["state"] != "online")
    ]


async def test_a_reload_takes_up_a_changed_configuration_unseen_by_panels(deployment: Deployment) -> None:
    deployment.connect(rooms=["boardroom"])
    async with placed(deployment) as program, deployment.listener() as panel:
        await panel.message(STATUS, "busy")
        state = await panel.message("placed/rooms/boardroom/state")
        heard = len(panel.arrivals)
        deployment.connections.clear()
        deployment.connect()
        deployment.configure(polling={"interval": "500ms"}, occupancy={"lead": "20m"})
        now = deployment.clock.now()
        deployment.tenant.book("library", now + timedelta(minutes=15), now + timedelta(minutes=30))

        program.signal(signal.SIGHUP)
        await panel.message("placed/rooms/library/status", "starting")
        await program.logged("configuration.was_reloaded")
        deployment.tenant.book("boardroom", now + timedelta(hours=2), now + timedelta(hours=3))
        again = await panel.until(lambda a: a.topic.endswith("boardroom/state"), after=heard)
        order = [(a.document["epoch"], a.document["seq"]) for a in (state, again)]
        assert order[0] < order[1]
        assert again.document["changed_at"] >= state.document["changed_at"]
        await panel.caught_up()
        assert lies(panel, heard) == []
        assert panel.latest[STATUS].text == "busy"
        assert panel.latest["placed/bridge/state"].document["state"] == "online"

        program.signal(signal.SIGTERM)
        assert await program.ends(within=PROMISED) == 0
    await publishes_offline(deployment)


@pytest.mark.parametrize("mistake", ["key", "file", "port", "secret", "tenant"])
async def test_a_reload_of_a_broken_configuration_leaves_the_old_one_running(
    deployment: Deployment, mistake: str
) -> None:
    async with placed(deployment) as program, deployment.listener() as panel:
        url = (await program.logged("http.is_listening"))["url"]
        await panel.message(STATUS, "busy")
        heard = len(panel.arrivals)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            match mistake:
                case "key":
                    deployment.file.write_text(deployment.file.read_text() + "[poling]\n")
                    named = "poling"
                case "file":
                    (deployment.folder / "contoso.secret").unlink()
                    named = "client_secret_file"
                case "port":
                    deployment.configure(http={"listen": f"127.0.0.1:{port}"})
                    named = "http.listen"
                case "secret":
                    (deployment.folder / "contoso.secret").write_text("s3cret of somebody else")
                    named = "7000215"
                case _:
                    edited = deployment.file.read_text().replace('tenant = "contoso', 'tenant = "fabrikam')
                    deployment.file.write_text(edited)
                    named = "90002"
            program.signal(signal.SIGHUP)
            entry = await program.logged("configuration.was_refused")
            assert named in entry["problem"]
        await program.logged("configuration.stays")

        deployment.tenant.book("library", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
        await panel.message("placed/rooms/library/status", "busy", after=heard)
        await panel.caught_up()
        assert lies(panel, heard) == []
        assert panel.latest["placed/bridge/state"].document["state"] == "online"
        assert url
        assert "Traceback" not in "\n".join(program.err)
        program.signal(signal.SIGTERM)
        assert await program.ends(within=PROMISED) == 0
        assert [json.loads(line)["event"] for line in program.err][-1] == "daemon.stopped"
    await publishes_offline(deployment)


async def test_a_corrected_configuration_is_loaded_after_an_invalid_one(deployment: Deployment) -> None:
    deployment.connect(rooms=["boardroom"])
    async with placed(deployment) as program, deployment.listener() as panel:
        good = deployment.file.read_text()
        deployment.file.write_text("[")
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_refused")
        deployment.file.write_text(good.replace('["board', '["library@contoso.example", "board'))
        program.signal(signal.SIGHUP)
        await panel.message("placed/rooms/library/status", "free")


def test_a_reload_that_comes_too_early_or_too_late_does_not_end_it(tmp_path: Path) -> None:
    caught = (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1)
    before = {number: signal.getsignal(number) for number in caught}
    try:
        with pytest.raises(typer.Exit):
            run(tmp_path / "nowhere.toml")
        os.kill(os.getpid(), signal.SIGHUP)
        assert early_signals.take_reload()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
