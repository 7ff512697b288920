"""The pages and the API below a path of a real web server."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import shutil
import zlib
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import aiohttp
import pytest
import pytest_asyncio
from playwright.async_api import expect

from placed.domain.model import Meeting
from tests.end_to_end.proxies.reverse_proxy import KINDS, in_front_of
from tests.support.page_reader import read as read_page
from tests.support.sample_building import clock, read

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.board_setup import BoardSetup
    from tests.support.browser_session import BrowserSession
    from tests.support.status_endpoint import Endpoint

pytestmark = pytest.mark.asyncio(loop_scope="session")

BUSY = "body[data-status=busy]"
PROMISED = 10.0  # seconds until a page shows what is true, or that it does not know
AT_ONCE = 5.0  # seconds, and far below what a buffer would take


@pytest_asyncio.fixture(loop_scope="session")
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    plain = {"Accept-Encoding": "identity"}
    async with aiohttp.ClientSession(auto_decompress=False, headers=plain) as session:
        yield session


async def test_every_address_that_a_page_names_is_below_the_path(
    root: str, session: aiohttp.ClientSession
) -> None:
    async with session.get(root.rstrip("/")) as response:  # as people type it
        assert str(response.url) == root
    for page in ("", "rooms/boardroom"):
        async with session.get(root + page) as response:
            assert response.status == 200
            text = await response.text()
        named = re.findall(r'(?:href|src)="([^"#]+)"', text)
        assert len(named) == 4
        for address in named:
            absolute = urljoin(root + page, address)
            assert absolute.startswith(root)
            async with session.get(absolute) as response:
                assert response.status == 200
                assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    async with session.get(root + "worker.js") as response:
        assert response.content_type == "text/javascript"
    async with session.get(root + "openapi.json") as response:
        (server,) = json.loads(await response.read())["servers"]
        assert urljoin(root + "openapi.json", server["url"]) == root


async def test_what_has_not_changed_is_not_sent_again_and_what_has_is_packed(
    root: str, session: aiohttp.ClientSession
) -> None:
    async with session.get(root + "api/v1/rooms", headers={"Accept-Encoding": "gzip"}) as response:
        assert response.headers["Content-Encoding"] == "gzip"
        assert len(json.loads(gzip.decompress(await response.read()))["rooms"]) == 11
        tag = response.headers["ETag"]
    known = {"Accept-Encoding": "gzip", "If-None-Match": tag}
    async with session.get(root + "api/v1/rooms", headers=known) as response:
        assert response.status == 304
    for accepted in ("identity", "gzip"):  # it is small: where it is packed, the web server does it
        asked = {"Accept-Encoding": accepted}
        async with session.get(root + "api/v1/rooms/boardroom", headers=asked) as response:
            assert response.status == 200
            asked["If-None-Match"] = response.headers["ETag"]
        async with session.get(root + "api/v1/rooms/boardroom", headers=asked) as response:
            assert response.status == 304


@pytest.mark.parametrize("accepted", ["identity", "gzip"])
async def test_events_come_as_they_happen(
    root: str, board_setup: BoardSetup, session: aiohttp.ClientSession, accepted: str
) -> None:
    """Each within moments, and packed in such a way that it can be read, if at all."""
    timeout = aiohttp.ClientTimeout(total=None)
    async with (
        session.get(
            root + "api/v1/events?room=library", headers={"Accept-Encoding": accepted}, timeout=timeout
        ) as response,
        asyncio.timeout(4 * AT_ONCE),
    ):
        assert response.content_type == "text/event-stream"
        packed = response.headers.get("Content-Encoding") == "gzip"
        unpack = zlib.decompressobj(wbits=31).decompress if packed else bytes
        text = b""
        while b": keep-alive" not in text:
            text += unpack(await response.content.readany())
        for end in ("11:00", "12:00"):
            read(board_setup, "library", Meeting("new", clock("10:00"), clock(end)))
            text = b""
            async with asyncio.timeout(AT_ONCE):
                while b'"busy_until"' not in text:
                    text += unpack(await response.content.readany())


@pytest.mark.browser
async def test_a_reader_goes_from_the_board_to_a_panel(tabs: BrowserSession, root: str) -> None:
    page = await tabs.open(root, wait=".tile[data-room=boardroom][data-status=busy] .block")
    await page.locator(".tile[data-room=boardroom]").click()
    dialog = page.get_by_role("dialog", name="Boardroom")
    await dialog.locator("ol.meetings li").first.wait_for()
    await expect(page).to_have_url(root + "?room=boardroom")
    await dialog.get_by_role("link", name="door panel").click()
    await page.wait_for_url(root + "rooms/boardroom")
    await page.locator(BUSY).wait_for()
    await page.locator(".panel .block").first.wait_for(state="attached")
    await page.go_back()
    await expect(page).to_have_url(root + "?room=boardroom")
    await page.locator(".tile[data-room=boardroom][data-status=busy]").wait_for()


@pytest.mark.browser
async def test_a_panel_notices_that_the_daemon_has_gone(
    tabs: BrowserSession, root: str, endpoint: Endpoint
) -> None:
    """The web server is still there, and answers. A tablet that is opened then gets the page all the same."""
    tabs.expected = ("502", "503")
    page = await tabs.open(root + "rooms/boardroom", wait=BUSY, keeps=True)
    scope = await page.evaluate("navigator.serviceWorker.ready.then((it) => it.scope)")
    assert scope == root
    await endpoint.server.stop()
    async with asyncio.timeout(PROMISED):
        await page.locator("body[data-why=offline]").wait_for()
    other = await tabs.open_beside(page.context, root + "rooms/library", wait="body[data-why=offline]")
    reading = await read_page(other, "library")
    assert reading is not None
    assert reading.words == "No connection to the server"


@pytest.mark.browser
@pytest.mark.proxies
async def test_a_panel_polls_if_a_proxy_holds_events_back(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint, tmp_path: Path
) -> None:
    kind = KINDS["caddy that packs"]
    if shutil.which(kind.program) is None:
        pytest.skip("no caddy; as root: scripts/test-proxies")
    async with in_front_of(endpoint.at[1], kind, tmp_path) as url:
        page = await tabs.open(f"{url}/rooms-board/rooms/library", wait="body[data-status=free]")
        for end in ("11:00", "12:00"):
            read(board_setup, "library", Meeting("new", clock("10:00"), clock(end)))
            async with asyncio.timeout(PROMISED):
                await page.get_by_text(f"until {end}").wait_for()
