"""A page that is opened while the daemon is away comes from the browser's own store, and knows nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.http import pages
from tests.support.http_relay import Relay
from tests.support.page_reader import read
from tests.support.sample_building import building
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

    from playwright.async_api import BrowserContext, Page

    from tests.support.browser_session import BrowserSession

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

BUSY = "body[data-status=busy]"
AWAY = "body[data-why=offline]"
KEPT = """async () => {
  const found = {};
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    found[name] = {};
    for (const asked of await cache.keys()) found[name][asked.url] = await (await cache.match(asked)).text();
  }
  return found;
}"""


async def kept(page: Page) -> dict[str, dict[str, str]]:
    """All that the browser keeps of this host: text by address, by the name of the cache."""
    found: dict[str, dict[str, str]] = await page.evaluate(KEPT)
    return found


async def is_kept(page: Page) -> None:
    """Waits until the browser has the pages."""
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")


async def visited(tabs: BrowserSession, url: str) -> BrowserContext:
    """A browser that has seen a panel, and keeps the pages."""
    page = await tabs.open(f"{url}/rooms/boardroom", wait=BUSY, keeps=True)
    await is_kept(page)
    return page.context


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "never answered"])
async def test_a_tablet_that_is_switched_on_while_the_daemon_is_away(
    tabs: BrowserSession, endpoint: Endpoint, *, silent: bool
) -> None:
    async with Relay(endpoint.server.url) as relay:
        tablet = await visited(tabs, relay.url)
        for page in tablet.pages:
            await page.close()
        if silent:
            relay.hold()
        else:
            await relay.cut()
        panel = await tabs.open_beside(tablet, f"{relay.url}/rooms/boardroom", wait=AWAY)
        reading = await read(panel, "boardroom")
        assert reading is not None
        assert (reading.status, reading.word) == ("unknown", "Unknown")
        assert reading.words == "No connection to the server"
        other = await tabs.open_beside(tablet, f"{relay.url}/rooms/library", wait=AWAY)
        board = await tabs.open_beside(tablet, f"{relay.url}/?kiosk&building=Annex")
        await board.get_by_text("Which rooms are free is not known").wait_for()
        assert await board.locator("#summary li:visible b").all_text_contents() == ["\u2013"] * 4
        assert await board.locator(".tile").count() == 0
        assert not await board.locator("#clear-too").is_visible()  # no filter hides them
        if silent:
            relay.let_go()
        else:
            await relay.restore()
        await panel.locator(BUSY).wait_for()
        await other.locator("body[data-status=free]").wait_for()
        await board.locator(".tile[data-room=studio][data-status=busy]").wait_for()


async def test_no_room_is_kept(tabs: BrowserSession, endpoint: Endpoint) -> None:
    """But for the pages and what they are made of: no answer of the API, no name, no title."""
    tablet = await visited(tabs, endpoint.server.url)
    board = await tabs.open_beside(tablet, f"{endpoint.server.url}/?room=boardroom", wait="dialog .block")
    found = await kept(board)
    (files,) = found.values()
    assert len(files) > 20
    assert not [address for address in files if "/api/" in address]
    for text in files.values():
        assert not any(word in text for word in ("Boardroom", "Budget 2027", "Grace Abara"))


async def test_what_the_api_answers_never_comes_from_the_browser(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    async with Relay(endpoint.server.url) as relay:
        tablet = await visited(tabs, relay.url)
        await relay.cut()
        page = await tabs.open_beside(tablet, f"{relay.url}/rooms/boardroom", wait=AWAY)
        for address in ("api/v1/rooms", "api/v1/rooms/boardroom", "api/v1/days?room=boardroom", "readyz"):
            failed = await page.evaluate("(a) => fetch(`../${a}`).then(() => false, () => true)", address)
            assert failed, address


async def test_a_proxys_page_of_errors_is_not_what_a_tablet_shows(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    tabs.expected = ("502",)
    async with Relay(endpoint.server.url) as relay:
        tablet = await visited(tabs, relay.url)
        await relay.cut()
        await relay.restore()
        relay.answer = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry"
        page = await tabs.open_beside(tablet, f"{relay.url}/rooms/boardroom", wait=AWAY)
        relay.answer = b""
        await page.locator(BUSY).wait_for()


@pytest.fixture
def other_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the program, as far as its pages are concerned."""
    walk = pages._walk

    def _walk(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, bytes]]:
        for name, content in walk(folder, prefix):
            yield name, content + b"/* newer */" if name == "panel.css" else content

    monkeypatch.setattr(pages, "_walk", _walk)


async def test_a_new_version_takes_over_wherever_it_is_met(
    tabs: BrowserSession, request: pytest.FixtureRequest
) -> None:
    """By a page that stayed open, and by one that was opened from the store while the daemon was updated."""
    async with Endpoint(building()) as old, Relay(old.server.url) as relay:
        tablet = await visited(tabs, relay.url)
        (panel,) = tablet.pages
        before = set(await kept(panel))
        await relay.cut()
        from_store = await tabs.open_beside(tablet, f"{relay.url}/rooms/library", wait=AWAY)
        request.getfixturevalue("other_version")
        async with Endpoint(building()) as new:
            relay.port = int(new.server.url.rpartition(":")[2])
            await relay.restore()
            version = pages.Assets().version
            for page, status in ((panel, "busy"), (from_store, "free")):
                await page.locator(f"link[href*='{version}']").first.wait_for(state="attached")
                await page.locator(f"body[data-status={status}]").wait_for()
            await panel.evaluate(
                """async (before) => {
                  while ((await caches.keys()).some((name) => before.includes(name))) {
                    await new Promise((done) => setTimeout(done, 50));
                  }
                }""",
                list(before),
            )
            await relay.cut()
            page = await tabs.open_beside(tablet, f"{relay.url}/rooms/boardroom", wait=AWAY)
            assert await page.locator(f"link[href*='{version}']").count() > 0


async def test_where_a_token_is_wanted_too(tabs: BrowserSession, tmp_path: Path) -> None:
    tabs.expected = ("401",)  # the panel asks whether the token is one of a panel, which it is not
    file = tmp_path / "token"
    write_secret(file, "correct-horse")
    async with Endpoint(building(), token_file=file) as endpoint, Relay(endpoint.server.url) as relay:
        address = f"{relay.url}/rooms/boardroom#token=correct-horse"
        page = await tabs.open(address, wait=BUSY, keeps=True)
        await is_kept(page)
        found = await kept(page)
        assert "correct-horse" not in str(found)
        await relay.cut()
        reopened = await tabs.open_beside(page.context, address, wait=AWAY)
        await relay.restore()
        await reopened.locator(BUSY).wait_for()


async def test_the_page_of_the_day_is_kept_too(tabs: BrowserSession, endpoint: Endpoint) -> None:
    async with Relay(endpoint.server.url) as relay:
        phone = await visited(tabs, relay.url)
        await relay.cut()
        address = f"{relay.url}/rooms/library/day"
        page = await tabs.open_beside(phone, address, wait="body.phone[data-status=unknown]")
        await page.get_by_text("No connection to the server").wait_for()
        assert await page.locator(".meetings").count() == 0
