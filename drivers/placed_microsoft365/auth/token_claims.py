"""Reads the claims of an access token, for diagnosis only; they never decide anything.

Source: Microsoft, "Access token claims reference". Graph's tokens are opaque to clients by contract, so a
token that cannot be read is not an error. Under RBAC for Applications the calendar permission is not among
the roles.
"""

from __future__ import annotations

import jwt
import msgspec


class Claims(msgspec.Struct, frozen=True):
    """The claims that are used.

    Attributes:
        roles: the application permissions granted in Entra; empty if the token lists none.
        application: the client id; None if the claim is missing, as for all others.
        tenant: the tenant's GUID.
        service_principal: the object id of the enterprise application.
        by_certificate: whether the application signed in with a certificate.
    """

    roles: tuple[str, ...] = ()
    application: str | None = None
    tenant: str | None = None
    service_principal: str | None = None
    by_certificate: bool | None = None


def claims_of(token: str) -> Claims | None:
    """Returns the claims of a token without verifying it; None if it cannot be read."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None
    roles = claims.get("roles")
    means = _text(claims.get("appidacr")) or _text(claims.get("azpacr"))
    return Claims(
        roles=tuple(str(role) for role in roles) if isinstance(roles, list) else (),
        application=_text(claims.get("appid")) or _text(claims.get("azp")),
        tenant=_text(claims.get("tid")),
        service_principal=_text(claims.get("oid")),
        by_certificate=None if means is None else means == "2",
    )


def _text(claim: object) -> str | None:
    return claim if isinstance(claim, str) and claim else None
