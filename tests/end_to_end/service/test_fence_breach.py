"""The fence while the daemon runs: a breach is seen at the next check, and then nothing is read any more."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.exit_errors import CannotStart
from placed.runtime.systemd import Supervisor
from placed_microsoft365.simulator import make_client_certificate
from tests.support.notify_socket import Manager
from tests.support.placed_process import Program
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from placed_microsoft365.simulator import App
    from tests.support.deployment import Deployment

HOUR = 3600.0
ADA, GRACE = "ada@contoso.example", "grace@contoso.example"


def canaries(*addresses: str, enforce: bool = True) -> str:
    return f"[connections.fence]\ncanaries = {list(addresses)}\nenforce = {str(enforce).lower()}\n".replace(
        "'", '"'
    )


def asked(deployment: Deployment, name: str) -> int:
    """How often a mailbox's calendar was asked for, alone or in a batch."""
    return sum(
        f"/users/{name}@" in path
        for record in deployment.simulator.requests
        for path in (record.path, *(item.path for item in record.items))
    )


@pytest.fixture
def apps(deployment: Deployment) -> tuple[App, App]:
    """The boardroom is read by one registration, the library by another; each has its canary."""
    for person in ("ada", "grace"):
        deployment.tenant.add_person(person)
    group = deployment.tenant.add_group("placed-rooms", members=["boardroom", "library"])
    one = deployment.connect("one", rooms=["boardroom"], more=canaries(ADA))
    two = deployment.connect("two", rooms=["library"], more=canaries(GRACE))
    for app in (one, two):
        deployment.tenant.restrict(app, group)
    deployment.configure()
    return one, two


async def test_only_the_connection_with_the_fence_breach_stops_and_sends_no_more_requests(
    deployment: Deployment, apps: tuple[App, App]
) -> None:
    async with (
        deployment.daemon() as running,
        deployment.ways_out(running) as (panel, web),
        web.follow() as stream,
    ):
        await panel.message("placed/rooms/boardroom/status", "free")
        assert (await stream.health("one", "ok"))["fence"]["state"] == "verified"
        deployment.tenant.lift_restrictions(apps[0])
        deployment.clock.leap(HOUR)
        await panel.until(
            lambda a: a.topic == "placed/rooms/boardroom/state" and a.document["reason"] == "breached"
        )
        await panel.message("placed/rooms/boardroom/availability", "offline")
        health = await stream.health("one", "breached")
        assert health["fence"]["state"] == "breached"
        assert "placed setup" in health["remedy"]

        async def is_read() -> None:
            """The library is read twice; a trial of its fence that was under way is over then."""
            heard = len(panel.arrivals)
            meeting = deployment.tenant.book(
                "library", deployment.clock.now(), deployment.clock.now() + timedelta(hours=2)
            )
            await panel.message("placed/rooms/library/status", "busy", after=heard)
            heard = len(panel.arrivals)  # before, it may have been published as free for the hour that passed
            deployment.tenant.delete(meeting)
            await panel.message("placed/rooms/library/status", "free", after=heard)

        await is_read()
        before = {name: asked(deployment, name) for name in ("boardroom", "ada", "library", "grace")}
        for hour in range(1, 4):
            deployment.clock.leap(HOUR)
            await is_read()
            assert asked(deployment, "grace") >= before["grace"] + hour

        assert asked(deployment, "boardroom") == before["boardroom"]
        assert asked(deployment, "ada") == before["ada"]
        assert asked(deployment, "library") > before["library"]
        rooms = (await web.json("/api/v1/connections/one/rooms"))["rooms"]
        assert [room["access"] for room in rooms] == ["breached"]
        assert await web.metric("placed_fence_state", connection="one", state="breached") == 1
        assert await web.metric("placed_fence_state", connection="two", state="verified") == 1
        assert not running.task.done()


async def test_the_only_connection_that_is_breached_ends_the_daemon_with_its_rooms_unknown(
    deployment: Deployment,
) -> None:
    deployment.tenant.add_person("ada")
    app = deployment.connect(more=canaries(ADA))
    deployment.tenant.restrict(
        app, deployment.tenant.add_group("placed-rooms", members=["boardroom", "library"])
    )

    async def breached() -> None:
        async with deployment.daemon() as running, deployment.listener() as panel:
            await panel.message("placed/rooms/library/status", "free")
            deployment.tenant.lift_restrictions(app)
            deployment.clock.leap(HOUR)
            for room in ("boardroom", "library"):
                await panel.message(f"placed/rooms/{room}/status", "unknown")
            await panel.until(lambda a: a.topic == "placed/bridge/state" and a.document["state"] == "offline")
            await running.ends()

    with pytest.raises(ExceptionGroup) as ended:
        await breached()
    refused = ended.value.split(CannotStart)[0]
    assert refused is not None
    assert "the fence does not hold" in str(refused.exceptions)
    # The canary was asked for last: a trial each, and nothing after the one that was answered.
    last = deployment.simulator.requests[-1]
    assert f"/users/{ADA}/" in last.path
    assert last.status == 200


async def test_where_everything_is_refused_first_and_then_readable_no_room_is_ever_shown(
    deployment: Deployment,
) -> None:
    deployment.tenant.add_person("ada")
    deployment.connect(more=canaries(ADA))  # and nothing restricts it
    refused = deployment.tenant.faults.forbidden()

    async def breached() -> None:
        async with deployment.daemon() as running, deployment.listener() as panel:
            health = await panel.until(
                lambda a: (
                    a.topic == "placed/bridge/health"
                    and bool(a.document["connections"][0]["fence"]["warnings"])
                )
            )
            fence = health.document["connections"][0]["fence"]
            assert fence["state"] == "unproven"
            assert "so is every room" in fence["warnings"][0]
            deployment.tenant.faults.remove(refused)
            deployment.clock.leap(HOUR / 10)
            await panel.until(lambda a: a.topic == "placed/bridge/state" and a.document["state"] == "offline")
            shown = {
                a.document["status"]
                for a in panel.arrivals
                if a.topic.endswith("/state") and "rooms" in a.topic
            }
            assert shown <= {"unknown"}
            await running.ends()

    with pytest.raises(ExceptionGroup) as ended:
        await breached()
    assert ended.value.split(CannotStart)[0] is not None


async def test_a_breach_without_enforcement_is_reported_and_reading_continues(deployment: Deployment) -> None:
    deployment.tenant.add_person("ada")
    deployment.connect(more=canaries(ADA, enforce=False))
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        await panel.message("placed/rooms/boardroom/status", "free")
        (connection,) = (await web.json("/api/v1/connections"))["connections"]
        assert (connection["state"], connection["fence"]["state"]) == ("ok", "breached")
        assert running.logged("fence.was_breached")


async def test_a_fence_without_a_canary_is_reported_as_unproven_everywhere(
    deployment: Deployment, tmp_path: Path
) -> None:
    with Manager.listening(tmp_path) as systemd:
        async with (
            deployment.daemon(supervisor=Supervisor(systemd.address)) as running,
            deployment.ways_out(running) as (panel, web),
        ):
            (warning,) = running.logged("fence.is_unproven")
            assert warning["log_level"] == "warning"
            assert "fence.canaries" in warning["remedy"]
            bridge = await panel.message("placed/bridge/health")
            assert bridge.document["connections"][0]["fence"]["state"] == "unproven"
            (connection,) = (await web.json("/api/v1/connections"))["connections"]
            assert connection["fence"]["state"] == "unproven"
            assert await web.metric("placed_fence_state", connection="contoso", state="unproven") == 1
        assert "STATUS=2 rooms in 1 connection(s); fence contoso unproven" in systemd.heard


async def test_excess_permissions_are_reported_everywhere(deployment: Deployment) -> None:
    deployment.connect(roles=("Calendars.Read", "Mail.ReadWrite", "full_access_as_app"))
    async with deployment.daemon() as running, deployment.ways_out(running) as (panel, web):
        named = ["Mail.ReadWrite", "full_access_as_app"]
        assert running.logged("fence.is_in_excess")[0]["permissions"] == named
        bridge = await panel.message("placed/bridge/health")
        (connection,) = (await web.json("/api/v1/connections"))["connections"]
        for fence in (bridge.document["connections"][0]["fence"], connection["fence"]):
            assert (fence["state"], fence["excess"]) == ("excess", named)
        assert await web.metric("placed_fence_excess_permissions", connection="contoso") == 2
        await panel.message("placed/rooms/boardroom/status", "free")


async def test_with_another_credential_the_fence_is_tried_again_before_a_room_is_read(
    deployment: Deployment,
) -> None:
    deployment.tenant.add_person("ada")
    group = deployment.tenant.add_group("placed-rooms", members=["boardroom", "library"])
    pems = [make_client_certificate(key_size=2048) for _ in range(2)]
    file = deployment.folder / "client.pem"
    write_secret(file, pems[0])
    app = deployment.connect(certificate=file, more=canaries(ADA))
    app.certificates = deployment.tenant.register_app(certificates=pems[:1]).certificates
    deployment.tenant.restrict(app, group)
    deployment.configure()
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as program:
        await program.logged("daemon.became_ready")
        write_secret(file, pems[1])
        app.certificates = deployment.tenant.register_app(certificates=pems[1:]).certificates
        deployment.simulator.clear_requests()
        heard = len(program.err)
        program.signal(signal.SIGHUP)
        await program.wait_for_line("fence.was_verified", after=heard)
        paths = [record.path for record in deployment.simulator.requests]
        signed_in = next(n for n, path in enumerate(paths) if path.endswith("/token"))
        later = [path for path in paths[signed_in:] if "/users/" in path or "/$batch" in path]
        assert f"/users/{ADA}/" in later[0]

        deployment.tenant.lift_restrictions(app)
        program.signal(signal.SIGHUP)
        refused = await program.logged("configuration.was_refused")
        assert "the fence does not hold" in refused["problem"]
        await program.logged("configuration.stays")
        program.signal(signal.SIGTERM)
        assert await program.ends() == 0
