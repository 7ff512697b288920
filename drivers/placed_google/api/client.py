"""A client of one of Google's APIs: one host, one token, one way to send requests."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from placed.driver import UnexpectedAnswer
from placed.driver.network.retry_after import parse_retry_after
from placed_google.api.reply import ErrorMeaning, Reply, decode, is_ok, meaning_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.driver.network.service_clock import ServiceClock
    from placed.driver.token_cache import TokenCache
    from placed_google.api.error_codes import ErrorRow
    from placed_google.api.hosts import Hosts
    from placed_google.api.reply import Advice

_VISIBLE = re.compile(r"[!-~]+")  # the characters of a URL

_Shape = TypeVar("_Shape")


class ApiClient:
    """The client.

    Args:
        name: the API's name in messages.
        base_url: its host.
        hosts: the sessions.
        tokens: provides the access token.
        errors: the table of its errors.
        advice: what remedies name.
        version: the version of this program, for the User-Agent.
        clock: reads the time in the responses.
    """

    def __init__(  # noqa: PLR0913 - what a client needs
        self,
        name: str,
        base_url: str,
        *,
        hosts: Hosts,
        tokens: TokenCache,
        errors: tuple[ErrorRow, ...],
        advice: Advice,
        version: str,
        clock: ServiceClock,
    ) -> None:
        self._name = name
        self._base_url = base_url
        self._hosts = hosts
        self.tokens = tokens
        self._errors = errors
        self._advice = advice
        self._clock = clock
        # Google compresses only for clients whose User-Agent contains "gzip".
        self._user_agent = f"placed/{version} (gzip)"

    async def get(self, path: str, shape: type[_Shape]) -> _Shape:
        """GETs a path of the host.

        Raises:
            DriverError: everything but a 200 of the wanted shape.
        """
        return decode(self.checked(await self.ask("GET", path)).body, shape)

    async def ask(self, method: str, path: str, body: bytes | None = None, content_type: str = "") -> Reply:
        """Sends one request. If its token is refused, the request is repeated once with a new one.

        Args:
            method: GET or POST.
            path: with its query, already quoted.
            body: what is sent, if anything.
            content_type: of the body.

        Raises:
            DriverError: there is no token, or no reply.
        """
        if not _VISIBLE.fullmatch(path):
            raise UnexpectedAnswer("a page token is no part of a URL")
        reply = await self.ask_once(method, path, body, content_type)
        if reply.status == HTTPStatus.UNAUTHORIZED and self.refused(reply):
            reply = await self.ask_once(method, path, body, content_type)
        return reply

    def checked(self, reply: Reply) -> Reply:
        """Returns a reply that is 200.

        Raises:
            DriverError: it is another one.
        """
        if not is_ok(reply):
            raise self.meaning(reply).error
        return reply

    def meaning(self, reply: Reply) -> ErrorMeaning:
        """Returns the meaning of a reply other than 200."""
        return meaning_of(reply, self._errors, self._advice, self._clock.now())

    async def sign_in(self) -> str:
        """Returns a token, which is requested if there is none.

        Raises:
            DriverError: the sign-in failed.
        """
        return await self.tokens.token()

    def refused(self, reply: Reply) -> bool:
        """Notes that a reply refused its token; returns whether to try again with another one."""
        return self.tokens.refused(reply.token)

    def rest_in(self, header: str | None) -> float | None:
        """Returns the seconds of a Retry-After header."""
        return parse_retry_after(header, self._clock.now())

    async def ask_once(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "",
        more: Mapping[str, str] | None = None,
    ) -> Reply:
        """Sends one request, and never repeats it.

        Args:
            method: such as PATCH.
            path: with its query, already quoted.
            body: what is sent, if anything.
            content_type: of the body.
            more: other headers.

        Raises:
            AnswerLost: it was sent, and there is no reply; only where the session changes something.
            DriverError: there is no token, or no reply.
        """
        token = await self.tokens.token()
        headers = {
            "Authorization": f"Bearer {token}",
            "User-Agent": self._user_agent,
            **({"Content-Type": content_type} if body is not None else {}),
            **(more or {}),
        }
        url = f"{self._base_url}{path}"
        response = await self._hosts.request(self._name, method, url, body, headers)
        rest = self.rest_in(response.headers.get("Retry-After"))
        return Reply(response.status, rest, response.body, response.headers.get("Content-Type", ""), token)
