"""Many reloads in a short time are few, cost no sign-ins, and end with the last configuration."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.tenant.app_credentials import Secret
from tests.end_to_end.service.test_signals import PROMISED, lies, placed
from tests.support.placed_process import Program

if TYPE_CHECKING:
    from tests.support.daemon_environment import Stage

STATUS = "placed/rooms/boardroom/status"


async def storm(program: Program, stage: Stage, times: int) -> None:
    """So many SIGHUPs, each after another change; the last one names the library as well."""
    good = stage.file.read_text()
    for number in range(times):
        last = number == times - 1
        stage.file.write_text(good + f'[rooms."boardroom@contoso.example"]\nfloor = "{number}"\n')
        if last:
            extended = stage.file.read_text().replace('["board', '["library@contoso.example", "board')
            stage.file.write_text(extended)
        program.signal(signal.SIGHUP)
        await asyncio.sleep(0.01)  # as a script would; the daemon takes some up meanwhile


async def test_two_hundred_reloads_cost_no_sign_in_and_the_last_configuration_wins(stage: Stage) -> None:
    stage.connect(rooms=["boardroom"])
    async with placed(stage) as program, stage.listener() as panel:
        await panel.message(STATUS, "busy")
        heard, logins = len(panel.arrivals), stage.logins
        await storm(program, stage, 200)
        await panel.message("placed/rooms/library/status", "free")
        await panel.until(lambda a: a.topic == "placed/rooms" and '"199"' in a.text)
        assert stage.logins == logins
        reloaded = [e for e in program.logs if e["event"] == "configuration.was_reloaded"]
        assert 1 <= len(reloaded) < 8
        await panel.caught_up()
        assert lies(panel, heard) == []
        program.signal(signal.SIGTERM)
        assert await program.ends(within=PROMISED) == 0


async def test_a_reload_requests_a_new_token_after_consent(stage: Stage) -> None:
    """Consent was given after it was issued: a reload is how an administrator has that taken up at once."""
    app = stage.connect(roles=(), rooms=["boardroom"])
    stage.tenant.book("boardroom", stage.clock.now(), stage.clock.now() + timedelta(hours=1))
    stage.configure()
    arguments = ("run", "-c", stage.file, "--log-format", "json")
    async with Program.start(stage.folder, *arguments) as program, stage.listener() as panel:
        await program.logged("daemon.became_ready")
        stage.tenant.grant(app, "Calendars.Read")
        program.signal(signal.SIGHUP)
        await panel.message(STATUS, "busy")


async def test_another_secret_is_signed_in_with_once_and_then_used(stage: Stage) -> None:
    app = stage.connect(rooms=["boardroom"])
    async with placed(stage) as program, stage.listener() as panel:
        logins = stage.logins
        app.secrets.append(Secret("another"))
        (stage.folder / "contoso.secret").write_text("another")
        program.signal(signal.SIGHUP)
        await program.logged("configuration.was_reloaded")
        heard, later = len(panel.arrivals), stage.clock.now() + timedelta(hours=2)
        stage.tenant.book("boardroom", later, later + timedelta(hours=1))
        await panel.message("placed/rooms/boardroom/state", after=heard)
        assert stage.logins == logins + 1
