"""The fence of feeds: each link opens one calendar to everybody who has it, so nothing limits who reads.

Two trials are worth having. Canaries, links of people's calendars, must be refused. And a room's link with
one letter of its token changed must be refused: else the token does not count. The state stays `unproven`,
since neither shows who else has the links; a readable canary is a breach.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.driver import DriverError, Fence, FenceState, Problem, Unavailable
from placed_icalendar.feeds.link_token import has_token, with_another_letter
from placed_icalendar.feeds.room_feed import is_calendar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed.driver import Surroundings
    from placed_icalendar.basic_login import BasicLogin
    from placed_icalendar.feeds.feed import Feed
    from placed_icalendar.feeds.feed_parts import FeedParts
    from placed_icalendar.feeds.feed_settings import FenceSettings
    from placed_icalendar.feeds.secret_url import SecretUrl

EVERY = 3600.0  # seconds between trials: a wrong link each minute would look like an attack
_OF_A_HOST = 3  # feeds that are tried of each host
_AT_MOST = 20  # feeds that are tried
_REFUSALS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_BREACHED = "take back the publication of people's calendars, or the right of the login to read them"


def _flaw(text: str, remedy: str) -> Problem:
    return Problem("", text, remedy, joint=": ")


EVERYBODY_WITH_THE_LINK = _flaw(
    "everybody who has the link of a feed can read its calendar, and nothing shows who has it",
    "keep the links in files (url_file), and have a new link made if others may know one",
)
_LOGIN_ALONE = _flaw(
    "what else the login of the feeds can read is not known",
    "name links of people's calendars at the same host in fence.canaries; they must be refused",
)
_NO_SECRET = _flaw(
    "a feed's link has no part that nobody can guess, and no login",
    "have it published under a link with a token, or with a login",
)
_TOKEN_DOES_NOT_COUNT = _flaw(
    "a link with one letter of its token changed is answered with a calendar: the token does not count",
    "have the calendars published under links that nobody can guess",
)
_LOGIN_DOES_NOT_COUNT = _flaw(
    "a feed that is set with a login is answered without it, too",
    "have the host require the login, or leave the login out of the settings",
)
_NOT_TRIED = _flaw(
    "whether the tokens of the links count could not be tried", "no action, it is tried again in an hour"
)
_NO_REFUSAL = _flaw(
    "a canary is answered with something that is neither a calendar nor a refusal, which proves nothing",
    "open its link in a browser, and name another one if it leads to no calendar",
)


class FeedFence:
    """Tries the fence of one connection.

    Args:
        parts: of the connection.
        settings: the canaries.
        surroundings: what the program gives.
    """

    def __init__(self, parts: FeedParts, settings: FenceSettings, surroundings: Surroundings) -> None:
        self._feeds = parts.feeds
        self._client = parts.client
        self._turns = parts.turns
        self._settings = settings
        self._now = surroundings.now
        self._steady = surroundings.steady
        self._last: Fence | None = None
        self._last_at = 0.0

    async def result(self) -> Fence:
        """The result of a trial, which is made once an hour.

        Raises:
            Unavailable: a canary could not be asked.
        """
        if self._last is None or self._steady() - self._last_at >= EVERY:
            self._last, self._last_at = await self._try(), self._steady()
        return self._last

    async def _try(self) -> Fence:
        fence = Fence(FenceState.UNPROVEN, self._now(), self._settings.enforce)
        readable, flaws = await self._ask_canaries()
        if readable:
            return replace(fence, state=FenceState.BREACHED, remedy=_BREACHED)
        warnings = [*self._nature(), *flaws, *await self._ask_with_another_letter()]
        return replace(fence, warnings=tuple(dict.fromkeys(warnings)))

    def _nature(self) -> Iterator[Problem]:
        """What no trial changes."""
        by_link = [feed for feed in self._feeds if feed.login is None]
        if by_link:
            yield EVERYBODY_WITH_THE_LINK
        if any(not has_token(feed.url) for feed in by_link):
            yield _NO_SECRET
        if len(by_link) < len(self._feeds) and not self._settings.canaries:
            yield _LOGIN_ALONE

    async def _ask_canaries(self) -> tuple[bool, list[Problem]]:
        """Whether a canary is readable, and what is wrong with the others."""
        flaws: list[Problem] = []
        failure: DriverError | None = None
        for canary in self._settings.canaries:
            try:
                status, calendar = await self._ask(canary, self._login_at(canary))
            except DriverError as error:
                failure = error
                continue
            if calendar:
                return True, []
            if status not in _REFUSALS:
                flaws.append(_NO_REFUSAL)
        if failure is not None:
            raise Unavailable(f"a canary could not be asked: {failure}")
        return False, flaws

    def _login_at(self, url: SecretUrl) -> BasicLogin | None:
        """The login that the settings have for the host of a link, if any."""
        logins = (feed.login for feed in self._feeds if feed.url.origin == url.origin)
        return next((login for login in logins if login is not None), None)

    async def _ask_with_another_letter(self) -> list[Problem]:
        """What is wrong with the links of some feeds of each host."""
        found = []
        for feed in self._some_feeds():
            changed = with_another_letter(feed.url)
            if changed is None and feed.login is None:
                continue
            try:
                # A link without a token is protected by the login alone.
                status, calendar = await self._ask(
                    changed or feed.url, feed.login if changed is not None else None
                )
            except DriverError:
                found.append(_NOT_TRIED)
                continue
            if calendar:
                found.append(_LOGIN_DOES_NOT_COUNT if changed is None else _TOKEN_DOES_NOT_COUNT)
            elif status not in _REFUSALS:
                found.append(_NOT_TRIED)
        return found

    def _some_feeds(self) -> list[Feed]:
        by_host: dict[str, list[Feed]] = {}
        for feed in self._feeds:
            by_host.setdefault(feed.url.origin, []).append(feed)
        return [feed for feeds in by_host.values() for feed in feeds[:_OF_A_HOST]][:_AT_MOST]

    async def _ask(self, url: SecretUrl, login: BasicLogin | None) -> tuple[int, bool]:
        """The status of the answer, and whether it is a calendar."""
        if self._turns.rest_of(url.host) > 0 or self._turns.is_stuck(url.host):
            raise Unavailable(f"{url.host} cannot be asked now")
        async with self._turns.turn(url.host, lambda: None):
            answer = await self._client.get(url, login)
        if answer.status in (HTTPStatus.TOO_MANY_REQUESTS, *range(500, 600)):
            raise Unavailable(f"{url.host} answers {answer.status}")
        return answer.status, answer.status == HTTPStatus.OK and is_calendar(answer.body)
