"""All HTTP to Microsoft Graph: one session, one way to ask, one place where a status becomes an error."""

from __future__ import annotations

import email.utils
import ssl
import uuid
from dataclasses import dataclass
from datetime import UTC
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import aiohttp
import msgspec

from placed.driver import DriverError, NotPermitted, Refused, SettingsError, Unavailable
from placed.model import Reason
from placed_microsoft365.wire import Batch, BatchRequest, GraphErrorBody

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from placed_microsoft365.tokens import TokenSource

VERSION = "/v1.0"
BATCH_SIZE = 20  # Microsoft: "JSON batch requests are currently limited to 20 individual requests"
LONGEST_REST = 3600.0  # seconds; a Retry-After beyond that is not believed
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=10)

_Shape = TypeVar("_Shape")
_encode = msgspec.json.Encoder().encode
_error_decoder = msgspec.json.Decoder(GraphErrorBody)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of Graph, as it came."""

    status: int
    retry_after: float | None
    body: bytes


class UnexpectedAnswer(DriverError):  # noqa: N818 - the name says what is the case
    """Graph answered with something that is not what was asked for."""

    reason = Reason.MALFORMED


class Graph:
    """The Graph client of one registration.

    Args:
        base_url: the Graph host.
        tokens: where the access token comes from.
        ca_file: private CA of the host, None for the system's.
        version: of this program, for the User-Agent.
        now: the clock on the wall, for a Retry-After that is a date.
    """

    def __init__(
        self,
        base_url: str,
        tokens: TokenSource,
        *,
        ca_file: Path | None,
        version: str,
        now: Callable[[], datetime],
    ) -> None:
        self.base_url = base_url
        self._tokens = tokens
        self._now = now
        self._user_agent = f"placed/{version}"
        self._tls = tls_context(ca_file)
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str, shape: type[_Shape], headers: Mapping[str, str] | None = None) -> _Shape:
        """GETs a path below the version, or a whole URL that Graph gave.

        Raises:
            DriverError: anything but a 200 with the wanted shape.
        """
        answer = await self.ask("GET", self.whole(url), headers=headers)
        if answer.status != HTTPStatus.OK:
            raise error_of(answer)
        return decode(answer.body, shape)

    async def batch(self, urls: Sequence[str]) -> Answer:
        """POSTs GETs of paths below the version as one batch; their ids are their places in `urls`."""
        questions = [BatchRequest(str(n), "GET", url) for n, url in enumerate(urls)]
        return await self.ask("POST", f"{self.base_url}{VERSION}/$batch", _encode(Batch(questions)))

    async def ask(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request. A refused token is dropped, and the request made once more with a new one.

        Raises:
            DriverError: there is no token, or no answer.
        """
        answer = await self._ask_once(method, url, body, headers)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            answer = await self._ask_once(method, url, body, headers)
        return answer

    async def renew_token(self) -> None:
        """The token that is in use is not liked; the next request has a new one."""
        self._tokens.drop(await self._tokens.token())

    async def close(self) -> None:
        """Ends the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _ask_once(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None
    ) -> Answer:
        token = await self._tokens.token()
        all_headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": self._user_agent,
            "client-request-id": str(uuid.uuid4()),
            **({"Content-Type": "application/json"} if body is not None else {}),
            **(headers or {}),
        }
        try:
            async with self._open().request(
                method, url, data=body, headers=all_headers, allow_redirects=False
            ) as response:
                content = await response.read()
                if response.status == HTTPStatus.UNAUTHORIZED:
                    self._tokens.drop(token)
                if response.status == HTTPStatus.SERVICE_UNAVAILABLE:
                    response.close()  # Microsoft: after a 503 open a new connection
                return Answer(
                    response.status,
                    parse_retry_after(response.headers.get("Retry-After"), self._now()),
                    content,
                )
        except aiohttp.ClientConnectorCertificateError as error:
            raise Refused(
                f"the TLS certificate of {self.base_url} is not trusted",
                remedy="set ca_file to the CA that signed it, or correct the address",
            ) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unavailable(f"Graph can not be reached: {type(error).__name__}") from error

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._tls, limit=0)
            self._session = aiohttp.ClientSession(connector=connector, timeout=_TIMEOUT, trust_env=True)
        return self._session

    def whole(self, url: str) -> str:
        """The whole address of a path below the version; one that is whole already has to be Graph's own."""
        if url.startswith("/"):
            return f"{self.base_url}{VERSION}{url}"
        if not url.startswith(f"{self.base_url}/"):  # the token goes to Graph, and to nobody else
            raise UnexpectedAnswer("a next link leads to another host")
        return url


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trusts the system's CAs, or only the one in the file.

    Raises:
        SettingsError: the file is of no use.
    """
    try:
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except ssl.SSLError:
        raise SettingsError("ca_file", f"{ca_file} holds no CA certificate in PEM") from None
    except OSError as error:
        raise SettingsError("ca_file", f"{ca_file} can not be read: {error.strerror}") from None


def parse_retry_after(value: object, now: datetime) -> float | None:
    """Seconds that a Retry-After header means; Graph sends fractions too, and it may be a date."""
    if value is None:
        return None
    text = str(value)
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    if seconds != seconds:  # noqa: PLR0124 - NaN
        return None
    return min(max(seconds, 0.0), LONGEST_REST)


def decode(body: bytes | msgspec.Raw, shape: type[_Shape]) -> _Shape:
    """The body as the shape.

    Raises:
        UnexpectedAnswer: it is something else.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnexpectedAnswer(f"the answer is no {shape.__name__}") from error


_REASONS: dict[int, Reason] = {
    HTTPStatus.UNAUTHORIZED: Reason.FORBIDDEN,  # with a token that is good: no permission on mailboxes at all
    HTTPStatus.FORBIDDEN: Reason.FORBIDDEN,
    HTTPStatus.NOT_FOUND: Reason.NOT_FOUND,
    HTTPStatus.GONE: Reason.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT: Reason.UNAVAILABLE,
    HTTPStatus.FAILED_DEPENDENCY: Reason.UNAVAILABLE,
    HTTPStatus.TOO_MANY_REQUESTS: Reason.THROTTLED,
}


def error_code(body: bytes | msgspec.Raw) -> str:
    """Graph's own error code, or "" where the body has none."""
    try:
        found = _error_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    return (found.error and found.error.code) or ""


def reason_of(status: int) -> Reason:
    """Why a room's calendar was not to be had, by the item's status."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Reason.UNAVAILABLE
    return _REASONS.get(status, Reason.MALFORMED)


def error_of(answer: Answer) -> DriverError:
    """The error that an answer to a whole request means."""
    code = error_code(answer.body)
    told = f"Graph answered {answer.status} {code}".rstrip()
    reason = reason_of(answer.status)
    if reason is Reason.FORBIDDEN:
        return NotPermitted(
            told, remedy="the application lacks a permission; has the administrator consented?"
        )
    if reason is Reason.NOT_FOUND:
        return NotPermitted(told, remedy="check the address in the settings, or make what it names")
    if reason is Reason.MALFORMED:
        return UnexpectedAnswer(told)
    return Unavailable(told, retry_after=answer.retry_after)
