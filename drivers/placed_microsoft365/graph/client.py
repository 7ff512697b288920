"""The Microsoft Graph client: one session, one way to send requests."""

from __future__ import annotations

import re
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec

from placed.driver import Unavailable, UnexpectedAnswer
from placed.driver.network.retry_after import parse_retry_after
from placed.driver.network.tls_and_proxy import tls_context
from placed_microsoft365.graph.json_structs import Batch, BatchRequest
from placed_microsoft365.graph.response import Answer, decode, error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from placed.driver import DriverError
    from placed.driver.network.http_session import HttpSession
    from placed.driver.network.service_clock import ServiceClock
    from placed.driver.token_cache import TokenCache

VERSION = "/v1.0"
BATCH_SIZE = 20  # Microsoft: "JSON batch requests are currently limited to 20 individual requests"
_VISIBLE = re.compile(r"[!-~]+")  # the characters of a URL

_Shape = TypeVar("_Shape")
_encode = msgspec.json.Encoder().encode


class GraphClient:
    """The Graph client of one registration.

    Args:
        base_url: the Graph host.
        tokens: provides the access token.
        ca_file: the private CA of the host; None for the system's CAs.
        version: the version of this program, for the User-Agent.
        clock: reads the time in the responses.
        writes: whether it changes calendars; no request is then repeated by the session.
    """

    def __init__(  # noqa: PLR0913 - what a session with a service needs
        self,
        base_url: str,
        tokens: TokenCache,
        *,
        ca_file: Path | None,
        version: str,
        clock: ServiceClock,
        writes: bool = False,
    ) -> None:
        self.base_url = base_url
        self._tokens = tokens
        self._clock = clock
        self._user_agent = f"placed/{version}"
        self._tls = tls_context(ca_file)
        self._writes = writes
        self._session: HttpSession | None = None
        self._is_closed = False

    async def get(
        self,
        url: str,
        shape: type[_Shape],
        headers: Mapping[str, str] | None = None,
        error: Callable[[Answer], DriverError] = error_of,
    ) -> _Shape:
        """GETs a path relative to the API version, or a whole URL that Graph returned.

        Args:
            url: the path or URL.
            shape: the type of the response.
            headers: in addition to those of every request.
            error: converts a response other than 200 to an error.

        Raises:
            DriverError: everything but a 200 of the wanted shape.
        """
        answer = await self.ask("GET", url, headers=headers)
        if answer.status != HTTPStatus.OK:
            raise error(answer)
        return decode(answer.body, shape)

    async def batch(self, urls: Sequence[str]) -> Answer:
        """POSTs GETs of several paths as one batch; their ids are their indices in `urls`."""
        questions = [BatchRequest(str(n), "GET", url) for n, url in enumerate(urls)]
        return await self.ask("POST", "/$batch", _encode(Batch(questions)))

    async def ask(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends one request. If its token is refused, the request is repeated once with a new one.

        Args:
            method: GET or POST.
            url: a path relative to the API version, or a whole URL that Graph returned.
            body: JSON.
            headers: in addition to those of every request.

        Raises:
            DriverError: there is no token, or no response.
        """
        answer = await self.ask_once(method, url, body, headers)
        if answer.status == HTTPStatus.UNAUTHORIZED and self.refused(answer):
            answer = await self.ask_once(method, url, body, headers)
        return answer

    async def sign_in(self) -> None:
        """Gets a token if there is none.

        Raises:
            DriverError: the sign-in failed.
        """
        await self._tokens.token()

    def refused(self, answer: Answer) -> bool:
        """Notes that a response refused its token; returns whether to try again with another one."""
        return self._tokens.refused(answer.token)

    async def close(self) -> None:
        """Closes the session; no other is opened."""
        self._is_closed = True
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask_once(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Sends one request, and never repeats it; see `ask`."""
        whole = self._whole(url)
        token = await self._tokens.token()
        all_headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": self._user_agent,
            "client-request-id": str(uuid.uuid4()),
            **({"Content-Type": "application/json"} if body is not None else {}),
            **(headers or {}),
        }
        response = await self._open().request(method, whole, body, all_headers)
        rest = parse_retry_after(response.headers.get("Retry-After"), self._clock.now())
        return Answer(response.status, rest, response.body, token)

    def _open(self) -> HttpSession:
        if self._is_closed:
            raise Unavailable("the connection is closed")
        if self._session is None:
            # Imported here, because the sign-in comes first, and others import aiohttp while it waits.
            from placed.driver.network.http_session import HttpSession  # noqa: PLC0415

            self._session = HttpSession("Graph", self.base_url, self._tls, self._clock, changes=self._writes)
        return self._session

    def _whole(self, url: str) -> str:
        """Returns the whole URL of a path; a URL that is whole already has to be Graph's own."""
        if url.startswith("/"):
            url = f"{self.base_url}{VERSION}{url}"
        elif not url.startswith(f"{self.base_url}/"):  # the token is sent to Graph only
            raise UnexpectedAnswer("a next link leads to another host")
        if not _VISIBLE.fullmatch(url):
            raise UnexpectedAnswer("a next link is not a URL")
        return url
