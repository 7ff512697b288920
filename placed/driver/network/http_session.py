"""An HTTP session with one host: it returns whole responses and raises every failure as a `DriverError`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import aiohttp
from yarl import URL

from placed.driver.errors import AnswerLost, Unavailable
from placed.driver.network.redirect_errors import is_redirect, redirected
from placed.driver.network.response_decompression import ACCEPTED, content_of
from placed.driver.network.tls_and_proxy import not_reached, not_trusted, proxy_for

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from aiohttp.abc import AbstractResolver

    from placed.domain.service_time import ServiceTime
    from placed.driver.network.service_clock import ServiceClock

LARGEST = 32 * 2**20  # bytes of a response; fifty rooms with a hundred meetings each have some five million
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)
# The errors after which it is certain that the request was not sent.
_NOT_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    UnicodeError,  # of a host whose name cannot be looked up: a part of it is empty, or too long
)


async def _never_repeated(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Hides the errors after which aiohttp repeats a request of an idempotent method, such as DELETE."""
    try:
        return await handler(request)
    except _NOT_SENT:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise aiohttp.ClientConnectionError("the connection was cut") from error


class HttpResponse(NamedTuple):
    """A whole response.

    Attributes:
        headers: by name, in any case.
        body: decompressed.
        time: the host's time, if the response shows it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    time: ServiceTime | None


class HttpSession:
    """The session.

    Args:
        service: the host's name in messages, such as `the login host`.
        base_url: its URL.
        tls: the TLS context.
        clock: reads the time in the responses.
        resolver: looks up the host's addresses, in place of the system's; a proxy does that by itself.
        changes: whether requests change something. None is then repeated, and each has a connection of its
            own, so that none is lost since the service has just closed one that was idle.
        redirects: whether the service may send redirects, which are returned as they are; else one is the
            error of something between.
    """

    def __init__(  # noqa: PLR0913 - what a session needs
        self,
        service: str,
        base_url: str,
        tls: ssl.SSLContext,
        clock: ServiceClock,
        *,
        resolver: AbstractResolver | None = None,
        changes: bool = False,
        redirects: bool = False,
    ) -> None:
        self._changes = changes
        self._redirects = redirects
        self._service = service
        self._base_url = base_url
        self._clock = clock
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, limit=0, force_close=changes, resolver=resolver),
            cookie_jar=aiohttp.DummyCookieJar(),
            # A cache on the way must not answer with an old calendar, nor with an old `Date`.
            headers={"Accept-Encoding": ACCEPTED, "Cache-Control": "no-cache"},
            auto_decompress=False,
            timeout=_TIMEOUT,
            proxy=proxy_for(base_url),
            middlewares=(_never_repeated,) if changes else (),
        )

    async def request(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Mapping[str, str],
        *,
        largest: int | None = None,
    ) -> HttpResponse:
        """Sends a request and returns the whole response; the URL is sent unchanged, as paging requires.

        Args:
            method: such as GET.
            url: the whole URL.
            body: what is sent, if anything.
            headers: in addition to those of every request.
            largest: the limit of the decompressed body, in bytes, if it is not `LARGEST`.

        Raises:
            AnswerLost: the request was sent and may have changed something, and there is no response.
            DriverError: it was not sent, or the response is too large or damaged.
        """
        asked_at = self._clock.steady()
        try:
            async with self._session.request(
                method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as response:
                time = self._clock.answered(response.headers, asked_at)
                content = await content_of(response, LARGEST if largest is None else largest)
                found = HttpResponse(response.status, response.headers, content, time)
        except aiohttp.ClientConnectorCertificateError as error:
            raise not_trusted(self._base_url, error.certificate_error, self._clock.now()) from None
        except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as error:
            # Not `from error`: aiohttp's text may contain the URL, and with it a mailbox.
            failure = not_reached(self._service, self._base_url, error)
            sent = not isinstance(error, _NOT_SENT)
            if self._changes and sent and isinstance(failure, Unavailable):
                failure = AnswerLost(failure.problem.text, remedy=failure.problem.remedy)
            raise failure from None
        if is_redirect(found.status) and not self._redirects:
            between = redirected(self._base_url, found.status, found.headers)
            if self._changes:  # whether it was carried out before is not known
                raise AnswerLost(between.problem.text, remedy=between.problem.remedy)
            raise between
        return found

    async def close(self) -> None:
        """Closes the session."""
        await self._session.close()
