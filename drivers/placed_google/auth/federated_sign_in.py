"""Signs in without a key: another identity's token for a federated one, and that for the service account's.

Source: Google, Security Token Service API v1 and IAM Service Account Credentials API v1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from placed.driver import NotPermitted, Refused, Unavailable
from placed.driver.file_content import read_file_content
from placed.driver.network.retry_after import parse_retry_after
from placed_google.api.hosts import LARGEST_TOKEN
from placed_google.auth.key_sign_in import believed_token, token_in
from placed_google.auth.token_errors import described_error

if TYPE_CHECKING:
    from placed.driver import DriverError
    from placed.driver.network.http_session import HttpResponse
    from placed.driver.network.service_clock import ServiceClock
    from placed_google.api.hosts import Hosts
    from placed_google.auth.external_account import ExternalAccount

STS_HOST = "Google's token exchange"
IAM_HOST = "Google's service account host"
SOURCE_HOST = "the host of the subject token"
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}
_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
_ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type
_CLOUD = "https://www.googleapis.com/auth/cloud-platform"  # the only scope that generateAccessToken takes
_LIFETIME = "3600s"
_BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class _AccessToken(msgspec.Struct, rename="camel"):
    """{"accessToken":"ya29...","expireTime":"2026-12-02T09:00:00Z"}."""

    access_token: str
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class FederatedSignIn:
    """Signs in by workload identity federation.

    Attributes:
        external: what to exchange, and where.
        hosts: the sessions.
        clock: the program's clock.
    """

    external: ExternalAccount
    hosts: Hosts
    clock: ServiceClock

    async def token(self, scope: str) -> tuple[str, float]:
        """Returns a new token for a scope, and its lifetime in seconds.

        Raises:
            DriverError: the sign-in failed.
        """
        federated = await self._exchange(await self._subject_token())
        body = msgspec.json.encode({"scope": [scope], "lifetime": _LIFETIME})
        response = await self.hosts.request(
            IAM_HOST,
            "POST",
            self.external.service_account_impersonation_url,
            body,
            {**_JSON, "Authorization": f"Bearer {federated}"},
            largest=LARGEST_TOKEN,
        )
        if response.status != HTTPStatus.OK:
            raise self._iam_error(response)
        try:
            found = msgspec.json.decode(response.body, type=_AccessToken)
            lifetime = found.expire_time.timestamp() - self.clock.at_service(response.time).timestamp()
        except (*_BAD_JSON, ValueError, OverflowError):
            raise Unavailable("the service account host's answer is no token") from None
        return believed_token(found.access_token, lifetime)

    async def _exchange(self, subject_token: str) -> str:
        """Returns the federated token."""
        body = msgspec.json.encode(
            {
                "grantType": _GRANT,
                "audience": self.external.audience,
                "scope": _CLOUD,
                "requestedTokenType": _ACCESS_TOKEN,
                "subjectToken": subject_token,
                "subjectTokenType": self.external.subject_token_type,
            }
        )
        response = await self.hosts.request(
            STS_HOST, "POST", self.external.token_url, body, _JSON, largest=LARGEST_TOKEN
        )
        if response.status != HTTPStatus.OK:
            raise self._sts_error(response)
        token, _ = token_in(response)
        return token

    async def _subject_token(self) -> str:
        source = self.external.credential_source
        if source.file is not None:
            content = _content_of(Path(source.file))
        else:
            response = await self.hosts.request(
                SOURCE_HOST, "GET", source.url or "", None, source.headers, largest=LARGEST_TOKEN
            )
            if response.status != HTTPStatus.OK:
                raise Unavailable(f"the subject token's host answered {response.status}")
            content = response.body
        try:
            if source.format.type == "json":
                fields = msgspec.json.decode(content, type=dict[str, object])
                token = str(fields[source.format.subject_token_field_name])
            else:
                token = content.decode().strip()
        except (*_BAD_JSON, KeyError):
            token = ""
        if not token:
            raise Unavailable(
                "the source of the subject token holds none",
                remedy="check credential_source in workload_identity",
            )
        return token

    def _sts_error(self, response: HttpResponse) -> DriverError:
        if (busy := self._busy(response)) is not None:
            return busy
        error = described_error(response.body).error
        known = error if error in _STS_ERRORS else f"status {response.status}"
        return Refused(
            f"the token exchange refuses the subject token: {known}",
            remedy="check the pool, its provider and its conditions against the identity of this machine",
        )

    def _iam_error(self, response: HttpResponse) -> DriverError:
        if (busy := self._busy(response)) is not None:
            return busy
        return NotPermitted(
            f"no token for the service account: status {response.status}",
            remedy=f"give the identity the role Workload Identity User on {self.external.email}; enable "
            "the IAM Service Account Credentials API in its project",
        )

    def _busy(self, response: HttpResponse) -> Unavailable | None:
        """Returns the error of an answer that time heals."""
        status = response.status
        if status < HTTPStatus.INTERNAL_SERVER_ERROR and status != HTTPStatus.TOO_MANY_REQUESTS:
            return None
        rest = parse_retry_after(response.headers.get("Retry-After"), self.clock.now())
        return Unavailable(f"sign-in failed: status {status}", retry_after=rest)


_STS_ERRORS = frozenset(
    {"invalid_grant", "invalid_request", "invalid_target", "invalid_client", "invalid_scope"}
)


def _content_of(path: Path) -> bytes:
    """Reads the subject token, which another program renews."""
    try:
        return read_file_content(path, LARGEST_TOKEN)[0]
    except OSError as error:
        raise Unavailable(
            f"the subject token in {path} cannot be read: {error.strerror}",
            remedy="check credential_source in workload_identity, and what writes that file",
        ) from None
