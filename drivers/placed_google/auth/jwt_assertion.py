"""The signed assertion that a service account exchanges for an access token (RFC 7523).

The time is an argument, so that a wrong clock of this machine does not prevent the sign-in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed_google.auth.key_file import ServiceAccountKey

LIFETIME = 3600  # seconds; Google accepts no more


def jwt_assertion(
    key: ServiceAccountKey, scope: str, audience: str, now: float, subject: str | None = None
) -> str:
    """Returns a signed assertion for one sign-in.

    Args:
        key: who signs in.
        scope: what the token is for.
        audience: the token endpoint.
        now: the token host's time, in seconds since 1970.
        subject: the user to impersonate, if any.
    """
    import jwt  # noqa: PLC0415 - only needed at a sign-in

    issued_at = int(now)
    claims = {
        "iss": key.email,
        "scope": scope,
        "aud": audience,
        "iat": issued_at,
        "exp": issued_at + LIFETIME,
        **({"sub": subject} if subject is not None else {}),
    }
    return jwt.encode(claims, key.private_key, algorithm="RS256", headers={"kid": key.key_id})
