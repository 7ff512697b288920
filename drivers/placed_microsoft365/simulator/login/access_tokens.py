"""Access tokens: signed JWTs in the shape of Entra's v1 tokens (Microsoft: access-token-claims-reference)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed_microsoft365.simulator.tenant.app_access import App

DEFAULT_LIFETIME = timedelta(seconds=3599)


class TokenRefusedError(Exception):
    """Graph does not take the token; the text is the message of its 401."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The content of a valid token."""

    client_id: str
    roles: frozenset[str]
    expires: float


@cache
def _signing_key() -> RSAPrivateKey:
    """One key for the process: it identifies no tenant, and making one takes a tenth of a second."""
    return generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(slots=True, kw_only=True)
class Tokens:
    """Issues and reads the access tokens of one tenant.

    Attributes:
        lifetime: of the tokens issued from now on; the service draws 60 to 90 minutes.
    """

    tenant_id: str
    now: Callable[[], datetime]
    lifetime: timedelta = DEFAULT_LIFETIME
    _read: dict[str, Grant] = field(default_factory=dict)
    _withdrawn: set[str] = field(default_factory=set)
    _issued: dict[str, list[str]] = field(default_factory=dict)

    def issue(self, app: App, audience: str, *, by_certificate: bool, number: int) -> str:
        """A token for the app. Without any granted role the `roles` claim is missing, as from Entra."""
        now = self.now()
        roles = app.granted(now)
        claims: dict[str, object] = {
            "aud": audience,
            "iss": f"https://sts.windows.net/{self.tenant_id}/",
            "iat": int(now.timestamp()),
            "nbf": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
            "appid": app.client_id,
            "app_displayname": app.name,
            "appidacr": "2" if by_certificate else "1",
            "idtyp": "app",
            "oid": app.object_id,
            "sub": app.object_id,
            "tid": self.tenant_id,
            "uti": f"simulated-{number}",
            "ver": "1.0",
        }
        if roles:
            claims["roles"] = roles
        token = jwt.encode(claims, _signing_key(), algorithm="RS256", headers={"kid": "simulated"})
        self._issued.setdefault(app.client_id, []).append(token)
        return token

    def withdraw(self, client_id: str) -> None:
        """Refuse the tokens that the app has got so far."""
        self._withdrawn.update(self._issued.pop(client_id, ()))

    def read(self, authorization: str | None, audience: str) -> Grant:
        """What the `Authorization` header grants.

        Raises:
            TokenRefusedError: absent, not one of ours, for somebody else, or expired.
        """
        kind, _, token = (authorization or "").partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise TokenRefusedError("Access token is empty.")
        grant = self._read.get(token)
        if grant is None:
            grant = self._read[token] = self._verify(token, audience)
        if token in self._withdrawn or grant.expires <= self.now().timestamp():
            raise TokenRefusedError("Lifetime validation failed, the token is expired.")
        return grant

    def _verify(self, token: str, audience: str) -> Grant:
        try:
            claims = jwt.decode(
                token,
                _signing_key().public_key(),
                algorithms=["RS256"],
                audience=audience,
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
            )
        except jwt.InvalidAudienceError as error:
            raise TokenRefusedError("Access token validation failure. Invalid audience.") from error
        except jwt.InvalidSignatureError as error:
            raise TokenRefusedError("Signature validation failed.") from error
        except jwt.InvalidTokenError as error:
            raise TokenRefusedError(
                "IDX14100: JWT is not well formed, there are no dots (.).\n"
                "CompactToken parsing failed with error code: 80049217"
            ) from error
        if claims["tid"] != self.tenant_id:
            raise TokenRefusedError("Access token validation failure. Invalid tenant.")
        return Grant(claims["appid"], frozenset(claims.get("roles", ())), float(claims["exp"]))
