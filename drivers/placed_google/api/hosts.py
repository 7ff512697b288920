"""The hosts that a connection talks to: one HTTP session for each, opened when it is first asked."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from placed.driver import Unavailable
from placed.driver.network.tls_and_proxy import tls_context

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from placed.driver.network.http_session import HttpResponse, HttpSession
    from placed.driver.network.service_clock import ServiceClock

LARGEST_TOKEN = 2**20  # bytes of a token host's answer; a token has a few thousand


class Hosts:
    """The sessions of one connection.

    Args:
        ca_file: the private CA of all hosts; None for the system's CAs.
        clock: reads the time in the responses.
        changes: whether requests change something; no request is then repeated by a session.

    Raises:
        SettingsError: the CA file is invalid.
    """

    def __init__(self, ca_file: Path | None, clock: ServiceClock, *, changes: bool = False) -> None:
        self._tls = tls_context(ca_file)
        self._clock = clock
        self._changes = changes
        self._sessions: dict[tuple[str, str], HttpSession] = {}  # by service and host
        self._is_closed = False

    async def request(  # noqa: PLR0913 - what a request has
        self,
        service: str,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        largest: int | None = None,
    ) -> HttpResponse:
        """Sends a request.

        Args:
            service: the host's name in messages.
            method: such as GET.
            url: the whole URL.
            body: what is sent, if anything.
            headers: of the request.
            largest: the limit of the answer, in bytes, if it is not the session's.

        Raises:
            DriverError: there is no answer, or it is too large.
        """
        return await self._session(service, url).request(method, url, body, headers, largest=largest)

    async def close(self) -> None:
        """Closes all sessions, and no other is opened; a second call does nothing."""
        self._is_closed = True
        while self._sessions:
            _, session = self._sessions.popitem()
            await session.close()

    def _session(self, service: str, url: str) -> HttpSession:
        if self._is_closed:
            raise Unavailable("the connection is closed")
        parts = urlsplit(url)
        base_url = f"{parts.scheme}://{parts.netloc}"
        key = service, base_url
        if key not in self._sessions:
            # Imported here, so that a start does not wait for aiohttp before it needs it.
            from placed.driver.network.http_session import HttpSession  # noqa: PLC0415

            self._sessions[key] = HttpSession(
                service, base_url, self._tls, self._clock, changes=self._changes
            )
        return self._sessions[key]
