"""The buttons of a panel: what they offer and ask for, and what is shown until the calendar was read."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from placed.domain.action import Refusal
from placed.domain.model import Meeting
from tests.support.browser_session import LONG, picture, violations
from tests.support.hand_actions import TOKEN, HandActions
from tests.support.sample_building import MOMENT, clock, meetings, read

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.support.board_setup import BoardSetup
    from tests.support.browser_session import BrowserSession
    from tests.support.status_endpoint import Endpoint

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

BUTTONS = ".buttons button"
SMALLEST = 64  # px, for a finger


async def panel(
    tabs: BrowserSession,
    endpoint: Endpoint,
    hand: HandActions,
    room: str,
    *,
    fragment: str = f"#token={TOKEN}",
    **more: Any,
) -> Page:
    """The panel of a room whose token the hand accepts, as soon as it has buttons."""
    page = await tabs.open("about:blank", wait=None, **more)
    await hand.serve(page)
    await page.goto(f"{endpoint.server.url}/rooms/{room}{fragment}")
    await page.locator(BUTTONS).first.wait_for()
    return page


async def labels(page: Page) -> list[str]:
    """What stands on the buttons."""
    return await page.locator(BUTTONS).all_inner_texts()


def done(board_setup: BoardSetup, room: str, *found: Meeting) -> tuple[int, dict[str, Any]]:
    """The answer to a command that shows in a statement of the room that is made only now."""
    seq = board_setup.board.seq + 1
    read(board_setup, room, *found, ago=timedelta())
    return 200, {"outcome": "done", "epoch": board_setup.epoch, "seq": seq}


# --- what is offered ---


@pytest.mark.parametrize(
    ("room", "offered"),
    [
        ("library", ["Book 15 min", "Book 30 min", "Book 1 h"]),
        ("lighthouse", ["Book 15 min", "Book 30 min"]),
        ("boardroom", ["Extend 15 min", "Extend 30 min", "Extend 1 h", "End now"]),
        ("harbour", ["End now"]),  # another meeting follows without a gap
    ],
)
async def test_a_panel_offers_what_fits_until_the_next_meeting(
    tabs: BrowserSession, endpoint: Endpoint, room: str, offered: list[str]
) -> None:
    page = await panel(tabs, endpoint, HandActions(), room)
    assert await labels(page) == offered


async def test_a_panel_offers_what_its_token_allows_and_no_longer_than_the_longest(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    page = await panel(tabs, endpoint, HandActions(("book",), longest=30 * 60), "library")
    assert await labels(page) == ["Book 15 min", "Book 30 min"]
    page = await panel(tabs, endpoint, HandActions(("end",)), "boardroom")
    assert await labels(page) == ["End now"]


async def test_a_room_that_is_unknown_has_no_buttons(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    page = await panel(tabs, endpoint, HandActions(), "library")
    board_setup.drop("library")
    await expect(page.locator(".actions")).to_be_hidden(timeout=LONG)


# --- the token ---


async def test_a_page_without_a_token_loads_no_code_of_actions(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    page = await tabs.open(endpoint.server.url + "/rooms/library", wait="[data-status=free]")
    loaded = await page.evaluate("performance.getEntriesByType('resource').map((file) => file.name)")
    assert [name for name in loaded if "/panel.js" in name]
    assert not [name for name in loaded if "action" in name or "token" in name or "/panel?" in name]
    assert await page.locator(".actions").count() == 0


async def test_the_token_of_a_link_leaves_the_address_and_stays_with_the_panel(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    hand = HandActions()
    page = await panel(tabs, endpoint, hand, "library")
    assert page.url == f"{endpoint.server.url}/rooms/library"
    await page.close()
    later = await tabs.contexts[-1].new_page()  # the browser was closed, and is opened again
    await hand.serve(later)
    await later.goto(f"{endpoint.server.url}/rooms/library")
    await later.locator(BUTTONS).first.wait_for()
    other = await tabs.contexts[-1].new_page()
    await hand.serve(other)
    asked = len(hand.tokens)
    await other.goto(f"{endpoint.server.url}/rooms/workshop")
    await other.locator("[data-status=free]").wait_for()
    assert len(hand.tokens) == asked, "the token is of one panel"


async def test_a_token_can_be_typed_in(tabs: BrowserSession, endpoint: Endpoint) -> None:
    hand = HandActions()
    page = await tabs.open("about:blank", wait=None)
    await hand.serve(page)
    await page.goto(f"{endpoint.server.url}/rooms/library#token")
    await page.get_by_text("Enter the token of this panel").wait_for()
    assert await violations(page) == []
    await page.locator("#token").fill(TOKEN)
    await page.keyboard.press("Enter")
    await page.locator(BUTTONS).first.wait_for()
    await page.reload()
    await page.locator(BUTTONS).first.wait_for()


async def test_a_token_that_is_not_valid_any_more_is_reported_on_the_panel(
    tabs: BrowserSession, endpoint: Endpoint
) -> None:
    tabs.expected = ("401",)
    page = await tabs.open("about:blank", wait=None)
    await HandActions().serve(page)
    await page.goto(f"{endpoint.server.url}/rooms/library#token=that-of-last-year")
    await page.get_by_text("The token of this panel is not valid any more.").wait_for()
    assert await page.locator(BUTTONS).count() == 0
    assert await page.locator("body").get_attribute("data-status") == "free"


# --- asking ---


async def test_a_booking_is_asked_for_until_the_statement_that_shows_it(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    """Until then the panel shows the room as it was read: a free one."""
    booked = Meeting("new", MOMENT, clock("10:37"))
    hand = HandActions(answer=lambda _: (202, {"outcome": "accepted", "epoch": 7, "seq": 1}))
    page = await panel(tabs, endpoint, hand, "library", touch=True)
    await page.get_by_role("button", name="Book 15 min").tap()
    status = page.locator(".actions [role=status]")
    await expect(status).to_have_text("Asking…")
    await expect(page.locator(BUTTONS).first).to_have_attribute("aria-disabled", "true")
    seq = board_setup.board.seq + 1
    hand.answer = lambda _: (200, {"outcome": "done", "epoch": board_setup.epoch, "seq": seq})
    async with page.expect_response("**/api/v1/actions/*", timeout=LONG):
        pass
    await expect(status).to_have_text("Asking…")
    assert await page.locator("body").get_attribute("data-status") == "free"
    read(board_setup, "library", booked, ago=timedelta())
    await page.locator("body[data-status=busy]").wait_for()
    await expect(status).to_have_text("Booked.")
    (command,) = hand.commands
    assert command.pop("key").count("-") == 4
    assert command == {"action": "book", "meeting": None, "until": "2026-01-08T09:37:00Z"}


async def test_a_booking_that_is_shown_is_not_done_before_its_reply(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    """The daemon looks at the calendar for some seconds more: the booking may have to yield to a person's."""
    tabs.expected = ("409",)
    hand = HandActions(answer=lambda _: (202, {"outcome": "accepted", "epoch": 7, "seq": 1}))
    page = await panel(tabs, endpoint, hand, "library")
    await page.get_by_role("button", name="Book 15 min").click()
    await page.get_by_text("Asking…").wait_for()
    read(board_setup, "library", Meeting("new", MOMENT, clock("10:37")), ago=timedelta())
    await page.get_by_text("Making sure that nobody else has booked it…").wait_for()
    hand.answer = lambda _: (409, {"outcome": "refused", "reason": "conflict"})
    await page.get_by_text("Not possible: somebody else has booked this time.").wait_for()


@pytest.mark.parametrize("reason", [reason.value for reason in Refusal])
async def test_every_refusal_is_shown_in_plain_words(
    tabs: BrowserSession, endpoint: Endpoint, reason: str
) -> None:
    tabs.expected = ("409",)
    hand = HandActions(answer=lambda _: (409, {"outcome": "refused", "reason": reason}))
    page = await panel(tabs, endpoint, hand, "library")
    await page.get_by_role("button", name="Book 15 min").click()
    outcome = page.locator(".outcome[data-tone=bad]")
    await outcome.wait_for()
    text = await outcome.inner_text()
    assert len(text) > 20
    assert "_" not in text
    assert await page.locator("body").get_attribute("data-status") == "free"


async def test_ending_a_meeting_is_confirmed_by_keyboard(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    hand = HandActions(
        answer=lambda _: done(board_setup, "boardroom", *meetings([("14:00", "15:30", "Interview", "")]))
    )
    page = await panel(tabs, endpoint, hand, "boardroom")
    await page.get_by_role("button", name="End now").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="No, keep it")).to_be_focused()
    assert await violations(page) == []
    await page.keyboard.press("Enter")
    assert hand.commands == []
    await page.get_by_role("button", name="End now").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Space")
    await page.locator("body[data-status=free]").wait_for()
    await page.get_by_text("Ended.").wait_for()
    (command,) = hand.commands
    assert (command["action"], command["meeting"]) == ("end", "2026-01-08T08:45:00Z")


async def test_a_question_that_nobody_answers_goes(tabs: BrowserSession, endpoint: Endpoint) -> None:
    hand = HandActions()
    page = await panel(tabs, endpoint, hand, "boardroom", clock=True)
    await page.get_by_role("button", name="End now").click()
    await page.get_by_text("End this meeting now?").wait_for()
    await page.clock.run_for(17_000)
    await page.get_by_role("button", name="End now").wait_for()
    assert hand.commands == []


async def test_an_extension_names_the_meeting_and_its_new_end(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    longer = meetings([("9:45", "11:30", "Budget 2027", "")])
    hand = HandActions(answer=lambda _: done(board_setup, "boardroom", *longer))
    page = await panel(tabs, endpoint, hand, "boardroom")
    await page.get_by_role("button", name="Extend 30 min").click()
    await page.get_by_text("Extended.").wait_for()
    assert await page.locator("#until").text_content() == "until 11:30 · 1 h 8 min left"
    (command,) = hand.commands
    assert (command["meeting"], command["until"]) == ("2026-01-08T08:45:00Z", "2026-01-08T10:30:00Z")


async def test_a_request_without_an_answer_is_repeated_under_its_key(
    tabs: BrowserSession, board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    tabs.expected = ("502",)
    answers = iter([502, 200])
    booked = Meeting("new", MOMENT, clock("10:37"))

    def answer(_: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return (502, {}) if next(answers) == 502 else done(board_setup, "library", booked)

    hand = HandActions(answer=answer)
    page = await panel(tabs, endpoint, hand, "library")
    await page.get_by_role("button", name="Book 15 min").click()
    await page.get_by_text("Booked.").wait_for()
    first, second = hand.commands
    assert first == second


# --- for everybody ---


@pytest.mark.parametrize("room", ["library", "boardroom"])
async def test_the_buttons_are_for_fingers_in_every_size(
    tabs: BrowserSession, endpoint: Endpoint, room: str
) -> None:
    page = await panel(tabs, endpoint, HandActions(), room, width=1024, height=768)
    await page.locator(".timeline .now").wait_for(state="attached")
    await picture(page, f"panel-actions-{'book' if room == 'library' else 'busy'}")
    for width, height in ((1024, 768), (600, 960), (480, 320)):
        await page.set_viewport_size({"width": width, "height": height})
        boxes = await page.locator(BUTTONS).evaluate_all(
            "buttons => buttons.map((one) => one.getBoundingClientRect()).map((b) => [b.width, b.height])"
        )
        assert min(min(box) for box in boxes) >= SMALLEST
        cut = await page.evaluate(
            """[...document.querySelectorAll("#name, #word, #until, .buttons button, #clock")]
               .filter((e) => e.checkVisibility())
               .map((e) => [e.id || e.textContent, e.getBoundingClientRect()])
               .filter(([, box]) => Math.min(box.left, box.top) < 0
                 || box.right > innerWidth || box.bottom > innerHeight)"""
        )
        assert cut == []
        assert await violations(page) == []
