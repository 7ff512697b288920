"""What the pages show of presence, beside the status and never in place of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.presence import Reading, Sensor, SensorKind
from tests.end_to_end.browser.test_panel_actions import panel
from tests.support.browser_session import picture, violations
from tests.support.hand_actions import HandActions
from tests.support.sample_building import meetings, read

if TYPE_CHECKING:
    from tests.support.board_setup import BoardSetup
    from tests.support.browser_session import BrowserSession
    from tests.support.status_endpoint import Endpoint

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

COUNTER = Sensor("counter", SensorKind.COUNTER, timedelta(minutes=2), timedelta(minutes=30))


def sense(board_setup: BoardSetup, room_id: str, *, present: bool) -> None:
    """A sensor reports now."""
    assert board_setup.board.sense(room_id, COUNTER, Reading(present=present, at=board_setup.moment)) is None


async def test_a_booked_room_without_people_stays_busy_and_shows_since_when_it_is_empty(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    sense(board_setup, "boardroom", present=False)
    sense(board_setup, "library", present=True)
    page = await tabs.open(endpoint.server.url, width=1280, height=900)
    booked = page.locator(".tile[data-room=boardroom]")
    await booked.locator(".presence", has_text="Nobody there since").wait_for()
    assert await booked.get_attribute("data-status") == "busy"
    assert await booked.get_attribute("data-use") == "booked_empty"
    used = page.locator(".tile[data-room=library]")
    assert await used.locator(".presence").text_content() == "In use without a booking"
    assert await used.get_attribute("data-status") == "free"
    assert await page.locator(".tile[data-room=atrium] .presence").text_content() == ""
    await booked.locator(".block").first.wait_for(state="attached")
    await picture(page, "board-presence")
    assert await violations(page) == []


async def test_no_line_of_a_tile_lies_over_its_timeline_if_the_times_take_two_lines(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    read(board_setup, "boardroom", *meetings([("9:45", "12:45", "Budget 2027", "Grace Abara")]))
    sense(board_setup, "boardroom", present=False)
    page = await tabs.open(endpoint.server.url, width=1120, height=900, locale="en-US")
    tile = page.locator(".tile[data-room=boardroom]")
    await tile.locator(".left", has_text="23 min").wait_for(timeout=9000)
    await tile.locator(".presence", has_text="Nobody there since").wait_for()
    await tile.locator(".block").first.wait_for(state="attached")
    tops = await tile.locator(".until, .left, .presence, .meeting, .timeline").evaluate_all(
        "parts => parts.map((part) => part.getBoundingClientRect().top)"
    )
    assert tops == sorted(set(tops)), "the times take two lines"
    cut = await tile.evaluate(
        """(tile) => [tile, ...tile.querySelectorAll(".presence, .meeting")]
             .filter((part) => part.scrollHeight > part.clientHeight + 1)
             .map((part) => [part.className, part.clientHeight, part.scrollHeight])"""
    )
    assert cut == []


@pytest.mark.parametrize(
    ("room", "present", "status", "text"),
    [
        ("boardroom", False, "busy", "Nobody there since"),
        ("boardroom", True, "busy", "Somebody is there"),
        ("library", True, "free", "In use without a booking"),
    ],
)
async def test_the_panel_shows_presence_below_the_status(  # noqa: PLR0913, PLR0917 - a row of the table
    tabs: BrowserSession,
    board_setup: BoardSetup,
    endpoint: Endpoint,
    room: str,
    present: bool,  # noqa: FBT001 - a row of the table
    status: str,
    text: str,
) -> None:
    sense(board_setup, room, present=present)
    url = f"{endpoint.server.url}/rooms/{room}"
    page = await tabs.open(url, width=1024, height=768, wait=f"[data-status={status}]")
    await page.locator("#presence", has_text=text).wait_for()
    await page.locator(".timeline .now").wait_for(state="attached")
    if not present:
        await picture(page, "panel-booked-empty")
    assert await violations(page) == []


SIZES = [(480, 320), (320, 480), (800, 480), (600, 960), (768, 1024), (1024, 600), (1920, 1080)]
COVERED = """() => {
  const wanted = "#name, #clock, #shape, #word, #until, #presence, .meeting > *, button, .outcome, .qr";
  const parts = [...document.querySelectorAll(wanted)].filter((part) => part.checkVisibility());
  const boxOf = (part) => {
    const range = document.createRange();
    range.selectNodeContents(part);
    return (part.matches("button, #shape, .qr") ? part : range).getBoundingClientRect();
  };
  const boxes = parts.map((part) => [part.id || part.textContent, boxOf(part)]);
  return boxes.flatMap(([one, a], place) => boxes.slice(place + 1)
    .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
      && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3)
    .map(([other]) => `${one} over ${other}`));
}"""


@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
@pytest.mark.parametrize("code", [False, True])
async def test_presence_and_buttons_cover_nothing_in_every_size(
    tabs: BrowserSession,
    board_setup: BoardSetup,
    endpoint: Endpoint,
    locale: str,
    code: bool,  # noqa: FBT001 - a row of the table
) -> None:
    sense(board_setup, "boardroom", present=False)
    page = await panel(tabs, endpoint, HandActions(), "boardroom", locale=locale)
    await page.locator("#presence", has_text="10:22").wait_for()
    if code:  # as the page shows one, with a picture of it
        await page.evaluate(
            """() => {
              const code = document.createElement("figure");
              code.className = "qr";
              code.append(document.createElementNS("http://www.w3.org/2000/svg", "svg"), "Code");
              code.firstChild.setAttribute("viewBox", "0 0 9 9");
              document.querySelector(".state").append(code);
              document.body.dataset.qr = "day";
            }"""
        )
    covered = {}
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        covered[f"{width} x {height}"] = await page.evaluate(COVERED)
    assert {size: found for size, found in covered.items() if found} == {}


async def test_a_presence_disappears_from_the_page_when_it_ends(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    sense(board_setup, "library", present=True)
    page = await tabs.open(endpoint.server.url + "/rooms/library", wait="[data-use=unbooked]")
    board_setup.wait(timedelta(minutes=30))  # the sensor is stale
    await page.locator("body:not([data-use])").wait_for(state="attached")
    assert await page.locator("#presence").text_content() == ""
