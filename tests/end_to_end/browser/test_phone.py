"""The QR code on a panel, and what it opens on a phone."""

from __future__ import annotations

import io
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import pytest_asyncio
import zxingcpp
from msgspec.structs import replace
from PIL import Image
from playwright.async_api import expect

from placed.domain.check_in_rules import CheckedIn, CheckInRules
from placed.domain.command_sink import Extension
from placed.domain.privacy import Show
from tests.support.browser_session import LONG, picture, violations
from tests.support.hand_sink import EVERYTHING, HandSink
from tests.support.http_relay import Relay
from tests.support.sample_building import MINUTE, building, clock, meetings, read
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from playwright.async_api import Page

    from tests.support.board_setup import BoardSetup
    from tests.support.browser_session import BrowserSession

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

TOKEN = "token-of-the-door"
PANELS = f"""
[door]
token_sha256 = "{sha256(TOKEN.encode()).hexdigest()}"
scopes = ["rooms/boardroom:*", "rooms/library:*"]
"""
PUBLIC = "https://rooms.contoso.example/"
PHONE: dict[str, Any] = {"width": 390, "height": 760, "touch": True}

SIZES = [(1024, 768), (600, 960), (480, 320), (1280, 600)]
OVERLAPS = """() => {
  const parts = document.querySelectorAll(".qr, #word, #until, #shape, #name, #clock, .buttons button");
  const boxOf = (part) => {
    const range = document.createRange();
    range.selectNodeContents(part);
    return (part.matches("#word, #until") ? range : part).getBoundingClientRect();
  };
  const boxes = [...parts].filter((part) => part.checkVisibility()).map((part) => [part, boxOf(part)]);
  const name = (part) => part.id || part.className || part.textContent;
  const found = [];
  for (const [one, a] of boxes) {
    const inside = a.left >= 0 && a.top >= 0 && a.right <= innerWidth && a.bottom <= innerHeight;
    const fits = !one.matches("button") || one.scrollWidth <= one.clientWidth;
    if (!inside || !fits) found.push(`${name(one)} is cut`);
    for (const [other, b] of boxes) {
      const beside = a.right <= b.left || b.right <= a.left;
      const above = a.bottom <= b.top + 2 || b.bottom <= a.top + 2;
      if (one !== other && !beside && !above) found.push(`${name(one)} over ${name(other)}`);
    }
  }
  return found;
}"""


@pytest.fixture
def board_setup() -> BoardSetup:
    """The boardroom's meeting began two minutes ago and waits for a check-in."""
    board_setup = building(Show.NOTHING)
    board_setup.board.set_check_in_rules({"contoso": CheckInRules()})
    read(board_setup, "boardroom", *meetings([("10:20", "11:00", "Budget 2027", "Grace Abara")]))
    return board_setup


@pytest.fixture
def sink() -> HandSink:
    return HandSink(offers={"boardroom": EVERYTHING, "library": EVERYTHING})


@pytest_asyncio.fixture(loop_scope="session")
async def endpoint(board_setup: BoardSetup, sink: HandSink, tmp_path: Path) -> AsyncIterator[Endpoint]:
    write_secret(tmp_path / "panels.toml", PANELS)
    async with Endpoint(
        board_setup, actions=sink, panel_tokens=tmp_path / "panels.toml", public_url=PUBLIC
    ) as endpoint:
        yield endpoint


async def scanned(page: Page) -> str:
    """What a phone reads in the code that the page shows; its picture is as a camera would take it."""
    await page.locator(".qr path[d]").wait_for(state="attached")
    shot = await page.locator(".qr svg").screenshot()
    (found,) = zxingcpp.read_barcodes(np.asarray(Image.open(io.BytesIO(shot)).convert("L")))
    return str(found.text)


def here(endpoint: Endpoint, link: str) -> str:
    """The link at the address of the test in place of the public one."""
    assert link.startswith(PUBLIC)
    return f"{endpoint.server.url}/{link.removeprefix(PUBLIC)}"


async def panel(tabs: BrowserSession, endpoint: Endpoint, room: str = "boardroom") -> Page:
    url = f"{endpoint.server.url}/rooms/{room}#token={TOKEN}"
    page = await tabs.open(url, width=1024, height=768)
    await page.locator(".buttons button").first.wait_for()
    await page.locator(".qr").wait_for()
    return page


def check_in(board_setup: BoardSetup) -> None:
    """Somebody checks in to the boardroom's meeting."""
    known = board_setup.board.known_of("boardroom")
    assert known is not None
    assert known.schedule is not None
    (running,) = known.schedule.meetings
    board_setup.board.check_in("boardroom", CheckedIn(running.key, running.start, board_setup.moment))


async def test_a_phone_checks_in_by_the_code_of_the_panel(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint, sink: HandSink
) -> None:
    door = await panel(tabs, endpoint)
    await door.locator("body[data-qr=check-in][data-status=pending]").wait_for()
    await picture(door, "panel-check-in")
    assert await violations(door) == []
    link = await scanned(door)
    ticket = urlsplit(link).fragment.removeprefix("check-in=")
    phone = await tabs.open(here(endpoint, link), wait="body[data-status=pending]", **PHONE)
    assert phone.url.endswith("/rooms/boardroom/day"), "the ticket leaves the address at once"
    assert ticket not in await phone.content()
    await phone.locator(".meetings li").first.wait_for()
    await picture(phone, "phone-check-in")
    assert await violations(phone) == []
    await phone.get_by_role("button", name="Check in").tap()
    await phone.get_by_text("Checked in.").wait_for()
    assert [command.sender for command in sink.commands] == ["phone"]
    check_in(board_setup)
    await door.locator("body[data-status=busy][data-qr=day]").wait_for()
    assert await door.locator("#current .span").text_content() == "10:20 \u2013 11:00 · checked in"
    assert (await scanned(door)) == f"{PUBLIC}rooms/boardroom/day"
    again = await tabs.open(here(endpoint, link), wait="body[data-status=busy]", **PHONE)
    await again.get_by_text("Somebody has already checked in.").wait_for()
    assert await again.locator(".check-in:visible").count() == 0


async def test_the_code_is_renewed_before_its_ticket_expires(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    door = await tabs.open(f"{endpoint.server.url}/rooms/boardroom#token={TOKEN}", clock=True)
    first = await scanned(door)
    board_setup.moment += MINUTE  # another ticket has another time
    await door.clock.run_for(62_000)
    for _ in range(50):
        if await scanned(door) != first:
            break
        await door.clock.run_for(1000)
    assert await scanned(door) != first


async def test_a_ticket_that_has_expired_is_reported(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    tabs.expected = ("401",)
    link = await scanned(await panel(tabs, endpoint))
    phone = await tabs.open(here(endpoint, link), wait="body[data-status=pending]", **PHONE)
    board_setup.moment += 6 * MINUTE
    await phone.get_by_role("button", name="Check in").tap()
    await phone.get_by_text("This code is no longer valid.").wait_for()


async def test_a_phone_checks_in_where_it_may_not_read(
    tabs: BrowserSession, board_setup: BoardSetup, sink: HandSink, tmp_path: Path
) -> None:
    """A ticket is for a check-in: it reads no calendar, and the phone is not asked for a token."""
    tabs.expected = ("401",)
    write_secret(tmp_path / "panels.toml", PANELS)
    write_secret(tmp_path / "token", "reading-token")
    settings: dict[str, Any] = {"panel_tokens": tmp_path / "panels.toml", "token_file": tmp_path / "token"}
    async with (
        Endpoint(board_setup, actions=sink, public_url=PUBLIC, **settings) as guarded,
        Relay(guarded.server.url, plain=True) as relay,
    ):
        link = await scanned(await panel(tabs, guarded))
        phone = await tabs.open(relay.url + "/" + link.removeprefix(PUBLIC), wait=None, **PHONE)
        await phone.get_by_role("button", name="Check in").tap()
        await phone.get_by_text("Checked in.").wait_for()
        assert await phone.locator("dialog").count() == 0
        assert b'"busy_until"' not in relay.sent


async def test_a_panel_without_a_token_shows_a_code_without_a_ticket(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    page = await tabs.open(f"{endpoint.server.url}/rooms/boardroom", width=1024, height=768)
    assert await scanned(page) == f"{PUBLIC}rooms/boardroom/day"
    assert await page.locator(".buttons").count() == 0
    board_setup.drop("boardroom")
    await expect(page.locator(".qr")).to_be_hidden(timeout=LONG)


@pytest.mark.parametrize("code", [True, False], ids=["code", "no code"])
@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
async def test_nothing_on_a_panel_lies_over_anything_else(  # noqa: PLR0913 - rows of the table
    tabs: BrowserSession,
    board_setup: BoardSetup,
    endpoint: Endpoint,
    sink: HandSink,
    locale: str,
    *,
    code: bool,
) -> None:
    """In every size and status; without a code as well, since the buttons are there before it."""
    longer = Extension(clock("10:20"), clock("11:00"), clock("13:00"))
    sink.offers["boardroom"] = replace(EVERYTHING, extension=longer)
    page = await tabs.open("about:blank", wait=None, width=1024, height=768, locale=locale)
    if not code:
        tabs.expected = ("net::ERR_FAILED",)
        await page.route("**/boardroom/qr", lambda route: route.abort())
    await page.goto(f"{endpoint.server.url}/rooms/boardroom#token={TOKEN}")
    await page.locator(".timeline .now").wait_for(state="attached")
    over = {}
    for status, kind, buttons in (("pending", "check-in", 2), ("busy", "day", 4), ("free", "day", 3)):
        if status == "busy":
            check_in(board_setup)
        elif status == "free":
            read(board_setup, "boardroom", *meetings([("15:00", "16:00", "", "")]), ago=timedelta())
        settled = f"[data-qr={kind}]" if code else ":not([data-qr])"
        await page.locator(f"body[data-acts][data-status={status}]{settled}").wait_for()
        await expect(page.locator(".buttons button")).to_have_count(buttons, timeout=LONG)
        for width, height in SIZES:
            await page.set_viewport_size({"width": width, "height": height})
            over[f"{status} {width} x {height}"] = await page.evaluate(OVERLAPS)
    assert {where: found for where, found in over.items() if found} == {}


async def test_the_day_is_of_times_alone_unless_the_privacy_setting_shows_more(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    read(board_setup, "library", *meetings([("9:00", "10:00", "Budget 2027", "Grace Abara")]))
    url = f"{endpoint.server.url}/rooms/library/day"
    phone = await tabs.open(url, wait=".meetings li", **PHONE)
    assert await phone.locator(".meetings li").all_inner_texts() == ["9:00 \u2013 10:00\nBooked"]
    assert await phone.locator("h1").text_content() == "Library"
    await picture(phone, "phone-day")
    assert await violations(phone) == []
    assert await phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    read(board_setup, "library", *meetings([("15:00", "16:00", "", "")]), ago=timedelta())
    await phone.get_by_text("15:00").wait_for()
    assert clock("15:00") > board_setup.moment
