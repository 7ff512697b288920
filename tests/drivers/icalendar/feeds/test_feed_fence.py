"""The fence of feeds is never proven; a readable canary is a breach, and a token has to count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.driver import FenceState, Unavailable
from placed.driver.conformance import FenceTrialConformance
from placed_icalendar.feeds.link_token import has_token, with_another_letter
from placed_icalendar.feeds.secret_url import SecretUrl
from placed_icalendar.simulator.feed_host import Fault, Kind
from tests.drivers.icalendar.feeds.feed_setup import BOARDROOM, LIBRARY
from tests.drivers.icalendar.feeds.test_feeds_conformance import FeedService

if TYPE_CHECKING:
    from placed.driver import Fence
    from placed.driver.conformance import Service
    from tests.drivers.icalendar.feeds.feed_setup import FeedSetup


class TestConformance(FenceTrialConformance):
    """The suite's part about fences."""

    @pytest.fixture
    def service(self, feed_setup: FeedSetup) -> Service:
        return FeedService(feed_setup)


def flaws(fence: Fence) -> list[str]:
    return [flaw.text.partition(":")[0] for flaw in fence.warnings]


EVERYBODY = "everybody who has the link of a feed can read its calendar, and nothing shows who has it"
DOES_NOT_COUNT = "a link with one letter of its token changed is answered with a calendar"


async def test_everybody_who_has_a_link_can_read_so_the_fence_is_unproven(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.add_room("ada")
    canary = feed_setup.host.link_of("ada")
    feed_setup.publisher.remove_room("ada")
    fence = await feed_setup.open(fence={"canaries": [canary]}).try_fence()
    assert (fence.state, fence.checked_at) == (FenceState.UNPROVEN, feed_setup.clock())
    assert flaws(fence) == [EVERYBODY]
    assert feed_setup.statuses == [404, 404, 404]  # the canary, and each room's link with another letter


async def test_a_readable_canary_is_a_breach(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.add_room("ada")
    fence = await feed_setup.open(
        feeds={BOARDROOM: feed_setup.host.link_of(BOARDROOM)},
        fence={"canaries": [feed_setup.host.link_of("ada")], "enforce": False},
    ).try_fence()
    assert (fence.state, fence.enforce) == (FenceState.BREACHED, False)
    assert "people's calendars" in fence.limit


async def test_a_canary_is_asked_with_the_login_of_its_host(feed_setup: FeedSetup) -> None:
    for room in (BOARDROOM, LIBRARY):
        feed_setup.publisher.serve(room, login=("placed", "right"))
    feed = {
        "url": feed_setup.host.link_of(BOARDROOM),
        "username": "placed",
        "password_file": feed_setup.secret_file("password", "right"),
    }
    canaries = {"canaries": [feed_setup.host.link_of(LIBRARY)]}
    fence = await feed_setup.open(feeds={BOARDROOM: feed}, fence=canaries).try_fence()
    assert fence.state is FenceState.BREACHED
    fence = await feed_setup.open(feeds={BOARDROOM: feed}).try_fence()
    assert flaws(fence) == ["what else the login of the feeds can read is not known"]


async def test_a_canary_that_cannot_be_asked_is_no_proof_and_tried_again(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.add_room("ada")
    canaries = {"canaries": [feed_setup.host.link_of("ada")]}
    driver = feed_setup.open(feeds={BOARDROOM: feed_setup.host.link_of(BOARDROOM)}, fence=canaries)
    feed_setup.publisher.faults.add(Fault(kind=Kind.STATUS, room="ada", status=503))
    with pytest.raises(Unavailable, match="a canary could not be asked"):
        await driver.try_fence()
    feed_setup.publisher.faults.clear()
    assert (await driver.try_fence()).state is FenceState.BREACHED


async def test_a_canary_that_leads_to_a_page_proves_nothing(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.add_room("ada")
    canaries = {"canaries": [feed_setup.host.link_of("ada")]}
    feed_setup.publisher.faults.add(Fault(kind=Kind.LOGIN_PAGE, room="ada"))
    fence = await feed_setup.open(
        feeds={BOARDROOM: feed_setup.host.link_of(BOARDROOM)}, fence=canaries
    ).try_fence()
    assert fence.state is FenceState.UNPROVEN
    assert any("neither a calendar nor a refusal" in text for text in flaws(fence))


async def test_a_token_that_does_not_count_is_reported(
    feed_setup: FeedSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = feed_setup.publisher.rooms()
    monkeypatch.setattr(feed_setup.publisher, "at", lambda _path: rooms[0])  # whatever the link
    fence = await feed_setup.open().try_fence()
    assert flaws(fence) == [EVERYBODY, DOES_NOT_COUNT]


async def test_a_link_that_everybody_can_guess_is_reported(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.add_room("plain", link="plain")
    fence = await feed_setup.open(feeds={"plain": feed_setup.host.link_of("plain")}).try_fence()
    assert "a feed's link has no part that nobody can guess, and no login" in flaws(fence)


async def test_a_login_that_does_not_count_is_reported(feed_setup: FeedSetup) -> None:
    feed_setup.publisher.add_room("plain", link="plain")
    feed = {
        "url": feed_setup.host.link_of("plain"),
        "username": "placed",
        "password_file": feed_setup.secret_file("password", "right"),
    }
    fence = await feed_setup.open(feeds={"plain": feed}).try_fence()
    assert "a feed that is set with a login is answered without it, too" in flaws(fence)
    feed_setup.publisher.serve("plain", login=("placed", "right"))
    fence = await feed_setup.open(feeds={"plain": feed}).try_fence()
    assert flaws(fence) == ["what else the login of the feeds can read is not known"]


async def test_wrong_links_are_asked_for_once_an_hour_only(feed_setup: FeedSetup) -> None:
    driver = feed_setup.open()
    first = await driver.try_fence()
    assert feed_setup.statuses == [404, 404]
    feed_setup.clock.wait(minutes=59)
    assert await driver.try_fence() == first
    assert feed_setup.statuses == []
    feed_setup.clock.wait(minutes=1)
    assert (await driver.try_fence()).checked_at == feed_setup.clock()


# --- the token of a link ---

EXCHANGE = (
    "https://outlook.office365.com/owa/calendar/0d5e1c7a9b8847f6a1b2c3d4e5f60718@contoso.com/"
    "5f1d6a0b9c3e4d7f8a2b1c0d9e8f7a6b5f1d6a0b9c3e4d7f1234/calendar.ics"
)


@pytest.mark.parametrize(
    "link",
    [
        EXCHANGE,
        "https://calendar.google.com/calendar/ical/c_188/private-00ff00aa11bb22cc33dd44ee55ff6677/basic.ics",
        "https://cloud.example/remote.php/dav/public-calendars/aB3dE6gH9jK2mN5p?export",
        "https://odoo.example/calendar?token=QwErTyUiOpAsDfGhJkLzXcVbNm",
    ],
)
def test_one_letter_of_the_token_is_another_and_nothing_else(link: str) -> None:
    changed = with_another_letter(SecretUrl(link))
    assert changed is not None
    differing = [(a, b) for a, b in zip(link, changed.secret, strict=True) if a != b]
    assert len(differing) == 1
    ((old, new),) = differing
    assert old.isdigit() == new.isdigit()
    assert old.isupper() == new.isupper()
    assert changed.host == SecretUrl(link).host


@pytest.mark.parametrize(
    "link",
    [
        "https://zimbra.example/home/boardroom/Calendar.ics",
        "https://cal.example/conference-room-boardroom/calendar.ics",
        "https://a-very-long-host-0a1b2c3d4e5f6071.example/x.ics",
    ],
)
def test_what_people_can_guess_is_no_token(link: str) -> None:
    assert not has_token(SecretUrl(link))
    assert with_another_letter(SecretUrl(link)) is None
