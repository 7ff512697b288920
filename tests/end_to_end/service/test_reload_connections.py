"""Reloads in which one connection of several, or the port, does not work."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from placed.runtime.daemon import DaemonSurroundings
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
from tests.support.status_endpoint import Web

if TYPE_CHECKING:
    from pathlib import Path

    from placed.runtime.daemon import Daemon
    from tests.support.deployment import Deployment


async def test_a_secret_that_stops_one_of_two_connections_is_refused(deployment: Deployment) -> None:
    """Its rooms were read until then: they go on being read with the earlier one."""
    deployment.connect("one", rooms=["boardroom"])
    deployment.connect("two", rooms=["library"])
    deployment.tenant.book("boardroom", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
    deployment.configure()
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as program, deployment.listener() as panel:
        await program.logged("daemon.became_ready")
        await panel.message("placed/rooms/boardroom/status", "busy")
        heard = len(panel.arrivals)
        (deployment.folder / "one.secret").write_text("s3cret of somebody else")
        program.signal(signal.SIGHUP)
        refused = await program.logged("configuration.was_refused")
        assert refused["problem"].startswith("connections.one: sign-in refused: AADSTS7000215")
        await program.logged("configuration.stays")
        deployment.tenant.book("library", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
        await panel.message("placed/rooms/library/status", "busy", after=heard)
        await panel.caught_up()
        assert lies(panel, heard) == []


async def test_a_connection_that_did_not_work_before_keeps_no_reload_from_the_other(
    deployment: Deployment,
) -> None:
    deployment.tenant.expire_secrets(deployment.connect("one", rooms=["boardroom"]))
    deployment.connect("two", rooms=["library"])
    deployment.configure()
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as program, deployment.listener() as panel:
        await program.logged("daemon.became_ready")
        deployment.file.write_text(
            deployment.file.read_text() + '[rooms."library@contoso.example"]\nfloor = "3"\n'
        )
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")
        await panel.until(lambda a: a.topic == "placed/rooms" and '"3"' in a.text)


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        (
            "placed-rooms@",
            "placed-room@",
            "connections.contoso: the room group is not found: check room_group",
        ),
        (
            'authority = "https://localhost',
            'authority = "https://nowhere.invalid',
            "the earlier settings still work: correct what was changed, and reload again",
        ),
    ],
    ids=["group", "address"],
)
async def test_settings_that_read_no_room_are_refused_while_the_earlier_ones_do(
    deployment: Deployment, right: str, wrong: str, complaint: str
) -> None:
    tenant = deployment.tenant
    group = tenant.add_group("placed-rooms", members=[room.address for room in tenant.rooms()])
    deployment.connect(room_group=group.address)
    deployment.configure()
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as program, deployment.listener() as panel:
        await program.logged("daemon.became_ready")
        text = deployment.file.read_text()
        assert right in text
        deployment.file.write_text(text.replace(right, wrong))
        program.signal(signal.SIGHUP)
        refused = await program.logged("configuration.was_refused")
        assert complaint in refused["problem"]
        await program.logged("configuration.stays")
        heard = len(panel.arrivals)
        tenant.book("library", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
        await panel.message("placed/rooms/library/status", "busy", after=heard)


async def test_a_reload_goes_through_while_the_calendar_service_is_away(deployment: Deployment) -> None:
    deployment.connect()
    deployment.configure()
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as program:
        await program.logged("daemon.became_ready")
        async with deployment.outage():
            text = deployment.file.read_text()
            deployment.file.write_text(text.replace('time_zone = "', 'time_zone = "Europe/Berlin" # "'))
            assert deployment.file.read_text() != text
            program.signal(signal.SIGHUP)
            reloaded = await program.logged("configuration.was_reloaded")
            assert "connections.contoso" in reloaded["changed"]


async def test_a_port_that_is_taken_between_trial_and_switch_leads_back(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def free(*_: Any) -> None:
        """The trial finds nothing."""

    monkeypatch.setattr("placed.runtime.reload_trial._try_port", free)
    listen = f"127.0.0.1:{free_port()}"
    deployment.configure(http={"listen": listen})
    ready: asyncio.Queue[Daemon] = asyncio.Queue()
    journal = Journal(deployment.state_directory)
    surroundings = DaemonSurroundings(
        deployment.clock, Supervisor(None), journal, "1.2.3", announce=ready.put_nowait
    )
    with socket.create_server(("127.0.0.1", 0)) as taken, capture_logs() as logs:
        running = asyncio.create_task(
            serve(load(deployment.file), lambda: load(deployment.file), surroundings)
        )
        async with asyncio.timeout(DEADLINE):
            await ready.get()
            deployment.configure(http={"listen": f"127.0.0.1:{taken.getsockname()[1]}"})
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


async def test_an_address_that_is_nobodys_is_refused_where_the_port_stays(deployment: Deployment) -> None:
    port = free_port()
    deployment.configure(http={"listen": f"127.0.0.1:{port}"})
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as program:
        await program.logged("daemon.became_ready")
        deployment.configure(http={"listen": f"192.0.2.1:{port}", "allow_anonymous": True})
        program.signal(signal.SIGHUP)
        refused = await program.logged("configuration.was_refused")
        assert f"192.0.2.1:{port} is not an address of this machine" in refused["problem"]


def certificate(deployment: Deployment, name: str, *, expired: bool) -> Path:
    """A file with a key and its certificate."""
    valid_from = datetime(2024, 1, 1, tzinfo=UTC) if expired else None
    path = deployment.folder / name
    write_secret(path, make_client_certificate(key_size=2048, valid_from=valid_from))
    return path


async def test_a_certificate_that_has_expired_is_refused_and_the_earlier_one_stays(
    deployment: Deployment,
) -> None:
    table = {"listen": f"127.0.0.1:{free_port()}"}
    deployment.connect(rooms=["boardroom"])
    deployment.configure(
        http=table | {"certificate": str(certificate(deployment, "good.pem", expired=False))}
    )
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as program:
        await program.logged("daemon.became_ready")
        expired = certificate(deployment, "expired.pem", expired=True)
        deployment.configure(http=table | {"certificate": str(expired)})
        program.signal(signal.SIGHUP)
        refused = await program.logged("configuration.was_refused")
        assert refused["problem"] == (
            f"{deployment.file}: http.certificate: {expired}: the certificate expired on 2024-12-31; "
            "put a renewed one there, and reload"
        )
        await program.logged("configuration.stays")
        deployment.configure(
            http=table | {"certificate": str(certificate(deployment, "expired.pem", expired=False))}
        )
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")


async def test_a_certificate_that_had_expired_at_the_start_is_reported_and_refuses_no_other_change(
    deployment: Deployment,
) -> None:
    table = {"listen": "127.0.0.1:0", "certificate": str(certificate(deployment, "old.pem", expired=True))}
    deployment.connect(rooms=["boardroom"])
    deployment.configure(http=table)
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as program:
        reported = await program.logged("http.certificate_is_not_valid")
        assert "old.pem: the certificate expired on 2024-12-31" in reported["problem"]
        await program.logged("daemon.became_ready")
        deployment.configure(http=table | {"max_clients": 100})
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")
