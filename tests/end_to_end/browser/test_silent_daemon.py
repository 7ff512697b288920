"""A page that does not hear from the daemon knows nothing, seconds later, whatever the cause."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from signal import SIGCONT, SIGSTOP
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.support.free_ports import free_port
from tests.support.http_relay import Relay
from tests.support.page_reader import read
from tests.support.placed_process import Program
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page

    from tests.support.board_setup import BoardSetup
    from tests.support.browser_session import BrowserSession
    from tests.support.deployment import Deployment

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

PROMISED = 10.0  # seconds from the end of the daemon's words until no page shows a room as anything
KNOWN = "[data-status=free]"
UNKNOWN = "[data-status=unknown]"
BOARD = ".tile[data-room=boardroom]"


async def pages(tabs: BrowserSession, *urls: str) -> list[Page]:
    """The board and the panel of each address, with a room that is free."""
    opened = []
    for url in urls:
        opened.append(await tabs.open(url, wait=BOARD + KNOWN))
        opened.append(await tabs.open(f"{url}/rooms/boardroom", wait="body" + KNOWN))
    return opened


async def unknown(*shown: Page) -> float:
    """Waits until all of them show unknown; returns the seconds that took."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for page in shown:
        where = "body" if "/rooms/" in page.url else BOARD
        await page.locator(where + UNKNOWN).wait_for()
    return loop.time() - begun


@asynccontextmanager
async def daemon(deployment: Deployment, folder: Path) -> AsyncIterator[tuple[Program, str]]:
    """A daemon as a process, with a calendar that may be believed for a quarter of an hour."""
    listen = f"127.0.0.1:{free_port()}"
    deployment.configure(http={"listen": listen})
    async with Program.start(folder, "run", "-c", deployment.file, "--log-format", "json") as program:
        await program.logged("daemon.became_ready")
        yield program, f"http://{listen}"


@pytest.mark.alone  # it measures after how many seconds the pages show it
async def test_when_the_daemon_is_killed(
    tabs: BrowserSession, deployment: Deployment, tmp_path: Path
) -> None:
    """Beside it pages behind a proxy that keeps their connections open, though the daemon has gone."""
    async with daemon(deployment, tmp_path) as (program, url), Relay(url) as proxy:
        shown = await pages(tabs, url, proxy.url)
        proxy.hold()
        program.process.kill()
        await program.process.wait()
        assert await unknown(*shown) < PROMISED
        for page in shown:
            reading = await read(page, "boardroom")
            assert reading is not None
            assert (reading.word, reading.why, reading.until) == ("Unknown", "offline", None)


@pytest.mark.alone  # the same
async def test_when_the_daemon_stands_still(
    tabs: BrowserSession, deployment: Deployment, tmp_path: Path
) -> None:
    async with daemon(deployment, tmp_path) as (program, url):
        shown = await pages(tabs, url)
        program.process.send_signal(SIGSTOP)
        try:
            assert await unknown(*shown) < PROMISED
        finally:
            program.process.send_signal(SIGCONT)
        await shown[0].locator(BOARD + KNOWN).wait_for()
        await shown[1].locator("body" + KNOWN).wait_for()


async def test_a_network_cut_without_notice_is_detected(tabs: BrowserSession, endpoint: Endpoint) -> None:
    async with Relay(endpoint.server.url) as relay:
        panel = await tabs.open(f"{relay.url}/rooms/library", wait="body" + KNOWN)
        relay.hold()
        assert await unknown(panel) < PROMISED
        relay.let_go()
        await panel.locator("body" + KNOWN).wait_for()


async def test_the_cover_comes_down_though_the_script_hangs(tabs: BrowserSession, endpoint: Endpoint) -> None:
    """The page's own clock and all its timers stand still here; the browser's do not."""
    async with Relay(endpoint.server.url) as relay:
        page = await tabs.open(f"{relay.url}/rooms/library", clock=True, wait="body" + KNOWN)
        await page.clock.pause_at(await page.evaluate("Date.now() / 1000 + 1.5"))
        await relay.cut()
        await expect(page.locator("#cover")).to_have_css("opacity", "1", timeout=PROMISED * 1000)
        assert await page.locator("body" + KNOWN).count() == 1


async def test_no_filter_finds_a_room_that_was_free_and_the_summary_counts_none(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    async with Relay(endpoint.server.url) as relay:
        page = await tabs.open(f"{relay.url}/?free=now", clock=True)
        assert await page.locator(".tile:visible").count() == 5
        await relay.cut()
        await page.clock.run_for(int(PROMISED * 1000))
        assert await page.locator(".tile:visible").count() == 0
        assert await page.locator("#summary li:visible b").all_text_contents() == ["0", "0", "0", "11"]
        await expect(page.locator("#offline")).to_have_text("No connection to the server; trying again.")


async def test_a_longer_page_timeout_never_extends_valid_until(
    tabs: BrowserSession, board_setup: BoardSetup
) -> None:
    async with (
        Endpoint(board_setup, offline_after=timedelta(minutes=5)) as endpoint,
        Relay(endpoint.server.url) as relay,
    ):
        page = await tabs.open(relay.url + "/rooms/library", clock=True, wait="body" + KNOWN)
        starting = await tabs.open(relay.url + "/rooms/atrium", clock=True, wait="body[data-status=starting]")
        await relay.cut()
        await page.clock.run_for(290_000)
        assert await page.locator("body" + KNOWN).count() == 1
        await page.clock.run_for(11_000)
        assert await page.locator("body" + UNKNOWN).count() == 1
        await starting.clock.run_for(175_000)  # its meeting has begun
        assert await starting.locator("body" + UNKNOWN).count() == 1


async def test_a_short_break_is_not_seen(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    """Such as that of a proxy that reads its configuration again."""
    async with Relay(endpoint.server.url) as relay:
        page = await tabs.open(relay.url + "/rooms/library", wait="body" + KNOWN)
        await page.evaluate(
            """() => {
              window.seen = [];
              const note = () => window.seen.push(document.body.dataset.status);
              new MutationObserver(note).observe(document.body, { attributeFilter: ["data-status"] });
            }"""
        )
        await relay.cut()
        await relay.restore()
        board_setup.board.learn("library", board_setup.board.known_of("boardroom").schedule)  # type: ignore[union-attr,arg-type]
        await page.locator("body[data-status=busy]").wait_for()
        assert await page.evaluate("window.seen") == ["busy"]


async def test_events_that_do_not_come_through_are_made_up_for_by_questions(
    tabs: BrowserSession, board_setup: BoardSetup
) -> None:
    """A proxy that keeps back what belongs to a stream until it ends: the pages know all the same."""
    async with Endpoint(board_setup) as endpoint:
        page = await tabs.open("about:blank", wait=None)
        await page.route("**/api/v1/events*", lambda _route: asyncio.sleep(3600))
        await page.goto(endpoint.server.url + "/rooms/library")
        await page.locator("body" + KNOWN).wait_for()
        read_again = board_setup.board.known_of("boardroom")
        assert read_again is not None
        assert read_again.schedule is not None
        board_setup.board.learn("library", read_again.schedule)
        await page.locator("body[data-status=busy]").wait_for()
