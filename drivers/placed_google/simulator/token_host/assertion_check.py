"""`POST /token` with a signed assertion (RFC 7523), as Google's token host answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jwt
import msgspec

from placed_google.simulator.workspace.cloud_accounts import AUDIENCE
from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from placed_google.simulator.workspace.cloud_accounts import ServiceAccount
    from placed_google.simulator.workspace.workspace import Workspace

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LONGEST = 3600  # seconds from iat to exp
SKEW = 300  # seconds by which clocks may differ
SCOPES = "https://www.googleapis.com/auth/"


class TokenError(Exception):
    """The token host refuses; `error` is the code of OAuth."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status

    def reply(self) -> Reply:
        """As it is answered."""
        body = {"error": self.error, "error_description": str(self)}
        return Reply(self.status, msgspec.json.encode(body), "application/json; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Asked:
    """What an assertion asks for."""

    account: ServiceAccount
    scopes: tuple[str, ...]
    subject: str | None


def token(workspace: Workspace, body: bytes, token_url: str) -> Reply:
    """The answer to the form; a refusal is a `TokenError`."""
    form = {name: values[-1] for name, values in parse_qs(body.decode(errors="replace")).items()}
    if form.get("grant_type") != GRANT_TYPE:
        raise TokenError("unsupported_grant_type", f"Invalid grant_type: {form.get('grant_type', '')}")
    asked = read_assertion(workspace, form.get("assertion", ""), token_url)
    access_token = workspace.tokens.issue(asked.account.email, asked.scopes, asked.subject)
    answer = {
        "access_token": access_token,
        "expires_in": int(workspace.tokens.lifetime.total_seconds()),
        "token_type": "Bearer",
    }
    return Reply(200, msgspec.json.encode(answer), "application/json; charset=utf-8")


def read_assertion(workspace: Workspace, assertion: str, token_url: str) -> Asked:
    """Check the assertion.

    Raises:
        TokenError: it is refused.
    """
    claims = _claims(assertion)
    account = workspace.accounts.get(str(claims.get("iss", "")).lower())
    if account is None:
        raise TokenError("invalid_grant", "Invalid grant: account not found")
    _check_signature(account, assertion)
    if account.disabled:
        raise TokenError("invalid_grant", "Invalid grant: account disabled")
    if claims.get("aud") not in (AUDIENCE, token_url):
        raise TokenError(
            "invalid_grant", "Invalid JWT: Failed audience check. The right audience is " + AUDIENCE
        )
    _check_times(claims, (workspace.token_clock() + workspace.clock_ahead).timestamp())
    scopes = str(claims.get("scope", "")).split()
    if not scopes or not all(scope.startswith(SCOPES) for scope in scopes):
        raise TokenError("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
    subject = claims.get("sub")
    if subject is not None and subject != account.email:
        _check_delegation(workspace, account, str(subject).lower(), scopes)
        return Asked(account, tuple(scopes), str(subject).lower())
    return Asked(account, tuple(scopes), None)


def _claims(assertion: str) -> dict[str, Any]:
    try:
        return jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise TokenError("invalid_grant", "Invalid JWT: Token must be a well-formed JWT.") from None


def _check_signature(account: ServiceAccount, assertion: str) -> None:
    """By the key that `kid` names; without `kid` any of the account's keys may have signed."""
    try:
        header = jwt.get_unverified_header(assertion)
    except jwt.InvalidTokenError:
        raise TokenError("invalid_grant", "Invalid JWT: Token must be a well-formed JWT.") from None
    kid = header.get("kid")
    keys = (
        account.keys.values() if kid is None else [key for known, key in account.keys.items() if known == kid]
    )
    checks = {"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False}
    for key in keys:
        try:
            jwt.decode(assertion, key, algorithms=["RS256"], options=checks)  # type: ignore[arg-type]
        except jwt.InvalidTokenError:
            continue
        return
    raise TokenError("invalid_grant", "Invalid JWT Signature.")


def _check_times(claims: dict[str, Any], now: float) -> None:
    issued, expires = claims.get("iat"), claims.get("exp")
    if isinstance(issued, int | float) and isinstance(expires, int | float):
        timely = issued <= now + SKEW and now - SKEW < expires
        if timely and 0 < expires - issued <= LONGEST:
            return
    raise TokenError(
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
        "Check your iat and exp values in the JWT claim.",
    )


def _check_delegation(workspace: Workspace, account: ServiceAccount, subject: str, scopes: list[str]) -> None:
    """All scopes must be granted to the account's client id, and the user has to exist."""
    if not account.delegated.issuperset(scopes):
        raise TokenError(
            "unauthorized_client",
            "Client is unauthorized to retrieve access tokens using this method, or client not authorized "
            "for any of the scopes requested.",
            401,
        )
    person = workspace.people.get(subject)
    if person is None or person.suspended:
        raise TokenError("invalid_grant", "Invalid email or User ID")
