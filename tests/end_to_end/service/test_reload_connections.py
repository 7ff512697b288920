"""Reloads in which one connection of several, or the port, does not work."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from structlog.testing import capture_logs

from placed.runtime.daemon import Around
from placed.runtime.signals import serve
from placed.runtime.systemd import Supervisor
from placed.settings.loader import load
from placed.store import Journal
from placed_microsoft365.simulator import make_client_certificate
from tests.end_to_end.service.test_signals import lies
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import free_port
from tests.support.placed_process import Program
from tests.support.secret_files import write_secret
from tests.support.status_client import Web

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from placed.runtime.daemon import Daemon
    from tests.support.daemon_environment import Stage


async def test_a_secret_that_stops_one_of_two_connections_is_refused(stage: Stage) -> None:
    """Its rooms were read until then: they go on being read with the earlier one."""
    stage.connect("one", rooms=["boardroom"])
    stage.connect("two", rooms=["library"])
    stage.tenant.book("boardroom", stage.clock.now(), stage.clock.now() + timedelta(hours=1))
    stage.configure()
    arguments = ("run", "-c", stage.file, "--log-format", "json")
    async with Program.start(stage.folder, *arguments) as program, stage.listener() as panel:
        await program.logged("daemon.became_ready")
        await panel.message("placed/rooms/boardroom/status", "busy")
        heard = len(panel.arrivals)
        (stage.folder / "one.secret").write_text("s3cret of somebody else")
        program.signal(signal.SIGHUP)
        refused = await program.logged("configuration.was_refused")
        assert refused["problem"].startswith("connections.one: sign-in refused: AADSTS7000215")
        await program.logged("configuration.stays")
        stage.tenant.book("library", stage.clock.now(), stage.clock.now() + timedelta(hours=1))
        await panel.message("placed/rooms/library/status", "busy", after=heard)
        await panel.caught_up()
        assert lies(panel, heard) == []


async def test_a_connection_that_did_not_work_before_keeps_no_reload_from_the_other(stage: Stage) -> None:
    stage.tenant.expire_secrets(stage.connect("one", rooms=["boardroom"]))
    stage.connect("two", rooms=["library"])
    stage.configure()
    arguments = ("run", "-c", stage.file, "--log-format", "json")
    async with Program.start(stage.folder, *arguments) as program, stage.listener() as panel:
        await program.logged("daemon.became_ready")
        stage.file.write_text(stage.file.read_text() + '[rooms."library@contoso.example"]\nfloor = "3"\n')
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")
        await panel.until(lambda a: a.topic == "placed/rooms" and '"3"' in a.text)


async def test_a_port_that_is_taken_between_trial_and_switch_leads_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def free(*_: Any) -> None:
        """The trial finds nothing."""

    monkeypatch.setattr("placed.runtime.reload_trial._try_port", free)
    listen = f"127.0.0.1:{free_port()}"
    stage.configure(http={"listen": listen})
    ready: asyncio.Queue[Daemon] = asyncio.Queue()
    journal = Journal(stage.state_directory)
    around = Around(stage.clock, Supervisor(None), journal, "1.2.3", announce=ready.put_nowait)
    with socket.create_server(("127.0.0.1", 0)) as taken, capture_logs() as logs:
        running = asyncio.create_task(serve(load(stage.file), lambda: load(stage.file), around))
        async with asyncio.timeout(DEADLINE):
            await ready.get()
            stage.configure(http={"listen": f"127.0.0.1:{taken.getsockname()[1]}"})
            os.kill(os.getpid(), signal.SIGHUP)
            back = await ready.get()
        assert back.settings.http.listen == listen
        assert "is in use" in str(back.status.refused_reload)
        async with Web(f"http://{listen}") as web:
            assert (await web.get("/readyz"))[0] == 200
        os.kill(os.getpid(), signal.SIGTERM)
        await running
    journal.close()
    assert [e["event"] for e in logs if e["event"].startswith("configuration.")] == [
        "configuration.was_reloaded",
        "configuration.was_refused",
        "configuration.stays",
    ]


async def test_an_address_that_is_nobodys_is_refused_where_the_port_stays(stage: Stage) -> None:
    port = free_port()
    stage.configure(http={"listen": f"127.0.0.1:{port}"})
    arguments = ("run", "-c", stage.file, "--log-format", "json")
    async with Program.start(stage.folder, *arguments) as program:
        await program.logged("daemon.became_ready")
        stage.configure(http={"listen": f"192.0.2.1:{port}", "allow_anonymous": True})
        program.signal(signal.SIGHUP)
        refused = await program.logged("configuration.was_refused")
        assert f"192.0.2.1:{port} is not an address of this machine" in refused["problem"]


def certificate(stage: Stage, name: str, *, expired: bool) -> Path:
    """A file with a key and its certificate."""
    valid_from = datetime(2024, 1, 1, tzinfo=UTC) if expired else None
    path = stage.folder / name
    write_secret(path, make_client_certificate(key_size=2048, valid_from=valid_from))
    return path


async def test_a_certificate_that_has_expired_is_refused_and_the_earlier_one_stays(stage: Stage) -> None:
    table = {"listen": f"127.0.0.1:{free_port()}"}
    stage.connect(rooms=["boardroom"])
    stage.configure(http=table | {"certificate": str(certificate(stage, "good.pem", expired=False))})
    arguments = ("run", "-c", stage.file, "--log-format", "json")
    async with Program.start(stage.folder, *arguments) as program:
        await program.logged("daemon.became_ready")
        expired = certificate(stage, "expired.pem", expired=True)
        stage.configure(http=table | {"certificate": str(expired)})
        program.signal(signal.SIGHUP)
        refused = await program.logged("configuration.was_refused")
        assert refused["problem"] == (
            f"{stage.file}: http.certificate: {expired}: the certificate expired on 2024-12-31; "
            "put a renewed one there, and reload"
        )
        await program.logged("configuration.stays")
        stage.configure(http=table | {"certificate": str(certificate(stage, "expired.pem", expired=False))})
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")


async def test_a_certificate_that_had_expired_at_the_start_is_reported_and_refuses_no_other_change(
    stage: Stage,
) -> None:
    table = {"listen": "127.0.0.1:0", "certificate": str(certificate(stage, "old.pem", expired=True))}
    stage.connect(rooms=["boardroom"])
    stage.configure(http=table)
    arguments = ("run", "-c", stage.file, "--log-format", "json")
    async with Program.start(stage.folder, *arguments) as program:
        reported = await program.logged("http.certificate_is_not_valid")
        assert "old.pem: the certificate expired on 2024-12-31" in reported["problem"]
        await program.logged("daemon.became_ready")
        stage.configure(http=table | {"max_clients": 100})
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")
