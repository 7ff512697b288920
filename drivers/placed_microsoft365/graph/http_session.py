"""An HTTP session with Graph: it returns whole responses and raises every failure as a `DriverError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from yarl import URL

from placed_microsoft365.graph.response_body import ACCEPTED, content_of
from placed_microsoft365.network.tls_and_proxy import not_reached, not_trusted, proxy_for

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from placed_microsoft365.network.service_clock import ServiceClock

LARGEST = 32 * 2**20  # bytes of a response; twenty rooms with a hundred meetings each have some two million
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)


class HttpSession:
    """The session.

    Args:
        base_url: the Graph host.
        tls: the TLS context.
        clock: reads the time in the responses.
    """

    def __init__(self, base_url: str, tls: ssl.SSLContext, clock: ServiceClock) -> None:
        self._base_url = base_url
        self._clock = clock
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=tls, limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": ACCEPTED},
            auto_decompress=False,
            timeout=_TIMEOUT,
            proxy=proxy_for(base_url),
        )

    async def request(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, str | None, bytes]:
        """Returns status, Retry-After and body; the URL is sent unchanged, as paging requires.

        Raises:
            DriverError: there is no response, or it is too large.
        """
        asked_at = self._clock.steady()
        try:
            async with self._session.request(
                method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as response:
                self._clock.answered(response.headers, asked_at)
                content = await content_of(response, LARGEST)
                return response.status, response.headers.get("Retry-After"), content
        except aiohttp.ClientConnectorCertificateError as error:
            raise not_trusted(self._base_url, error.certificate_error, self._clock.now()) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Not `from error`: aiohttp's text may contain the URL, and with it a mailbox.
            raise not_reached("Graph", self._base_url, error) from None

    async def close(self) -> None:
        """Closes the session."""
        await self._session.close()
