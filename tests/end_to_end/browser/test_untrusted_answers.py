"""A page shows a status only from the daemon's own answers, and only while they are fresh."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.browser.test_silent_daemon import KNOWN, PROMISED, UNKNOWN, unknown
from tests.support.board_setup import BoardSetup
from tests.support.http_relay import Relay
from tests.support.sample_building import MOMENT, building
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.browser_session import BrowserSession

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HTML = "<!doctype html><style>\n\n:root { color: red }\n\n</style><p>We will be back soon.\n\n"
STRANGERS = {
    "json": ("application/json", '{"status":"maintenance"}'),
    "rooms": ("application/json", '{"schema":1,"epoch":7,"seq":1,"rooms":[]}'),
    "html": ("text/html", HTML),
    "stream": ("text/event-stream", ": keep-alive\n\n"),
}


def answer(status: str, media_type: str, body: str) -> bytes:
    """What a proxy answers by itself."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n{body}".encode()


@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
async def test_an_answer_from_another_program_is_not_shown(
    tabs: BrowserSession, endpoint: Endpoint, status: str
) -> None:
    """Such as a proxy's page while the daemon is away, or what has its address by now."""
    tabs.expected = ("404", "net::ERR_")
    # At once, because they mostly wait.
    await asyncio.gather(
        *(_is_not_shown(tabs, endpoint, answer(status, *stranger)) for stranger in STRANGERS.values())
    )


async def _is_not_shown(tabs: BrowserSession, endpoint: Endpoint, strange: bytes) -> None:
    async with Relay(endpoint.server.url) as relay:
        panel = await tabs.open(f"{relay.url}/rooms/library", wait="body" + KNOWN)
        board = await tabs.open(relay.url, wait=".tile[data-room=library]" + KNOWN)
        await relay.cut()
        await relay.restore()
        relay.answer = strange
        assert await unknown(panel) < PROMISED
        await board.locator(".tile[data-room=library]" + UNKNOWN).wait_for(timeout=PROMISED * 1000)
        assert await panel.locator("body").get_attribute("data-why") == "offline"
        await asyncio.sleep(5)  # real time: the page asks again every few seconds, by the browser's clock
        assert await panel.locator("body[data-why=offline]").count() == 1
        assert await board.locator(".tile[data-room=library]" + UNKNOWN).count() == 1
        relay.answer = b""
        await panel.locator("body" + KNOWN).wait_for()
        await board.locator(".tile[data-room=library]" + KNOWN).wait_for()


async def test_a_browser_that_keeps_nothing_shows_the_rooms_all_the_same(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    """Where a policy forbids sites to keep anything, so much as to ask for it fails."""
    panel = await tabs.open("about:blank", wait=None)
    await panel.add_init_script(
        """for (const name of ["sessionStorage", "localStorage", "caches"]) {
          Object.defineProperty(window, name, {
            get() { throw new DOMException("denied", "SecurityError"); },
          });
        }
        Object.defineProperty(navigator, "serviceWorker", {
          get() { throw new DOMException("denied", "SecurityError"); },
        });"""
    )
    await panel.goto(endpoint.server.url + "/rooms/library")
    await panel.locator("body" + KNOWN).wait_for()


async def test_the_question_for_a_token_goes_when_none_is_wanted_any_more(
    tabs: BrowserSession, tmp_path: Path
) -> None:
    """Nobody stands at a door to close it."""
    tabs.expected = ("401",)
    write_secret(tmp_path / "token", "correct-horse")
    async with (
        Endpoint(building()) as open_to_all,
        Endpoint(building(), token_file=tmp_path / "token") as guarded,
        Relay(open_to_all.server.url) as relay,
    ):
        panel = await tabs.open(f"{relay.url}/rooms/library", wait="body" + KNOWN)
        ports = relay.port, int(guarded.server.url.rpartition(":")[2])
        for port in reversed(ports):
            await relay.cut()
            relay.port = port
            await relay.restore()
            if port == ports[1]:
                await panel.locator("dialog.ask").wait_for()
                assert await unknown(panel) < PROMISED
        await panel.locator("body" + KNOWN).wait_for()
        await panel.locator("dialog.ask").wait_for(state="detached")


class SlowStreams(Relay):
    """A proxy through which event streams come late, and all else at once."""

    delay = 0.0  # seconds
    questions = True  # whether anything else gets through

    async def _pass(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        kept: bytearray,
        *,
        plain: bool = False,
    ) -> None:
        if kept is self.asked:
            await super()._pass(reader, writer, kept, plain=plain)
            return
        loop = asyncio.get_running_loop()
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        slow = False

        async def send() -> None:
            while True:
                at, data = await late.get()
                await asyncio.sleep(at - loop.time())
                writer.write(data)

        sending = asyncio.create_task(send())
        with suppress(OSError):
            while data := await reader.read(65536):
                slow = slow or b"text/event-stream" in data
                if not slow and not self.questions and b"application/json" in data:
                    break
                late.put_nowait((loop.time() + self.delay * slow, data))
        sending.cancel()
        writer.transport.abort()


class BoardWithClock(BoardSetup):
    """Its clock runs as the machine's does."""

    def now(self) -> datetime:
        return MOMENT + (datetime.now(UTC) - BEGUN)


BEGUN = datetime.now(UTC)


@pytest.mark.parametrize("questions", [True, False])
async def test_late_events_do_not_count_as_new(tabs: BrowserSession, *, questions: bool) -> None:
    """The page asks instead; where that is not possible either, it does not know."""
    board_setup = building(kind=BoardWithClock)
    tabs.expected = ("net::ERR_",)
    async with Endpoint(board_setup) as endpoint, SlowStreams(endpoint.server.url) as relay:
        panel = await tabs.open(f"{relay.url}/rooms/library", wait="body" + KNOWN)
        for relay.delay in (4.5, 9.0, 13.5):  # never so long without a word that it would be noticed by that
            await asyncio.sleep(5)  # real time: the page judges lateness by the browser's clock
        relay.questions = questions
        board_setup.board.learn("library", board_setup.board.known_of("boardroom").schedule)  # type: ignore[union-attr,arg-type]
        if questions:
            await panel.locator("body[data-status=busy]").wait_for(timeout=PROMISED * 1000)
        else:
            assert await unknown(panel) < PROMISED
