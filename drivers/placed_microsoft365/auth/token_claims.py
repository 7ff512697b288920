"""What an access token says of itself: for diagnosis only, never a gate, and never the token.

Source: Microsoft, "Access token claims reference". Graph's tokens are opaque to clients by contract, so a
token that can not be read tells nothing, and that is no error. Under RBAC for Applications the permission on
calendars is not among the roles.
"""

from __future__ import annotations

import jwt
import msgspec


class Claims(msgspec.Struct, frozen=True):
    """The claims that are of use.

    Attributes:
        roles: the application permissions granted in Entra; empty if the token lists none.
        application: the client id; None if not told, as all others.
        tenant: the tenant's GUID.
        service_principal: the object id of the enterprise application.
        by_certificate: whether a certificate proved the application.
    """

    roles: tuple[str, ...] = ()
    application: str | None = None
    tenant: str | None = None
    service_principal: str | None = None
    by_certificate: bool | None = None


def claims_of(token: str) -> Claims | None:
    """The claims of a token, unverified; None if it is none that can be read."""
    try:
        told = jwt.decode(token, options={"verify_signature": False})
    except (jwt.InvalidTokenError, ValueError, RecursionError):
        return None
    roles = told.get("roles")
    means = _text(told.get("appidacr")) or _text(told.get("azpacr"))
    return Claims(
        roles=tuple(str(role) for role in roles) if isinstance(roles, list) else (),
        application=_text(told.get("appid")) or _text(told.get("azp")),
        tenant=_text(told.get("tid")),
        service_principal=_text(told.get("oid")),
        by_certificate=None if means is None else means == "2",
    )


def _text(claim: object) -> str | None:
    return claim if isinstance(claim, str) and claim else None
