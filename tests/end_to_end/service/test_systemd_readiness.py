"""When systemd is notified that the service is ready, and the status line that it shows."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.clock import SystemClock
from placed.runtime.daemon import READY_WITHIN, DaemonSurroundings
from placed.runtime.systemd import Supervisor
from placed.store import Journal
from tests.support.deadlines import DEADLINE
from tests.support.notify_socket import Manager
from tests.support.placed_process import Program, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.deployment import Deployment

ALL_WELL = "2 rooms in 1 connection(s); fence contoso unproven"


class Listening:
    """What systemd would know: the last status line, and whether the service is ready."""

    def __init__(self, manager: Manager) -> None:
        self.manager = manager
        self.status = ""
        self.lines: list[str] = []
        self.ready = False
        self.reloading = False

    def look(self) -> None:
        self._take(self.manager.heard)

    def _take(self, messages: list[str]) -> None:
        for message in messages:
            for line in message.splitlines():
                if line.startswith("STATUS="):
                    self.status = line.removeprefix("STATUS=")
                    self.lines.append(self.status)
                elif line == "RELOADING=1":
                    self.reloading = True
                elif line == "READY=1":
                    self.ready, self.reloading = True, False

    async def until(self, wanted: Callable[[Listening], bool]) -> None:
        self.look()
        try:
            async with asyncio.timeout(DEADLINE):
                while not wanted(self):
                    self._take(await self.manager.more())
        except TimeoutError:
            raise AssertionError((self.ready, self.reloading, self.lines)) from None


@pytest.fixture
def systemd(deployment: Deployment) -> Iterator[Listening]:
    with Manager.listening(deployment.folder) as manager:
        yield Listening(manager)


@pytest.mark.parametrize(("imported", "left"), [(0.5, READY_WITHIN), (6, 10), (8, 8), (12, 4), (60, 1)])
def test_a_start_takes_no_longer_than_twenty_seconds_whatever_the_network_does(
    imported: float, left: float
) -> None:
    """Four of the seconds are left for the journal, also where the imports take long on a busy machine."""
    surroundings = DaemonSurroundings(
        clock=SystemClock(),
        supervisor=Supervisor(None),
        journal=Journal(None),
        version="1",
        imported_within=imported,
    )
    assert surroundings.seconds_to_be_ready == left
    assert imported + left <= 16 or left == 1


async def test_a_start_without_a_broker_is_ready_and_the_line_follows(
    deployment: Deployment, systemd: Listening
) -> None:
    await deployment.broker.stop()
    supervisor = Supervisor(systemd.manager.address)
    async with deployment.daemon(supervisor=supervisor, ready_within=0.5) as running:
        await systemd.until(lambda s: s.ready)
        await systemd.until(lambda s: "waiting for the broker: " in s.status)
        (ready,) = running.logged("daemon.became_ready")
        assert "waiting for the broker" in ready["waits_for"]
        await deployment.broker.start()
        await systemd.until(lambda s: s.status == ALL_WELL)
        await deployment.broker.stop()
        await systemd.until(lambda s: "broker away since 2" in s.status)
        await deployment.broker.start()
        await systemd.until(lambda s: s.status == ALL_WELL)


async def test_a_start_without_the_calendar_service_is_ready_and_the_line_follows(
    deployment: Deployment, systemd: Listening
) -> None:
    supervisor = Supervisor(systemd.manager.address)
    async with AsyncExitStack() as outage:
        await outage.enter_async_context(deployment.outage())
        async with deployment.daemon(supervisor=supervisor, ready_within=0.5):
            await systemd.until(lambda s: s.ready)
            await systemd.until(lambda s: "contoso failing since 2" in s.status)
            assert systemd.status.startswith("2 rooms in 1 connection(s), 2 not readable; contoso failing")
            await outage.aclose()
            deployment.clock.leap(70)
            await systemd.until(lambda s: s.status == ALL_WELL)


async def test_a_start_with_a_service_that_hangs_is_ready(deployment: Deployment, systemd: Listening) -> None:
    deployment.tenant.faults.delay(60)
    supervisor = Supervisor(systemd.manager.address)
    async with deployment.daemon(supervisor=supervisor, ready_within=0.5):
        await systemd.until(lambda s: s.ready)
        assert "reading the rooms for the first time" in systemd.status


async def test_a_start_waits_for_what_comes_soon(deployment: Deployment, systemd: Listening) -> None:
    """All is there: after the start every room is published."""
    supervisor = Supervisor(systemd.manager.address)
    async with deployment.daemon(supervisor=supervisor) as running, deployment.listener() as panel:
        await panel.caught_up()
        assert "placed/rooms/library/state" in panel.latest
        await systemd.until(lambda s: s.ready and s.status == ALL_WELL)
        (ready,) = running.logged("daemon.became_ready")
        assert "waits_for" not in ready


async def test_a_refused_reload_is_in_the_line_until_one_is_taken_up(
    deployment: Deployment, systemd: Listening
) -> None:
    deployment.configure()
    good = deployment.file.read_text()
    environment = {"NOTIFY_SOCKET": systemd.manager.address}
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments, environment=environment) as program:
        await systemd.until(lambda s: s.ready and s.status == ALL_WELL)
        systemd.ready = False
        deployment.file.write_text(good + "[poling]\n")
        program.signal(signal.SIGHUP)
        await systemd.until(lambda s: s.ready and not s.reloading and "refused: " in s.status)
        assert systemd.status.startswith("2 rooms in 1 connection(s); reload at ")
        assert "poling" in systemd.status
        deployment.file.write_text(good)
        program.signal(signal.SIGHUP)
        await systemd.until(lambda s: s.ready and not s.reloading and s.status == ALL_WELL)


@pytest.mark.parametrize("mistake", ["configuration", "secret", "broker"])
async def test_a_failing_service_reports_the_reason_in_its_status_line(
    deployment: Deployment, systemd: Listening, mistake: str
) -> None:
    deployment.configure()
    match mistake:
        case "configuration":
            deployment.file.write_text(deployment.file.read_text() + "[poling]\n[poling2]\n")
            named = "poling"
        case "secret":
            (deployment.folder / "contoso.secret").write_text("s3cret of somebody else")
            named = "AADSTS7000215"
        case _:
            deployment.configure(
                mqtt={"url": deployment.broker.url, "password_file": str(deployment.folder / "nowhere")}
            )
            named = "mqtt.password_file"
    environment = {"NOTIFY_SOCKET": systemd.manager.address}
    code, _ = await run(deployment.folder, "run", "-c", deployment.file, environment=environment)
    assert code == 3
    systemd.look()
    assert systemd.status.startswith("failed: ")
    assert named in systemd.status
    if mistake == "configuration":
        assert "(and 1 more)" in systemd.status


async def test_the_line_counts_rooms_that_cannot_be_read(deployment: Deployment, systemd: Listening) -> None:
    deployment.connect(rooms=["boardroom", "nowhere"])
    async with deployment.daemon(supervisor=Supervisor(systemd.manager.address)):
        await systemd.until(
            lambda s: s.status == "2 rooms in 1 connection(s), 1 not readable; fence contoso unproven"
        )
        deployment.tenant.add_room("nowhere")
        deployment.clock.leap(330)
        await systemd.until(lambda s: s.status == ALL_WELL)


async def test_what_is_remembered_is_published_and_ready_at_once(
    deployment: Deployment, systemd: Listening
) -> None:
    deployment.tenant.book("boardroom", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
    async with deployment.daemon():
        pass
    async with deployment.outage(), deployment.daemon(supervisor=Supervisor(systemd.manager.address)):
        await systemd.until(lambda s: s.ready)
