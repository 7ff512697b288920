"""When systemd is notified that the service is ready, and the status line that it shows."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.runtime.daemon import READY_WITHIN
from placed.runtime.systemd import Supervisor
from tests.support.deadlines import DEADLINE
from tests.support.notify_socket import Manager
from tests.support.placed_process import Program, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.daemon_environment import Stage

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
        for message in self.manager.heard:
            for line in message.splitlines():
                if line.startswith("STATUS="):
                    self.status = line.removeprefix("STATUS=")
                    self.lines.append(self.status)
                elif line == "RELOADING=1":
                    self.reloading = True
                elif line == "READY=1":
                    self.ready, self.reloading = True, False

    async def until(self, wanted: Callable[[Listening], bool]) -> None:
        end = time.monotonic() + DEADLINE
        while True:
            self.look()
            if wanted(self):
                return
            assert time.monotonic() < end, (self.ready, self.reloading, self.lines)
            await asyncio.sleep(0.02)


@pytest.fixture
def systemd(stage: Stage) -> Iterator[Listening]:
    with Manager.listening(stage.folder) as manager:
        yield Listening(manager)


def test_a_start_takes_no_longer_than_twenty_seconds_whatever_the_network_does() -> None:
    assert READY_WITHIN <= 20 - 5  # which leaves five for the imports and the journal


async def test_a_start_without_a_broker_is_ready_and_the_line_follows(
    stage: Stage, systemd: Listening
) -> None:
    await stage.broker.stop()
    supervisor = Supervisor(systemd.manager.address)
    async with stage.daemon(supervisor=supervisor, ready_within=0.5) as running:
        await systemd.until(lambda s: s.ready)
        await systemd.until(lambda s: "waiting for the broker: " in s.status)
        (ready,) = running.logged("daemon.became_ready")
        assert "waiting for the broker" in ready["waits_for"]
        await stage.broker.start()
        await systemd.until(lambda s: s.status == ALL_WELL)
        await stage.broker.stop()
        await systemd.until(lambda s: "broker away since 2" in s.status)
        await stage.broker.start()
        await systemd.until(lambda s: s.status == ALL_WELL)


async def test_a_start_without_the_calendar_service_is_ready_and_the_line_follows(
    stage: Stage, systemd: Listening
) -> None:
    supervisor = Supervisor(systemd.manager.address)
    async with AsyncExitStack() as outage:
        await outage.enter_async_context(stage.outage())
        async with stage.daemon(supervisor=supervisor, ready_within=0.5):
            await systemd.until(lambda s: s.ready)
            await systemd.until(lambda s: "contoso failing since 2" in s.status)
            assert systemd.status.startswith("2 rooms in 1 connection(s), 2 not readable; contoso failing")
            await outage.aclose()
            stage.clock.leap(70)
            await systemd.until(lambda s: s.status == ALL_WELL)


async def test_a_start_with_a_service_that_hangs_is_ready(stage: Stage, systemd: Listening) -> None:
    stage.tenant.faults.delay(60)
    supervisor = Supervisor(systemd.manager.address)
    async with stage.daemon(supervisor=supervisor, ready_within=0.5):
        await systemd.until(lambda s: s.ready)
        assert "reading the rooms for the first time" in systemd.status


async def test_a_start_waits_for_what_comes_soon(stage: Stage, systemd: Listening) -> None:
    """All is there: after the start every room is published."""
    supervisor = Supervisor(systemd.manager.address)
    async with stage.daemon(supervisor=supervisor) as running, stage.listener() as panel:
        await panel.caught_up()
        assert "placed/rooms/library/state" in panel.latest
        await systemd.until(lambda s: s.ready and s.status == ALL_WELL)
        (ready,) = running.logged("daemon.became_ready")
        assert "waits_for" not in ready


async def test_a_refused_reload_is_in_the_line_until_one_is_taken_up(
    stage: Stage, systemd: Listening
) -> None:
    stage.configure()
    good = stage.file.read_text()
    environment = {"NOTIFY_SOCKET": systemd.manager.address}
    arguments = ("run", "-c", stage.file, "--log-format", "json")
    async with Program.start(stage.folder, *arguments, environment=environment) as program:
        await systemd.until(lambda s: s.ready and s.status == ALL_WELL)
        systemd.ready = False
        stage.file.write_text(good + "[poling]\n")
        program.signal(signal.SIGHUP)
        await systemd.until(lambda s: s.ready and not s.reloading and "refused: " in s.status)
        assert systemd.status.startswith("2 rooms in 1 connection(s); reload at ")
        assert "poling" in systemd.status
        stage.file.write_text(good)
        program.signal(signal.SIGHUP)
        await systemd.until(lambda s: s.ready and not s.reloading and s.status == ALL_WELL)


@pytest.mark.parametrize("mistake", ["configuration", "secret", "broker"])
async def test_a_failing_service_reports_the_reason_in_its_status_line(
    stage: Stage, systemd: Listening, mistake: str
) -> None:
    stage.configure()
    match mistake:
        case "configuration":
            stage.file.write_text(stage.file.read_text() + "[poling]\n[poling2]\n")
            named = "poling"
        case "secret":
            (stage.folder / "contoso.secret").write_text("s3cret of somebody else")
            named = "AADSTS7000215"
        case _:
            stage.configure(mqtt={"url": stage.broker.url, "password_file": str(stage.folder / "nowhere")})
            named = "mqtt.password_file"
    environment = {"NOTIFY_SOCKET": systemd.manager.address}
    code, _ = await run(stage.folder, "run", "-c", stage.file, environment=environment)
    assert code == 3
    systemd.look()
    assert systemd.status.startswith("failed: ")
    assert named in systemd.status
    if mistake == "configuration":
        assert "(and 1 more)" in systemd.status


async def test_the_line_counts_rooms_that_cannot_be_read(stage: Stage, systemd: Listening) -> None:
    stage.connect(rooms=["boardroom", "nowhere"])
    async with stage.daemon(supervisor=Supervisor(systemd.manager.address)):
        await systemd.until(
            lambda s: s.status == "2 rooms in 1 connection(s), 1 not readable; fence contoso unproven"
        )
        stage.tenant.add_room("nowhere")
        stage.clock.leap(330)
        await systemd.until(lambda s: s.status == ALL_WELL)


async def test_what_is_remembered_is_published_and_ready_at_once(stage: Stage, systemd: Listening) -> None:
    stage.tenant.book("boardroom", stage.clock.now(), stage.clock.now() + timedelta(hours=1))
    async with stage.daemon():
        pass
    async with stage.outage(), stage.daemon(supervisor=Supervisor(systemd.manager.address)):
        await systemd.until(lambda s: s.ready)
