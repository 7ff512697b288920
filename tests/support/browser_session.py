"""A person with a browser."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)
PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"
# A browser's errors for a daemon that has ended; every test ends with them.
GONE = (
    "net::ERR_CONNECTION_",
    "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
    "net::ERR_EMPTY_RESPONSE",
    "net::ERR_SOCKET_NOT_CONNECTED",
)
KEEPS_NOTHING = "Service Worker registration blocked by Playwright"
LONG = DEADLINE * 1000  # ms
_STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
Scheme = Literal["light", "dark"]
NO_BROWSER = "no chromium; as root: apt-get install chromium-headless-shell fonts-dejavu-core"


def browser_path() -> str | None:
    """Chromium without windows, which needs two thirds of the processor time, or else chromium."""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


@dataclass
class BrowserSession:
    """Opens pages, and remembers what the browser complained of."""

    browser: Browser
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()  # words of complaints that belong to the test
    contexts: list[BrowserContext] = field(default_factory=list)

    async def open(  # noqa: PLR0913 - what a browser may be like
        self,
        url: str,
        *,
        width: int = 1280,
        height: int = 900,
        scheme: Scheme = "light",
        locale: str = "en-GB",
        zone: str = "Europe/Berlin",
        wait: str | None = "body:not([aria-busy])",
        clock: bool = False,
        keeps: bool = False,
        touch: bool = False,
    ) -> Page:
        """A page in a fresh browser, as soon as `wait` is there.

        With `clock` the test moves its time; with `keeps` the browser keeps the pages (service worker);
        with `touch` it has a touch screen.
        """
        context = await self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale=locale,
            timezone_id=zone,
            reduced_motion="reduce",
            service_workers="allow" if keeps else "block",
            has_touch=touch,
        )
        self.contexts.append(context)
        context.set_default_timeout(LONG)
        return await self.open_beside(context, url, wait=wait, clock=clock)

    async def open_beside(
        self, context: BrowserContext, url: str, *, wait: str | None = None, clock: bool = False
    ) -> Page:
        """Another page in a browser that is there."""
        page = await context.new_page()
        if clock:
            await page.clock.install()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._note(str(error)))
        await page.goto(url)
        if wait is not None:
            await page.locator(wait).first.wait_for(state="attached")
        return page

    async def close(self) -> None:
        """Closes every page; a second call does nothing."""
        while self.contexts:
            await self.contexts.pop().close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._note(message.text)

    def _note(self, text: str) -> None:
        if not any(word in text for word in (*GONE, KEEPS_NOTHING, *self.expected)):
            self.complaints.append(text)


async def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page, a line each."""
    await page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    found: Any = await page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", _STANDARD
    )
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]


async def picture(page: Page, name: str, *, whole: bool = False) -> None:
    """Keeps how the page looks, in docs/pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    await page.evaluate("document.fonts.ready")
    await page.screenshot(path=PICTURES / f"{name}.png", full_page=whole, caret="hide")
