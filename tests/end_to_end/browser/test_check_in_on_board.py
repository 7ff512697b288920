"""Rooms that wait for a check-in, on the board with all rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from placed.domain.check_in_rules import CheckedIn, CheckInRules
from tests.support.browser_session import LONG, picture, violations
from tests.support.sample_building import meetings, read

if TYPE_CHECKING:
    from tests.support.board_setup import BoardSetup
    from tests.support.browser_session import BrowserSession
    from tests.support.status_endpoint import Endpoint

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def board_setup(board_setup: BoardSetup) -> BoardSetup:
    """The boardroom's meeting began two minutes ago and waits for a check-in."""
    board_setup.board.set_check_in_rules({"contoso": CheckInRules()})
    read(board_setup, "boardroom", *meetings([("10:20", "11:00", "Budget 2027", "Grace Abara")]))
    return board_setup


async def test_a_room_that_waits_has_a_colour_a_word_and_a_shape_of_its_own(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    page = await tabs.open(endpoint.server.url)
    tile = page.locator(".tile[data-room=boardroom]")
    await tile.locator(".block").first.wait_for(state="attached")
    assert await tile.get_attribute("data-status") == "pending"
    assert await tile.locator(".word").text_content() == "Check-in"
    assert await tile.locator(".shape-hexagon").count() == 1
    assert await tile.locator(".left").text_content() == "check in within 8 min"
    colours = await page.evaluate(
        """[...document.querySelectorAll(".tile")].map((tile) => [
             tile.dataset.status, getComputedStyle(tile.querySelector(".status")).color])"""
    )
    assert len({colour for _, colour in colours}) == len({status for status, _ in colours}) == 5
    assert await page.locator("#summary [data-status=pending] b").text_content() == "1"
    await picture(page, "board-check-in")
    assert await violations(page) == []
    known = board_setup.board.known_of("boardroom")
    assert known is not None
    assert known.schedule is not None
    (running,) = known.schedule.meetings
    board_setup.board.check_in("boardroom", CheckedIn(running.key, running.start, board_setup.moment))
    await page.locator(".tile[data-room=boardroom][data-status=busy]").wait_for()
    await expect(tile.locator(".meeting")).to_contain_text("checked in", timeout=LONG)


async def test_the_rooms_that_wait_can_be_found(tabs: BrowserSession, endpoint: Endpoint) -> None:
    page = await tabs.open(endpoint.server.url)
    await page.get_by_role("checkbox", name="Check-in").check()
    await expect(page.locator(".tile:visible")).to_have_count(1)
    assert page.url.endswith("?status=pending")
    await page.reload()
    await expect(page.locator(".tile:visible")).to_have_count(1)
    await page.locator("#clear").click()
    await expect(page.locator(".tile:visible")).to_have_count(11)


async def test_a_site_without_check_in_has_no_words_of_it(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    board_setup.board.set_check_in_rules({})
    page = await tabs.open(endpoint.server.url)
    await page.locator(".tile[data-room=boardroom][data-status=busy]").wait_for()
    assert await page.get_by_text("Check-in").locator("visible=true").count() == 0
