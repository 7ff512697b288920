"""Signs in with a key: a signed assertion for an access token. Keeps nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import msgspec

from placed.driver import Unavailable
from placed.driver.network.retry_after import parse_retry_after
from placed.driver.network.service_clock import APART
from placed_google.api.hosts import LARGEST_TOKEN
from placed_google.auth.jwt_assertion import jwt_assertion
from placed_google.auth.token_errors import OUT_OF_TIME, described_error, token_error

if TYPE_CHECKING:
    from placed.driver.network.http_session import HttpResponse
    from placed.driver.network.service_clock import ServiceClock
    from placed_google.api.hosts import Hosts
    from placed_google.auth.key_file import ServiceAccountKey

TOKEN_HOST = "the token host"  # noqa: S105 - its name in messages
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_SHORTEST, _LONGEST = 60.0, 86_400.0  # the range, in seconds, in which a token's lifetime is believed
_TOKEN = re.compile(r"[!-~]+")


class _Token(msgspec.Struct):
    """{"access_token":"ya29...","expires_in":3599,"token_type":"Bearer"}; the number may come as text."""

    access_token: str
    expires_in: int | float | str = 3600


def token_in(response: HttpResponse) -> tuple[str, float]:
    """Returns the token of a successful answer, and its lifetime in seconds.

    Raises:
        Unavailable: the answer is no token, such as a gateway's page.
    """
    try:
        found = msgspec.json.decode(response.body, type=_Token)
        lifetime = float(found.expires_in)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, OverflowError):
        raise Unavailable("the token host's answer is no token") from None
    return believed_token(found.access_token, lifetime)


def believed_token(text: str, lifetime: float) -> tuple[str, float]:
    """Returns a token with a lifetime in a sensible range.

    Raises:
        Unavailable: the text cannot be a token.
    """
    if not _TOKEN.fullmatch(text) or lifetime != lifetime:  # noqa: PLR0124 - NaN
        raise Unavailable("the token host's answer is no token")
    return text, min(max(lifetime, _SHORTEST), _LONGEST)


@dataclass(frozen=True, slots=True)
class KeySignIn:
    """Signs in with a key.

    Attributes:
        key: who signs in.
        url: the token endpoint.
        hosts: the sessions.
        clock: the program's clock, corrected by the token host's.
        subject: the user to impersonate, if any.
    """

    key: ServiceAccountKey
    url: str
    hosts: Hosts
    clock: ServiceClock
    subject: str | None = None

    async def token(self, scope: str) -> tuple[str, float]:
        """Returns a new token for a scope, and its lifetime in seconds.

        If the assertion is refused because of its time, the answer shows a better time, and the sign-in is
        tried once more.

        Raises:
            DriverError: the sign-in failed.
        """
        response = await self.ask(scope, subject=self.subject)
        if response.status != HTTPStatus.OK:
            rest = parse_retry_after(response.headers.get("Retry-After"), self.clock.now())
            raise token_error(response.status, response.body, rest, client_id=self.key.client_id, scope=scope)
        return token_in(response)

    async def ask(self, scope: str, *, subject: str | None) -> HttpResponse:
        """Returns the token host's answer to an assertion; see `token`.

        Raises:
            DriverError: there is no answer.
        """
        signed_at = self.clock.now()
        response = await self._ask(scope, signed_at.timestamp(), subject)
        if response.status != HTTPStatus.OK and OUT_OF_TIME in _description(response):
            better = self.clock.at_service(response.time).timestamp()
            if abs(better - signed_at.timestamp()) > APART:
                response = await self._ask(scope, better, subject)
        return response

    async def _ask(self, scope: str, moment: float, subject: str | None) -> HttpResponse:
        assertion = jwt_assertion(self.key, scope, self.url, moment, subject)
        body = urlencode({"grant_type": _GRANT, "assertion": assertion}).encode()
        return await self.hosts.request(TOKEN_HOST, "POST", self.url, body, FORM, largest=LARGEST_TOKEN)


def _description(response: HttpResponse) -> str:
    return described_error(response.body).error_description.lower()
