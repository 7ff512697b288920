"""A panel of the real daemon: what is pressed on it happens on the calendar, and then on the panel."""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from placed_microsoft365.simulator.connection_settings import actions_toml
from tests.support.browser_session import LONG
from tests.support.placed_process import Program
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

    from tests.support.browser_session import BrowserSession
    from tests.support.deployment import Deployment

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TOKEN = "token-of-the-door"
PANELS = f"""
[door]
token_sha256 = "{sha256(TOKEN.encode()).hexdigest()}"
scopes = ["rooms/boardroom:*"]
"""
CHECK_IN = """[connections.check_in]
from = "10m"
after = "10m"
[connections.no_show]
exempt = { booked_within = "0s" }
"""
ALL = ("check-in", "end", "extend", "book")
MINUTE = timedelta(minutes=1)


def configure(deployment: Deployment, *, check_in: str = "") -> None:
    """A daemon that writes with a registration of its own; a panel at the door of the boardroom."""
    secret, file = "s3cret~of~the~writer", deployment.folder / "writer.secret"
    write_secret(file, secret)
    write_secret(deployment.folder / "panels.toml", PANELS)
    writer = deployment.tenant.register_app(secrets=[secret], roles=["Calendars.ReadWrite"])
    actions = actions_toml(writer.client_id, allow=ALL, client_secret_file=file)
    deployment.connect(more=actions + check_in)
    panels = str(deployment.folder / "panels.toml")
    deployment.configure(http={"listen": "127.0.0.1:0", "panel_tokens": panels})


async def panel(tabs: BrowserSession, url: str, status: str) -> Page:
    page = await tabs.open(f"{url}/rooms/boardroom#token={TOKEN}", touch=True, width=1024, height=768)
    await page.locator(f"body[data-status={status}] .buttons button").first.wait_for()
    return page


def lengths(deployment: Deployment) -> list[int]:
    """The meetings on the boardroom's calendar, in minutes."""
    meetings = sorted(deployment.tenant.meetings("boardroom"), key=lambda meeting: meeting.start)
    return [round((meeting.end - meeting.start) / MINUTE) for meeting in meetings]


async def test_a_room_is_booked_extended_and_ended_at_its_panel(
    tabs: BrowserSession, deployment: Deployment
) -> None:
    configure(deployment)
    async with deployment.daemon() as running:
        page = await panel(tabs, running.url, "free")
        await page.get_by_role("button", name="Book 15 min").tap()
        await page.locator("body[data-status=busy]").wait_for()
        await page.get_by_text("Booked.").wait_for()
        assert lengths(deployment) == [15]
        await page.get_by_role("button", name="Extend 30 min").tap()
        await page.get_by_text("Extended.").wait_for()
        assert lengths(deployment) == [15, 30]
        # At once, while the extension does not run yet.
        await page.get_by_role("button", name="Extend 15 min").tap()
        await expect(page.get_by_text("Extended.")).to_have_count(0)
        await page.get_by_text("Extended.").wait_for()
        assert lengths(deployment) == [15, 30, 15]
        await page.reload()
        await page.get_by_role("button", name="Extend 1 h").wait_for()
        await page.get_by_role("button", name="End now").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Yes, end it").press("Enter")
        await page.get_by_text("Ended.").wait_for()
        # It ends with this minute, and so does the room's statement.
        assert sum(lengths(deployment)) < 15
        deployment.clock.leap(60)
        await page.locator("body[data-status=free]").wait_for()


async def test_a_meeting_is_checked_in_to_at_the_panel(tabs: BrowserSession, deployment: Deployment) -> None:
    now = deployment.clock.now().replace(second=0, microsecond=0)
    deployment.tenant.book("boardroom", now - MINUTE, now + 59 * MINUTE)
    deployment.clock.leap(60)  # it was booked before its start
    deployment.tenant.book("boardroom", now + 90 * MINUTE, now + 120 * MINUTE)
    configure(deployment, check_in=CHECK_IN)
    async with deployment.daemon() as running:
        deployment.clock.leap(60 * 86)
        page = await panel(tabs, running.url, "starting")
        button = page.get_by_role("button", name="Check in")
        await expect(button).to_contain_text("starts at", timeout=LONG)
        deployment.clock.leap(60 * 3)
        await page.locator("body[data-status=pending]").wait_for()
        await expect(button).to_have_text(re.compile(r"Check in[89] min left"), timeout=LONG)
        await button.tap()
        await page.locator("body[data-status=busy]").wait_for()
        await page.get_by_text("Checked in.").wait_for()
        assert (await page.locator("#current .span").inner_text()).endswith("checked in")
        assert lengths(deployment) == [60, 30], "a check-in changes no calendar"


async def test_what_somebody_else_has_just_booked_is_refused(
    tabs: BrowserSession, deployment: Deployment
) -> None:
    """The calendar is read right before the booking; the panel had not heard of it yet."""
    tabs.expected = ("409",)
    configure(deployment)
    deployment.file.write_text(deployment.file.read_text().replace('interval = "1s"', 'interval = "1h"'))
    async with deployment.daemon() as running:
        page = await panel(tabs, running.url, "free")
        now = deployment.clock.now().replace(second=0, microsecond=0)
        deployment.tenant.book("boardroom", now, now + 30 * MINUTE)
        await page.get_by_role("button", name="Book 15 min").tap()
        await page.get_by_text("Not possible: somebody else has booked this time.").wait_for()
        await page.locator("body[data-status=busy]").wait_for()
        assert lengths(deployment) == [30]


async def test_the_link_of_the_demo_opens_a_panel_that_checks_in(
    tabs: BrowserSession, tmp_path: Path
) -> None:
    ports = ("--http-port", "0", "--mqtt-port", "0")
    arguments = ("demo", "--quiet", *ports, "--interval", "1s", "--public-url", "https://rooms.example")
    async with Program.start(tmp_path, *arguments) as program:
        line = await program.wait_for_line("panel with buttons")
        page = await tabs.open(line.rpartition(" ")[2], wait=".buttons [data-kind=check-in]")
        assert "token" not in page.url
        await page.locator("body[data-qr=check-in] .qr").wait_for()
        await page.get_by_role("button", name="Check in").click()
        await page.get_by_text("Checked in.").wait_for()
        await page.locator("body[data-qr=day] .qr").wait_for()


@pytest.mark.slow  # a meeting ends with its minute, and the clock of the demo is the real one
async def test_in_the_demo_a_meeting_is_extended_and_ended_and_the_room_is_booked(
    tabs: BrowserSession, tmp_path: Path
) -> None:
    ports = ("--http-port", "0", "--mqtt-port", "0")
    async with Program.start(tmp_path, "demo", "--quiet", *ports, "--interval", "1s") as program:
        line = await program.wait_for_line("panel with buttons")
        page = await tabs.open(line.rpartition(" ")[2], wait=".buttons [data-kind=check-in]", touch=True)
        await page.get_by_role("button", name="Check in").tap()
        await page.locator("body[data-status=busy]").wait_for()
        await page.get_by_role("button", name="Extend 15 min").tap()
        await page.get_by_text("Extended.").wait_for()
        await page.get_by_role("button", name="End now").focus()
        await page.keyboard.press("Enter")
        await page.get_by_role("button", name="Yes, end it").press("Enter")
        await page.get_by_text("Ended.").wait_for()
        await page.locator("body[data-status=free]").wait_for()
        await page.get_by_role("button", name="Book 30 min").tap()
        await page.locator("body[data-status=busy]").wait_for()
        await page.get_by_text("Booked.").wait_for()
