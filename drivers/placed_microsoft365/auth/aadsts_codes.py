"""Maps Microsoft Entra's error codes to errors that the operator understands.

Source: Microsoft, "Microsoft Entra authentication and authorization error codes". The codes are stable; the
texts may change, so they are never compared.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.driver import Consent, DriverError, NotPermitted, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

_CONDITIONAL_ACCESS = (
    "Conditional Access blocks this sign-in; have the tenant's administrator except the application, or this "
    "server's address"
)
_SETUP = "(placed setup writes the script)"
# Permanent until a person changes something.
_REMEDIES: dict[int, str] = {
    7000215: "the client secret is wrong; write the secret's value, not its ID, into the file",
    7000222: "the client secret has expired; make a new one for the registration",
    700016: f"client_id is not known in this tenant; register it {_SETUP}, or correct client_id",
    700027: f"the certificate is not registered with the application, or expired; upload it there {_SETUP}",
    50012: "the credential is not valid; check the certificate and this machine's clock",
    50013: "the signed assertion is not valid; check the certificate and this machine's clock",
    700030: "the certificate's subject is not authorised for the application",
    7000218: "the request had no credential; set certificate or client_secret_file",
    700025: "the registration is a public client; make one with a credential",
    7000112: "the application is disabled in the tenant; have its administrator enable it",
    70001: "the application is not installed or disabled in the tenant; ask its administrator",
    70011: "the scope is not valid; check the Graph host against the cloud",
    28002: "the scope is not valid; check the Graph host against the cloud",
    700022: "the scope names several resources; check the Graph host",
    700023: "the scope names several resources; check the Graph host",
    500011: "the Graph host is not known in this tenant; check cloud and graph",
    650056: f"the registration lacks the permission it asks for; correct its API permissions {_SETUP}",
    650057: f"the registration lacks the permission it asks for; correct its API permissions {_SETUP}",
    90002: "there is no such tenant; check tenant, and whether it lives in another cloud",
    90038: "the tenant lives in another national cloud; set cloud",
    900382: "the tenant lives in another national cloud; set cloud",
    900432: "the tenant lives in another national cloud; set cloud",
    50059: "the tenant is not named; set tenant to its domain name or GUID",
    50128: "the tenant's domain name is not valid; set tenant to its domain name or GUID",
    50194: "the application is of one tenant only; set tenant to that tenant",
    9001023: "tenant must be one tenant's domain name or GUID",
}
# The administrator has to act; `placed consent` reports the state of consent.
_ASK_SELDOM: dict[int, tuple[str, Consent]] = {
    65001: ("the administrator has not consented yet; run placed consent", Consent.MISSING),
    65004: ("the administrator declined consent; talk to them, then run placed consent", Consent.DECLINED),
    53003: (_CONDITIONAL_ACCESS, Consent.UNKNOWN),
    530032: (_CONDITIONAL_ACCESS, Consent.UNKNOWN),
}
# There is no registration that could have been consented to.
_UNREGISTERED = frozenset({700016, 70001})
# The assertion's time differs from the login host's. The clock may be corrected at any time.
OUT_OF_TIME = frozenset({700024, 500133})
_SET_CLOCK = (
    "the signed assertion is outside of its time; set this machine's clock (timedatectl set-ntp true); "
    "placed tries again by itself"
)
_LOOP = 50196  # "client request loop": the same request was sent too often
_LOOP_REST = 300.0  # seconds

# Errors of the service, and its rate limits.
_HEALED_BY_TIME = frozenset({50033, 50196, 90006, 90012, 90024, 90033, 90055})
# AADSTS codes come and go; these OAuth error words are stable (RFC 6749, section 5.2).
_REFUSALS = frozenset({"invalid_client", "unauthorized_client"})
_ERRORS = _REFUSALS | {
    "invalid_grant",
    "invalid_request",
    "invalid_resource",
    "invalid_scope",
    "server_error",
    "temporarily_unavailable",
    "unsupported_grant_type",
}


def token_error(
    codes: Iterable[int], error: str, status: int, retry_after: float | None = None
) -> DriverError:
    """Returns the error for a response of the login host.

    Args:
        codes: the AADSTS numbers in the response.
        error: the `error` field of the response, such as invalid_client.
        status: the HTTP status.
        retry_after: the seconds that the service asked the client to wait.
    """
    numbers = list(codes)
    for number in numbers:
        message = f"sign-in refused: AADSTS{number}"
        if number in OUT_OF_TIME:
            return Unavailable(message, remedy=_SET_CLOCK, retry_after=retry_after)
        if number in _REMEDIES:
            consent = Consent.MISSING if number in _UNREGISTERED else Consent.UNKNOWN
            return Refused(message, remedy=_REMEDIES[number], consent=consent)
        if number in _ASK_SELDOM:
            remedy, consent = _ASK_SELDOM[number]
            problem = NotPermitted(message, remedy=remedy, lasting=True, consent=consent)
            problem.certain = True
            return problem
    other = "the login host's answer cannot be used" if status == HTTPStatus.OK else f"status {status}"
    message = f"AADSTS{numbers[0]}" if numbers else error if error in _ERRORS else other
    if error in _REFUSALS and not _HEALED_BY_TIME.intersection(numbers):
        return Refused(f"sign-in refused: {message}", remedy="check client_id, tenant and credential")
    if retry_after is None and _LOOP in numbers:
        retry_after = _LOOP_REST
    return Unavailable(f"sign-in failed: {message}", retry_after=retry_after)


def codes_in(text: str) -> list[int]:
    """Returns the AADSTS numbers in a text, without duplicates."""
    return list(dict.fromkeys(int(number) for number in re.findall(r"AADSTS([0-9]{4,9})", text)))
