"""How the pages look, for whom, and that everybody can use them. The pictures in docs are made here."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.browser_session import picture, violations
from tests.support.http_relay import Relay
from tests.support.sample_building import read

if TYPE_CHECKING:
    from tests.support.board_setup import BoardSetup
    from tests.support.browser_session import BrowserSession, Scheme
    from tests.support.status_endpoint import Endpoint

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

more = partial(pytest.param, marks=pytest.mark.long)  # what scripts/test-long looks at, too
DRAWN = ".tile[data-room=boardroom] .block"


@pytest.mark.parametrize(
    ("name", "scheme", "path", "width", "height"),
    [
        ("board-light", "light", "/", 1280, 900),
        more("board-dark", "dark", "/", 1280, 900),
        ("board-narrow", "light", "/", 320, 720),
        more("board-german", "light", "/?lang=de&free=30", 1280, 620),
        more(None, "dark", "/?q=nothing+of+the+kind", 1280, 620),
        more("kiosk", "dark", "/?kiosk", 1920, 1080),
        more("detail", "light", "/?room=boardroom", 1280, 900),
        ("detail-unknown", "dark", "/?room=vault", 1280, 900),
        more(None, "light", "/?room=boardroom", 320, 720),
    ],
)
async def test_the_board_is_fit_for_everybody(  # noqa: PLR0913, PLR0917 - a row of the table
    tabs: BrowserSession,
    endpoint: Endpoint,
    name: str | None,
    scheme: Scheme,
    path: str,
    width: int,
    height: int,
) -> None:
    page = await tabs.open(endpoint.server.url + path, width=width, height=height, scheme=scheme)
    await page.locator(DRAWN).first.wait_for(state="attached")
    if "room=" in path:
        whole = "dialog .block" if "boardroom" in path else "dialog .reason:has-text('Access is denied')"
        await page.locator(whole).first.wait_for()
    if name:
        await picture(page, name, whole=width < 400)
    assert await violations(page) == []
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, "it has to be scrolled sideways"
    small = await page.evaluate(
        """[...document.querySelectorAll("a, button, input, select")]
           .filter((e) => e.checkVisibility() && !e.closest(".skip") && !e.matches(".name"))
           .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
           .filter(([, box]) => Math.min(box.width, box.height) < 24)"""
    )
    assert small == []


@pytest.mark.parametrize(
    ("name", "room", "status"),
    [
        more("free", "library", "free"),
        more("starting", "atrium", "starting"),
        ("busy", "boardroom", "busy"),
        ("unknown", "vault", "unknown"),
        more("stale", "pier", "free"),
    ],
)
async def test_the_panel_is_fit_for_everybody(
    tabs: BrowserSession, endpoint: Endpoint, name: str, room: str, status: str
) -> None:
    page = await tabs.open(
        f"{endpoint.server.url}/rooms/{room}", width=1024, height=768, wait=f"[data-status={status}]"
    )
    await page.locator(".timeline[aria-label]").wait_for(state="attached")
    if name != "unknown":
        await page.locator(".panel .now").wait_for(state="attached")
    await picture(page, f"panel-{name}")
    assert await violations(page) == []
    for width, height in ((1024, 768), (600, 960), (480, 320)):
        await page.set_viewport_size({"width": width, "height": height})
        cut = await page.evaluate(
            """[...document.querySelectorAll("#name, #word, #until, .timeline, #clock")]
               .filter((e) => e.checkVisibility())
               .map((e) => [e.id, e.getBoundingClientRect()])
               .filter(([, box]) => box.left < 0 || box.right > innerWidth || box.bottom > innerHeight)"""
        )
        assert cut == []


async def test_at_night_the_panel_is_dim_and_by_day_it_moves(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    """Neither the field nor a letter stays where it is for good."""
    page = await tabs.open(endpoint.server.url + "/rooms/library", clock=True, wait="[data-status=free]")
    assert await page.locator("body.night").count() == 0
    before = await page.locator("#word").bounding_box()
    await page.clock.run_for(61_000)
    after = await page.locator("#word").bounding_box()
    assert before is not None
    assert after is not None
    assert before != after
    assert abs(before["x"] - after["x"]) <= 12

    board_setup.moment += timedelta(hours=12)
    read(board_setup, "library")
    page = await tabs.open(endpoint.server.url + "/rooms/library", width=1024, height=768, wait="body.night")
    await page.locator("[data-status=free] .panel .now, [data-status=free] .now").wait_for(state="attached")
    await picture(page, "panel-night")
    assert await violations(page) == []


async def test_a_wall_turns_its_pages(tabs: BrowserSession, endpoint: Endpoint) -> None:
    async with Relay(endpoint.server.url) as relay:
        page = await tabs.open(relay.url + "/?kiosk", width=1280, height=600, clock=True)
        assert not await page.locator("#filters").is_visible()
        await relay.cut()  # in the page's short seconds it would come and go, and move what is below it
        await page.clock.run_for(12_000)
        await page.locator("#offline").wait_for()
        for _ in range(8):
            if await page.evaluate("Math.round(scrollY)") == 0:
                break
            await page.clock.run_for(12_000)
        seen = []
        for _ in range(6):
            seen.append(await page.evaluate("Math.round(scrollY)"))
            await page.clock.run_for(12_000)
        assert seen[:3] == sorted(set(seen[:3]))
        assert 0 in seen[1:]
        end = await page.evaluate("Math.round(document.documentElement.scrollHeight - innerHeight)")
        assert max(seen) == end


async def test_axe_would_notice(tabs: BrowserSession, endpoint: Endpoint) -> None:
    page = await tabs.open(endpoint.server.url)
    await page.evaluate("document.body.append(document.createElement('button'))")
    assert [line.split(":")[0] for line in await violations(page)] == ["button-name"]


async def test_a_status_is_shown_by_colour_and_word_and_shape(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    page = await tabs.open(endpoint.server.url)
    seen = await page.evaluate(
        """[...document.querySelectorAll(".tile")].map((tile) => [
             tile.dataset.status,
             tile.querySelector(".word").textContent,
             tile.querySelector(".shape").classList[1],
             getComputedStyle(tile.querySelector(".status")).color,
           ])"""
    )
    by_status = {status: (word, shape, colour) for status, word, shape, colour in seen}
    assert by_status.keys() == {"free", "starting", "busy", "unknown"}
    assert len(set(map(tuple, seen))) == 4
    for reported in zip(*by_status.values(), strict=True):
        assert len(set(reported)) == 4


async def test_it_prints_rooms_and_no_controls(tabs: BrowserSession, endpoint: Endpoint) -> None:
    page = await tabs.open(endpoint.server.url)
    await page.emulate_media(media="print")
    assert not await page.locator("#filters").is_visible()
    assert await page.locator(".tile[data-room=boardroom] .word").is_visible()


@pytest.mark.parametrize("path", ["/", "/?room=boardroom", "/rooms/boardroom", "/rooms/pier"])
async def test_the_day_is_on_paper_where_backgrounds_are_left_out(
    tabs: BrowserSession, endpoint: Endpoint, path: str
) -> None:
    """Its parts ask for their colours, and have lines for browsers that do not listen; text is dark."""
    page = await tabs.open(endpoint.server.url + path, scheme="dark")
    await page.locator(".track .block").first.wait_for(state="attached")
    await page.emulate_media(media="print", color_scheme="dark")
    pale = await page.evaluate(
        """() => {
          const found = [];
          for (const part of document.querySelectorAll(".track, .track .block, .track .now")) {
            const { printColorAdjust, outlineStyle, borderInlineStartStyle } = getComputedStyle(part);
            const lined = outlineStyle === "solid" || borderInlineStartStyle === "solid";
            if (printColorAdjust !== "exact" || !lined) found.push(part.className);
          }
          for (const part of document.querySelectorAll("h1, #word, #until, #current .title, .scale span")) {
            const rgb = getComputedStyle(part).color.match(/[\\d.]+/g).map(Number);
            if (part.checkVisibility() && Math.max(...rgb.slice(0, 3)) > 128) found.push(part.outerHTML);
          }
          return found;
        }"""
    )
    assert pale == []


async def test_it_speaks_the_readers_language_and_keeps_their_hours(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    for locale, address, word, until in (
        ("en-GB", "/", "Busy", "until 11:00"),
        ("en-US", "/", "Busy", "until 11:00 AM"),
        ("de-AT", "/", "Belegt", "bis 11:00"),
        ("de-DE", "/?lang=en-US", "Busy", "until 11:00 AM"),
        ("fi-FI", "/", "Busy", "until 11:00"),
    ):
        page = await tabs.open(endpoint.server.url + address, locale=locale)
        tile = page.locator(".tile[data-room=boardroom]")
        assert await tile.locator(".word").text_content() == word
        reported = await tile.locator(".until").text_content() or ""
        assert reported.replace("\u202f", " ") == until
        assert await page.evaluate("document.documentElement.lang") == {"Belegt": "de"}.get(word, "en")


async def test_times_are_the_rooms_own_wherever_the_reader_is(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    page = await tabs.open(endpoint.server.url, zone="America/New_York")
    assert await page.locator(".tile[data-room=boardroom] .until").text_content() == "until 11:00"
    assert await page.locator(".building .zone").first.text_content() == "10:22 CET"
    assert await page.locator("#clock").text_content() == "4:22"
