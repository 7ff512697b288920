"""Asks the hosts of feeds over https: a session a host, limits of size and time, redirects, a login."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from placed.driver import Unavailable
from placed.driver.network.http_session import HttpSession
from placed_icalendar.feeds.addresses import host_of, origin_of
from placed_icalendar.feeds.public_addresses import (
    PublicResolver,
    has_public_address,
    is_odd_number,
    is_public,
    literal,
)
from placed_icalendar.feeds.redirect_rules import (
    MOST_REDIRECTS,
    REDIRECTS,
    into_private,
    target_of,
    too_many,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from placed.driver.network.http_session import HttpResponse
    from placed.driver.network.service_clock import ServiceClock
    from placed_icalendar.basic_login import BasicLogin
    from placed_icalendar.feeds.secret_url import SecretUrl

LARGEST = 32 * 2**20  # bytes of a decompressed answer
WITHIN = 30.0  # seconds for an answer, with its redirects


class FeedClient:
    """Asks the hosts.

    Args:
        tls: whom it trusts.
        clock: is given the time in the answers of `timekeeper`.
        version: of the program, for the User-Agent.
        timekeeper: the origin of the one host whose time counts, since the clocks of several may differ.
    """

    def __init__(
        self,
        tls: ssl.SSLContext,
        clock: ServiceClock,
        version: str,
        *,
        timekeeper: str,
    ) -> None:
        self._tls = tls
        self._clock = clock
        self._silent = replace(clock, report=lambda _time: None)
        self._timekeeper = timekeeper
        self._within = WITHIN
        self._public = is_public
        # A cache on the way has to ask the publisher, so that no news is missed.
        self._headers = {"User-Agent": f"placed/{version}", "Cache-Control": "no-cache"}
        self._sessions: dict[str, HttpSession] = {}
        self._guarded: dict[str, tuple[HttpSession, PublicResolver]] = {}  # connect to public addresses only
        self._is_public: dict[str, bool] = {}  # by origin

    async def get(
        self, url: SecretUrl, login: BasicLogin | None = None, headers: Mapping[str, str] | None = None
    ) -> HttpResponse:
        """Sends a GET, follows at most three redirects, and returns the whole answer.

        Args:
            url: the address.
            login: is sent to its host, and to no other.
            headers: in addition to those of every request.

        Raises:
            Unavailable: there is no answer, or none within the time.
            UnexpectedAnswer: it is too large, or a redirect that is not followed.
            Refused: the host's certificate is not trusted.
        """
        try:
            async with asyncio.timeout(self._within):
                return await self._follow(url.secret, login, {**self._headers, **(headers or {})})
        except TimeoutError:
            raise Unavailable(f"{url.host} sends no whole answer within {self._within:g} s") from None

    async def _follow(self, url: str, login: BasicLogin | None, headers: dict[str, str]) -> HttpResponse:
        here, home = url, origin_of(url)
        for _ in range(MOST_REDIRECTS + 1):
            if origin_of(here) == home:
                sent = headers if login is None else {**headers, "Authorization": login.header}
                response = await self._session(here).request("GET", here, None, sent, largest=LARGEST)
            else:
                response = await self._ask_another(here, home, headers)
            if response.status not in REDIRECTS or "Location" not in response.headers:
                return response
            here = target_of(here, response.headers["Location"])
        raise too_many()

    async def _ask_another(self, url: str, home: str, headers: dict[str, str]) -> HttpResponse:
        """Asks a host that a redirect leads to; from a public host it is no private one."""
        if home not in self._is_public:
            self._is_public[home] = await has_public_address(urlsplit(home).hostname or "", self._public)
        if not self._is_public[home]:
            return await self._session(url).request("GET", url, None, headers, largest=LARGEST)
        host = urlsplit(url).hostname or ""
        address = literal(host)
        if is_odd_number(host) or (address is not None and not self._public(address)):
            raise into_private()
        session, resolver = self._guarded_session(url)
        try:
            return await session.request("GET", url, None, headers, largest=LARGEST)
        except Unavailable:
            if host in resolver.refused:
                raise into_private() from None
            raise

    def _session(self, url: str) -> HttpSession:
        origin = origin_of(url)
        found = self._sessions.get(origin)
        if found is None:
            clock = self._clock if origin == self._timekeeper else self._silent
            found = self._sessions[origin] = HttpSession(
                host_of(url), origin, self._tls, clock, redirects=True
            )
        return found

    def _guarded_session(self, url: str) -> tuple[HttpSession, PublicResolver]:
        origin = origin_of(url)
        if origin not in self._guarded:
            resolver = PublicResolver(self._public)
            session = HttpSession(
                host_of(url), origin, self._tls, self._silent, resolver=resolver, redirects=True
            )
            self._guarded[origin] = session, resolver
        return self._guarded[origin]

    async def close(self) -> None:
        """Closes every session; a second call does nothing."""
        sessions = [*self._sessions.values(), *(session for session, _ in self._guarded.values())]
        self._sessions, self._guarded = {}, {}
        for session in sessions:
            await session.close()
