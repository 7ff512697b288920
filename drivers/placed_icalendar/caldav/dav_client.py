"""A client of one CalDAV server: one host, one account, no request to any other host."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from placed.driver import Unavailable, UnexpectedAnswer
from placed.driver.network.redirect_errors import host_in
from placed.driver.network.retry_after import parse_retry_after
from placed.driver.network.service_clock import ServiceClock
from placed.driver.network.tls_and_proxy import tls_context
from placed_icalendar.basic_login import load_login
from placed_icalendar.caldav.dav_errors import (
    ASK_AGAIN_AFTER,
    GATEWAY,
    connection_error,
    refused_sign_in,
)
from placed_icalendar.caldav.hrefs import host_of, path_of
from placed_icalendar.caldav.multistatus import responses_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from placed.driver import Refused, Surroundings
    from placed.driver.network.http_session import HttpSession
    from placed_icalendar.caldav.caldav_settings import CalDavSettings
    from placed_icalendar.caldav.multistatus import DavResponse

SERVICE = "the calendar server"
MOST_REDIRECTS = 3
_MOVED = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


class DavReply(NamedTuple):
    """An answer.

    Attributes:
        path: that answered, which is another one after a redirect.
        rest: seconds of Retry-After.
        asked_at: when the request left, by the program's clock.
    """

    status: int
    path: str
    headers: Mapping[str, str]
    body: bytes
    rest: float | None
    asked_at: datetime


class DavClient:
    """The client.

    Args:
        settings: the connection's.
        surroundings: what the program gives.

    Raises:
        SettingsError: the CA file or the password's file is invalid.

    Attributes:
        path: of `url`.
        refusal: why the account is not tried at the moment.
    """

    def __init__(self, settings: CalDavSettings, surroundings: Surroundings) -> None:
        parts = urlsplit(settings.url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._host = parts.hostname
        self.path = parts.path or "/"
        self._login = load_login(settings.username, settings.password_file, "password_file")
        self._version = surroundings.version
        self._steady = surroundings.steady
        self._clock = ServiceClock.of(surroundings)
        self._tls = tls_context(settings.ca_file)
        self._session: HttpSession | None = None
        self.refusal: Refused | None = None
        self._refused_until = 0.0

    async def ask(self, method: str, path: str, body: bytes, *, depth: str = "0") -> DavReply:
        """Sends a request, and follows redirects within the host.

        Args:
            method: PROPFIND or REPORT.
            path: encoded.
            body: XML.
            depth: `0` for the resource itself, `1` also for what it contains.

        Raises:
            Refused: the account was refused within the last five minutes: nothing is sent.
            DriverError: there is no answer.
        """
        if self.refusal is not None and self._steady() < self._refused_until:
            raise self.refusal
        for _ in range(MOST_REDIRECTS + 1):
            reply = await self._send(method, path, body, depth)
            if reply.status not in _MOVED:
                return reply
            path = self._moved_to(reply, path)
        raise Unavailable(f"{SERVICE} redirects without an end", remedy=GATEWAY)

    async def propfind(self, path: str, body: bytes, *, depth: str = "0") -> list[DavResponse]:
        """Asks for properties of the home, the principal and the like.

        Raises:
            Refused: the account is refused; it is not tried again for five minutes.
            DriverError: there is no answer, or it is no multistatus.
        """
        reply = await self.ask("PROPFIND", path, body, depth=depth)
        return await self.multistatus(reply)

    async def multistatus(self, reply: DavReply) -> list[DavResponse]:
        """Returns the responses in an answer.

        Raises:
            DriverError: it is no multistatus; see `propfind`.
        """
        if reply.status == HTTPStatus.UNAUTHORIZED:
            raise self.refused(reply)
        if reply.status != HTTPStatus.MULTI_STATUS:
            raise connection_error(reply.status, reply.headers, reply.rest)
        self.refusal = None
        return await responses_of(reply.body, reply.path)

    def refused(self, reply: DavReply) -> Refused:
        """Notes that the account is refused: nothing is sent for the next five minutes. Returns the error."""
        self.refusal = refused_sign_in(reply.headers)
        self._refused_until = self._steady() + ASK_AGAIN_AFTER
        return self.refusal

    def within_host(self, href: str, asked: str) -> str:
        """Returns the path that an address means.

        Args:
            href: as the server wrote it.
            asked: the path that was asked.

        Raises:
            UnexpectedAnswer: it is of another host, which must not get the password.
        """
        host = host_of(href)
        if host not in (None, self._host):
            text = f"the server refers to the host {host}, which gets no password of this connection"
            raise UnexpectedAnswer(
                text, remedy="if it is the server of the calendars, set url to its address there"
            )
        return path_of(href, asked)

    def _moved_to(self, reply: DavReply, asked: str) -> str:
        """Returns the path of a redirect.

        Raises:
            Unavailable: it leads to another host, as those of a gateway do, or is no address.
        """
        location = reply.headers.get("Location", "")
        try:
            return self.within_host(location, asked)
        except UnexpectedAnswer:
            host = host_in(location)
        target = f"the host {host}, which gets no password of this connection" if host else "no address"
        text = f"a request to {SERVICE} is answered with a redirect to {target} ({reply.status})"
        raise Unavailable(text, remedy=f"{GATEWAY}; if that is the server of the calendars, set url to it")

    async def close(self) -> None:
        """Closes the session; a second call does nothing."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _send(self, method: str, path: str, body: bytes, depth: str) -> DavReply:
        if self._session is None:
            # Imported here, so that a start does not wait for aiohttp before it needs it.
            from placed.driver.network.http_session import HttpSession  # noqa: PLC0415

            self._session = HttpSession(SERVICE, self._origin, self._tls, self._clock, redirects=True)
        headers = {
            "Content-Type": "application/xml; charset=utf-8",
            "Depth": depth,
            "User-Agent": f"placed/{self._version}",
            **({} if self._login is None else {"Authorization": self._login.header}),
        }
        asked_at = self._clock.now()
        answer = await self._session.request(method, f"{self._origin}{path}", body, headers)
        rest = parse_retry_after(answer.headers.get("Retry-After"), self._clock.now())
        return DavReply(answer.status, path, answer.headers, answer.body, rest, asked_at)
