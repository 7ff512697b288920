"""What check-in does to a room: each behaviour in the state document, and on the panel that shows it.

They are those of PlaceOS, with its reported faults put right. It is 10:22 in Berlin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from playwright.async_api import expect

from placed.domain.check_in_rules import CheckedIn, CheckInRules
from placed.domain.model import Meeting
from tests.support.browser_session import LONG
from tests.support.hand_actions import TOKEN, HandActions
from tests.support.sample_building import clock, read
from tests.support.status_endpoint import Web

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.support.board_setup import BoardSetup
    from tests.support.browser_session import BrowserSession
    from tests.support.status_endpoint import Endpoint

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


class Shown(NamedTuple):
    """A room as its document has it."""

    status: str
    occupied: bool
    check_in: str
    of: str  # the start of the meeting that the check-in is of, UTC


class Door:
    """The boardroom, and the panel at its door, which may only check in."""

    def __init__(self, board_setup: BoardSetup, endpoint: Endpoint, page: Page) -> None:
        self._board_setup = board_setup
        self._endpoint = endpoint
        self.page = page
        self.button = page.get_by_role("button", name="Check in")

    @classmethod
    async def open(cls, tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint) -> Door:
        board_setup.board.set_check_in_rules({"contoso": CheckInRules()})
        page = await tabs.open("about:blank", wait=None)
        await HandActions(("check-in",)).serve(page)
        await page.goto(f"{endpoint.server.url}/rooms/boardroom#token={TOKEN}")
        return cls(board_setup, endpoint, page)

    def read(self, *meetings: tuple[str, str, str]) -> None:
        """The calendar is read: key, start and end of each meeting."""
        found = [Meeting(key, clock(start), clock(end)) for key, start, end in meetings]
        read(self._board_setup, "boardroom", *found)

    def check_in(self, key: str, start: str) -> None:
        """Somebody checks in to the meeting with this key, when it started then."""
        self._board_setup.board.check_in("boardroom", CheckedIn(key, clock(start), self._board_setup.moment))

    async def shows(self, status: str, *, check_in: str, of: str, checked_in: bool = False) -> None:
        """The document is like this, and the panel shows the same."""
        async with Web(self._endpoint.server.url) as web:
            room = await web.room("boardroom")
        occupied = status in ("pending", "busy")
        shown = Shown(
            room["status"], room["occupied"], room["check_in"]["state"], room["check_in"]["meeting"]
        )
        assert shown == Shown(status, occupied, check_in, f"{clock(of):%Y-%m-%dT%H:%M:%SZ}")
        await self.page.locator(f"body[data-status={status}]").wait_for()
        words = expect(self.page.locator("#current .span"))
        if checked_in:
            await words.to_contain_text("checked in", timeout=LONG)
        else:
            await words.not_to_contain_text("checked in", timeout=LONG)
        await expect(self.button).to_have_count(1 if check_in == "open" else 0, timeout=LONG)


async def test_a_meeting_waits_for_a_check_in_from_ten_minutes_before_its_start(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    door = await Door.open(tabs, board_setup, endpoint)
    door.read(("a", "10:25", "11:00"))
    await door.shows("starting", check_in="open", of="10:25")
    await expect(door.button).to_contain_text("starts at", timeout=LONG)
    door.read(("a", "10:22", "11:00"))
    await door.shows("pending", check_in="open", of="10:22")
    await expect(door.button).to_contain_text("min left", timeout=LONG)


async def test_a_room_is_busy_once_somebody_has_checked_in(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    door = await Door.open(tabs, board_setup, endpoint)
    door.read(("a", "10:20", "11:00"))
    await door.shows("pending", check_in="open", of="10:20")
    door.check_in("a", "10:20")
    await door.shows("busy", check_in="done", of="10:20", checked_in=True)


async def test_a_meeting_that_is_moved_by_minutes_or_ends_at_another_time_stays_checked_in(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    door = await Door.open(tabs, board_setup, endpoint)
    door.read(("a", "10:20", "11:00"))
    door.check_in("a", "10:20")
    for start, end in (("10:20", "10:45"), ("10:20", "12:00"), ("10:15", "11:00")):
        door.read(("a", start, end))
        await door.shows("busy", check_in="done", of=start, checked_in=True)


async def test_the_next_of_two_meetings_back_to_back_waits_for_its_own_check_in(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    door = await Door.open(tabs, board_setup, endpoint)
    door.read(("a", "10:00", "10:25"), ("b", "10:25", "11:00"))
    door.check_in("a", "10:00")
    await door.shows("busy", check_in="open", of="10:25")
    await expect(door.button).to_contain_text("starts at", timeout=LONG)
    door.read(("a", "10:00", "10:22"), ("b", "10:22", "11:00"))
    await door.shows("pending", check_in="open", of="10:22")


async def test_a_meeting_waits_no_longer_than_its_time_where_no_panel_is_on(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    door = await Door.open(tabs, board_setup, endpoint)
    door.read(("a", "10:10", "11:00"))
    await door.shows("busy", check_in="closed", of="10:10")
