"""Many reloads in a short time are few, cost no sign-ins, and end with the last configuration."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.tenant.app_credentials import Secret
from tests.end_to_end.service.test_signals import lies, placed
from tests.support.placed_process import Program

if TYPE_CHECKING:
    from tests.support.deployment import Deployment

STATUS = "placed/rooms/boardroom/status"


async def storm(program: Program, deployment: Deployment, times: int) -> None:
    """So many SIGHUPs, each after another change; the last one names the library as well."""
    good = deployment.file.read_text()
    for number in range(times):
        last = number == times - 1
        deployment.file.write_text(good + f'[rooms."boardroom@contoso.example"]\nfloor = "{number}"\n')
        if last:
            extended = deployment.file.read_text().replace('["board', '["library@contoso.example", "board')
            deployment.file.write_text(extended)
        program.signal(signal.SIGHUP)
        await asyncio.sleep(0.01)  # as a script would; the daemon takes some up meanwhile


async def test_two_hundred_reloads_cost_no_sign_in_and_the_last_configuration_wins(
    deployment: Deployment,
) -> None:
    deployment.connect(rooms=["boardroom"])
    async with placed(deployment) as program, deployment.listener() as panel:
        await panel.message(STATUS, "busy")
        heard, logins = len(panel.arrivals), deployment.logins
        await storm(program, deployment, 200)
        await panel.message("placed/rooms/library/status", "free")
        await panel.until(lambda a: a.topic == "placed/rooms" and '"199"' in a.text)
        assert deployment.logins == logins
        reloaded = [e for e in program.logs if e["event"] == "configuration.was_reloaded"]
        assert 1 <= len(reloaded) < 8
        await panel.caught_up()
        assert lies(panel, heard) == []
        program.signal(signal.SIGTERM)
        assert await program.ends() == 0


async def test_a_reload_requests_a_new_token_after_consent(deployment: Deployment) -> None:
    """Consent was given after it was issued: a reload is how an administrator has that taken up at once."""
    app = deployment.connect(roles=(), rooms=["boardroom"])
    deployment.tenant.book("boardroom", deployment.clock.now(), deployment.clock.now() + timedelta(hours=1))
    deployment.configure()
    arguments = ("run", "-c", deployment.file, "--log-format", "json")
    async with Program.start(deployment.folder, *arguments) as program, deployment.listener() as panel:
        await program.logged("daemon.became_ready")
        deployment.tenant.grant(app, "Calendars.Read")
        program.signal(signal.SIGHUP)
        await panel.message(STATUS, "busy")


async def test_another_secret_is_signed_in_with_once_and_then_used(deployment: Deployment) -> None:
    app = deployment.connect(rooms=["boardroom"])
    async with placed(deployment) as program, deployment.listener() as panel:
        logins = deployment.logins
        app.secrets.append(Secret("another"))
        (deployment.folder / "contoso.secret").write_text("another")
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")
        heard, later = len(panel.arrivals), deployment.clock.now() + timedelta(hours=2)
        deployment.tenant.book("boardroom", later, later + timedelta(hours=1))
        await panel.message("placed/rooms/boardroom/state", after=heard)
        assert deployment.logins == logins + 1
