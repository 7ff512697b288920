"""The pages follow what happens, and never show what is not so any more."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.support.browser_session import LONG
from tests.support.free_ports import free_port
from tests.support.http_relay import Relay
from tests.support.placed_process import Program
from tests.support.sample_building import report
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

    from tests.support.board_setup import BoardSetup
    from tests.support.browser_session import BrowserSession
    from tests.support.deployment import Deployment

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HOUR = timedelta(hours=1)


def tile(room: str, **status: str) -> str:
    """The selector of a room's tile."""
    return f".tile[data-room={room}]" + "".join(f"[data-{k}={v}]" for k, v in status.items())


@pytest.mark.alone  # it measures a second of real time
async def test_a_tile_changes_within_a_second_of_a_booking(
    tabs: BrowserSession, deployment: Deployment
) -> None:
    deployment.configure(polling={"interval": "250ms"})
    async with deployment.daemon() as running:
        page = await tabs.open(running.url, wait=tile("boardroom", status="free"))
        now = deployment.clock.now().replace(microsecond=0)
        loop = asyncio.get_running_loop()
        for wanted in ("busy", "free"):
            begun = loop.time()
            if wanted == "busy":
                meeting = deployment.tenant.book("boardroom", now - HOUR, now + HOUR)
            else:
                deployment.tenant.cancel(meeting)
            await page.locator(tile("boardroom", status=wanted)).wait_for()
            assert loop.time() - begun < 1
        assert await page.locator(tile("library", status="free")).count() == 1


async def test_a_room_turns_busy_when_its_meeting_starts(
    tabs: BrowserSession, deployment: Deployment
) -> None:
    """By the daemon's timer: neither calendar nor page are asked for that."""
    now = deployment.clock.now()
    deployment.tenant.book("boardroom", now + timedelta(minutes=10), now + HOUR)
    deployment.configure(polling={"interval": "10m"}, occupancy={"expire_after": "2h"})
    async with deployment.daemon() as running:
        page = await tabs.open(running.url, wait=tile("boardroom", status="free"))
        for minutes, status in ((6, "starting"), (4.1, "busy")):
            deployment.clock.leap(60 * minutes)
            await page.locator(tile("boardroom", status=status)).wait_for()


async def test_rooms_come_and_go(tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint) -> None:
    page = await tabs.open(endpoint.server.url)
    board_setup.add("cellar", name="Cellar", building="Annex", floor="-1")
    await page.locator(tile("cellar")).wait_for()
    board_setup.drop("vault")
    await page.locator(tile("vault")).wait_for(state="detached")
    assert await page.locator("#count").text_content() == "11 rooms"


# --- time ---


async def test_what_is_left_counts_down_across_the_minute(
    tabs: BrowserSession, board_setup: BoardSetup
) -> None:
    board_setup.moment += timedelta(seconds=20)  # half a minute before the next
    async with Endpoint(board_setup, offline_after=HOUR) as endpoint, Relay(endpoint.server.url) as relay:
        page = await tabs.open(relay.url, clock=True)
        relay.hold()  # the daemon's clock stands still here
        left = page.locator(tile("garden")).locator(".left")
        assert await left.text_content() == "for 23 min"
        await page.clock.run_for(15_000)
        assert await left.text_content() == "for 23 min"
        await page.clock.run_for(16_000)
        assert await left.text_content() == "for 22 min"
        assert await page.locator("#clock").text_content() == "10:23"


async def test_a_browser_whose_clock_is_wrong_shows_the_same(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    page = await tabs.open(endpoint.server.url, clock=True)
    for wrong in ("2001-01-01T00:00:00Z", "2040-06-01T12:00:00Z"):
        await page.clock.set_system_time(wrong)
        await page.reload()
        await page.locator(tile("garden", status="free")).wait_for()
        assert await page.locator("#clock").text_content() == "10:22"
        assert await page.locator(tile("garden")).locator(".left").text_content() == "for 23 min"


async def green(page: Page) -> int:
    """How many rooms are shown as free or soon to be taken."""
    return await page.locator(".tile[data-status=free], .tile[data-status=starting]").count()


async def test_what_has_ended_is_unknown_on_the_page_too(
    tabs: BrowserSession, board_setup: BoardSetup
) -> None:
    """With a line that is cut, so that nothing but the page itself can know."""
    async with (
        Endpoint(board_setup, offline_after=HOUR) as endpoint,
        Relay(endpoint.server.url) as relay,
    ):
        page = await tabs.open(relay.url, clock=True)
        assert await green(page) == 6
        await relay.cut()
        await page.clock.run_for(175_000)
        assert await page.locator(tile("atrium", status="unknown")).count() == 1  # it was: starting
        assert await green(page) == 5
        await page.locator("#offline").wait_for()
        await page.clock.run_for(15 * 60_000)
        assert await green(page) == 0
        assert await page.locator(".tile:not([data-status=unknown])").count() == 0
        await relay.restore()
        await page.clock.run_for(31_000)
        await page.locator(tile("library", status="free")).wait_for()


async def test_after_a_suspend_no_old_state_is_shown(tabs: BrowserSession, endpoint: Endpoint) -> None:
    """The steady clock stands still while a machine sleeps; the wall clock shows that it did."""
    async with Relay(endpoint.server.url) as relay:
        page = await tabs.open(relay.url + "/rooms/library", wait="[data-status=free]")
        await relay.cut()
        await page.evaluate("(late => { const now = Date.now; Date.now = () => now() + late })(3600000)")
        await page.locator("body[data-status=unknown]").wait_for()
        await relay.restore()
        await page.evaluate("dispatchEvent(new Event('online'))")
        await page.locator("body[data-status=free]").wait_for()


async def test_a_reading_that_finds_nothing_new_counts_as_one(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    """No statement of the room follows it; beside the connection's last reading the room's is as recent."""
    page = await tabs.open(endpoint.server.url + "/?room=library")
    last = page.get_by_role("dialog").locator(".read")
    await expect(last).to_have_text("Last read 2 min ago", timeout=LONG)
    known = board_setup.board.known_of("library")
    assert known is not None
    assert known.schedule is not None
    before = board_setup.board.seq
    board_setup.moment += timedelta(minutes=1)
    board_setup.board.confirm("library", known.schedule.since, known.schedule.until, board_setup.moment)
    report(board_setup, last_success=board_setup.moment)
    assert board_setup.board.seq == before
    await expect(last).to_contain_text("sec", timeout=LONG)


# --- the line ---


async def test_a_stream_that_broke_is_resumed_where_it_broke(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    async with Relay(endpoint.server.url) as relay:
        page = await tabs.open(relay.url)
        seq = board_setup.board.seq
        await relay.cut()
        relay.asked.clear()
        board_setup.board.learn("library", board_setup.board.known_of("boardroom").schedule)  # type: ignore[union-attr,arg-type]
        await relay.restore()
        await page.locator(tile("library", status="busy")).wait_for()
    before, resumed, _ = bytes(relay.asked).lower().partition(f"Last-Event-ID: 7-{seq}".lower().encode())
    assert resumed
    assert b"get /api/v1/rooms http" not in before  # later the page may poll, if the stream takes seconds


async def test_the_panel_turns_unknown_when_the_daemon_is_killed_and_comes_back(
    tabs: BrowserSession, deployment: Deployment, tmp_path: Path
) -> None:
    listen = f"127.0.0.1:{free_port()}"
    deployment.configure(
        polling={"interval": "200ms"},
        occupancy={"stale_after": "2s", "expire_after": "3s"},
        http={"listen": listen},
    )
    async with Program.start(tmp_path, "run", "-c", deployment.file, "--log-format", "json") as program:
        await program.logged("daemon.became_ready")
        page = await tabs.open(f"http://{listen}/rooms/boardroom", wait="body[data-status=free]")
        program.process.kill()
        await program.process.wait()
        await page.locator("body[data-status=unknown]").wait_for()
        assert await page.locator("#word").text_content() == "Unknown"
        await page.get_by_text("No connection").wait_for()
    async with Program.start(tmp_path, "run", "-c", deployment.file, "--log-format", "json"):
        await page.locator("body[data-status=free]").wait_for()
        assert await page.locator("#word").text_content() == "Free"


async def test_a_cover_comes_down_though_the_script_hangs(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    """The page's own clock and all its timers stand still here; the browser's do not."""
    board_setup.moment = board_setup.board.statement("atrium").occupancy.valid_until - timedelta(seconds=6)  # type: ignore[union-attr]
    page = await tabs.open(
        endpoint.server.url + "/rooms/atrium", clock=True, wait="body[data-status=starting]"
    )
    await page.clock.pause_at(
        await page.evaluate("Date.now() / 1000 + 1.5")
    )  # a slow machine gets there later
    await expect(page.locator("#cover")).to_have_css("opacity", "1", timeout=LONG)
    assert await page.locator("body[data-status=starting]").count() == 1


async def test_the_panel_reports_that_the_room_does_not_exist(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    tabs.expected = ("404",)
    page = await tabs.open(endpoint.server.url + "/rooms/cellar", wait=None)
    await page.get_by_text("There is no room with the id cellar").wait_for()
    board_setup.add("cellar", name="Cellar")
    await page.get_by_role("heading", name="Cellar").wait_for()


async def test_the_panel_shows_current_and_next_meeting_and_the_day(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    page = await tabs.open(endpoint.server.url + "/rooms/boardroom", wait="body[data-status=busy]")
    await page.locator(".panel .now").wait_for(state="attached")
    assert (
        await page.locator("#current").inner_text() == "Now\n\nBudget 2027\n\n9:45 \u2013 11:00 · Grace Abara"
    )
    assert (
        await page.locator("#next").inner_text() == "Next\n\nInterview\n\n14:00 \u2013 15:30 · Ada Lindqvist"
    )
    assert await page.locator("#until").text_content() == "until 11:00 · 38 min left"
    assert await page.locator("#clock").text_content() == "10:22"
    assert await page.locator(".timeline").get_attribute("aria-label") == (
        "Today: 8:30 \u2013 9:30, 9:45 \u2013 11:00, 14:00 \u2013 15:30"
    )
