"""What the pages show, read in a real browser: the board at `/` and the panels at `/rooms/<id>`.

    async with browser() as chromium, PageScreen.open(chromium, "a page", url, room, …) as screen:
        async with running(screen, ...):        # as a `Screen`: the oracle looks at it ten times a second
            ...
        (shown,) = await screen.shows()         # what is on it now: `state_validity.Shown`

`url` is the daemon's root. It has to stay the same over restarts, so give `http.listen` a fixed port (or a
`Line`) instead of port 0. With `room=None` it is the board, which shows every room. `read` and `readings` do
the same for a page that a test has opened by itself.

A browser has no part in `SharedClock`: the page goes by the time that the daemon reports (`Placed-Time`).
A reading is of one moment of the page: text, attributes and the cover, which the browser draws by itself.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from playwright.async_api import Error, async_playwright

from placed.domain.model import Status
from placed.panel.received_documents import PresenceHeard
from placed.panel.state_validity import Place, Shown, Why
from tests.support.browser_session import FLAGS, NO_BROWSER, browser_path

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, Page

    from tests.fault_injection.oracle import Oracle
    from tests.fault_injection.process_supervisor import Unit
    from tests.fault_injection.shared_clock import SharedClock

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_EVERY = 0.2  # seconds between two looks
_NOTICED = 3.0  # seconds after a suspend until the page has heard of it
_LATE = 0.5  # seconds for one look, from which on the machine has too much to do
_FELT = 15.0  # seconds for which that is felt: a state lives for 10
_COVERED = 0.5  # opacity of the cover from which on nobody can read what is below it
_READ = """() => {
  const text = (from, selector) => from.querySelector(selector)?.textContent ?? "";
  const of = (node, room, name, covered) => ({
    room, name, covered,
    status: node.dataset.status ?? "unknown",
    word: text(node, ".word"),
    words: text(node, ".until"),
    note: text(node, ".note"),
    until: node.dataset.until ?? null,
    valid_until: node.dataset.validUntil ?? null,
    why: node.dataset.why ?? null,
    use: node.dataset.use ?? null,
    stale: node.hasAttribute("data-stale"),
  });
  const cover = document.querySelector("#cover");
  if (cover !== null) {
    const covered = Number(getComputedStyle(cover).opacity);
    const room = decodeURIComponent(location.pathname.split("/").at(-1));
    return [of(document.body, room, text(document, "#name"), covered)];
  }
  const tiles = [...document.querySelectorAll(".tile")];
  return tiles.map((tile) => of(tile, tile.dataset.room, text(tile, ".name"), 0));
}"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a person sees of one room on a page.

    Attributes:
        status: by the colour and the shape: free, starting, busy, pending, unknown.
        word: the large word, in the page's language.
        words: the line below it.
        until: when a free room is taken, or a busy one free; None where the page does not know.
        valid_until: when the page stops believing it.
        why: the code of the reason for unknown, such as offline, expired, throttled; `waiting` before the
            first word of the daemon.
        use: used, booked_empty, unbooked, empty, or present; None where the presence is not known.
        covered: whether the cover is down: then the page shows *Unknown*, whatever is below it.
    """

    room: str
    name: str
    status: str
    word: str
    words: str
    note: str
    until: datetime | None
    valid_until: datetime | None
    why: str | None
    use: str | None
    stale: bool
    covered: bool

    @property
    def shown(self) -> Shown:
        """The same as the oracle takes it."""
        status = Status.UNKNOWN if self.covered else Status(self.status)
        known = status is not Status.UNKNOWN
        why = (
            None if known else _WHY.get(self.why or ("expired" if self.covered else "waiting"), Why.REPORTED)
        )
        return Shown(
            room=self.room,
            place=Place(self.name),
            status=status,
            until=self.until if known else None,
            stale=self.stale,
            why=why,
            reason=self.why if why is Why.REPORTED else None,
            valid_until=self.valid_until if known else None,
            presence=self._presence,
        )

    @property
    def _presence(self) -> PresenceHeard | None:
        """By what is shown of it; a page shows no times of it."""
        if self.use is None or self.covered:
            return None
        until = self.valid_until or _LONG_AGO
        return PresenceHeard(_PRESENCES[self.use], _LONG_AGO, until)


_PRESENCES = {
    "used": "present",
    "unbooked": "present",
    "present": "present",
    "booked_empty": "empty",
    "empty": "empty",
}
_WHY = {
    "offline": Why.DISCONNECTED,
    "waiting": Why.DISCONNECTED,
    "expired": Why.OUTDATED,
    "missing": Why.NO_STATE,
}


async def readings(page: Page) -> list[Reading]:
    """What the page shows now, room by room; a panel shows one, a board that has not heard anything none."""
    found: list[dict[str, Any]] = await page.evaluate(_READ)
    return [
        Reading(
            **{
                **one,
                "until": _moment(one["until"]),
                "valid_until": _moment(one["valid_until"]),
                "covered": one["covered"] >= _COVERED,
            }
        )
        for one in found
    ]


async def read(page: Page, room: str) -> Reading | None:
    """What the page shows of a room now; None if there is nothing of it."""
    return next((reading for reading in await readings(page) if reading.room == room), None)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """A real chromium.

    Raises:
        FileNotFoundError: there is none on this machine.
    """
    path = browser_path()
    if path is None:
        raise FileNotFoundError(NO_BROWSER)
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield chromium
        finally:
            await chromium.close()


class PageScreen:
    """A page that the oracle looks at. Open it with `PageScreen.open`.

    Args:
        name: for the oracle.
        page: is open.
        clock: of the daemon, as the oracle knows it.
        oracle: sees what the page shows.
        unit: the daemon.
    """

    def __init__(self, name: str, page: Page, clock: SharedClock, oracle: Oracle, unit: Unit) -> None:
        self.name = name
        self.page = page
        self.heard = 0  # looks
        self.interruptions = 0
        self._clock = clock
        self._oracle = oracle
        self._unit = unit
        self._slept = clock.slept
        self._awake_from = 0.0
        self._on_time_from = 0.0

    @classmethod
    @asynccontextmanager
    async def open(  # noqa: PLR0913, PLR0917 - what a page is of, and who looks at it
        cls,
        chromium: Browser,
        name: str,
        url: str,
        room: str | None,
        clock: SharedClock,
        oracle: Oracle,
        unit: Unit,
    ) -> AsyncIterator[PageScreen]:
        """The panel of a room, or the board. The daemon has to be there for the page to be loaded."""
        context = await chromium.new_context(timezone_id="Europe/Berlin", locale="en-GB")
        try:
            page = await context.new_page()
            await page.goto(url.rstrip("/") + ("/" if room is None else f"/rooms/{room}"))
            yield cls(name, page, clock, oracle, unit)
        finally:
            await context.close()

    async def shows(self) -> list[Shown]:
        """What is on it now."""
        return [reading.shown for reading in await readings(self.page)]

    async def look(self) -> None:
        """The oracle looks at it. Rooms that the page was not opened for are not missed."""
        before, began = self._clock.elapsed(), self._clock.steady()
        try:
            shows = await self.shows()
        except Error:  # it is being loaded again, as after an update of the daemon
            self.interruptions += 1
            return
        self.heard += 1
        on_time = self._is_on_time(self._clock.steady() - began)
        if self._is_awake():
            absent = self._unit.absent_for
            self._oracle.look_at_page(self.name, shows, before, absent_for=absent, on_time=on_time)

    def _is_on_time(self, took: float) -> bool:
        """Whether the browser kept up lately: what a page hears late, it rightly takes for old."""
        now = time.monotonic()
        if took > _LATE:
            self._on_time_from = now + _FELT
        return now >= self._on_time_from

    def _is_awake(self) -> bool:
        """The browser does not share a suspend: it hears of it by the daemon's next event."""
        now, slept = time.monotonic(), self._clock.slept
        if slept != self._slept:
            self._slept, self._awake_from = slept, now + _NOTICED
        return now >= self._awake_from

    async def run(self) -> None:
        """Is looked at, for ever; in real time, since the browser cannot be given another clock."""
        while True:
            await asyncio.sleep(_EVERY)
            await self.look()
