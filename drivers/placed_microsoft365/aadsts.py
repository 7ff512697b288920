"""What Microsoft Entra's error codes mean for the operator.

Source: Microsoft, "Microsoft Entra authentication and authorization error codes". Texts may change, codes are
what to branch on.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placed.driver import DriverError, NotPermitted, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

# Refused for good, until a person changes something.
_REMEDIES: dict[int, str] = {
    7000215: "the client secret is wrong; write the secret's value, not its ID, into the file",
    7000222: "the client secret has expired; make a new one for the registration",
    700016: "client_id is not known in this tenant; check client_id and tenant, and that consent was given",
    700027: "the certificate is not registered with the application, or has expired; upload it there",
    50012: "the credential is not valid; check the certificate and this machine's clock",
    50013: "the signed assertion is not valid; check the certificate and this machine's clock",
    500133: "the signed assertion is outside of its time; check this machine's clock",
    700030: "the certificate's subject is not authorised for the application",
    7000218: "the request had no credential; set certificate or client_secret_file",
    700025: "the registration is a public client; make one with a credential",
    7000112: "the application is disabled in the tenant; ask its administrator",
    70001: "the application is not installed or disabled in the tenant; ask its administrator",
    70011: "the scope is not valid; check the Graph host against the cloud",
    28002: "the scope is not valid; check the Graph host against the cloud",
    700022: "the scope names several resources; check the Graph host",
    700023: "the scope names several resources; check the Graph host",
    500011: "the Graph host is not known in this tenant; check cloud and graph",
    650056: "the registration lacks the permission it asks for; check its API permissions",
    650057: "the registration lacks the permission it asks for; check its API permissions",
    90002: "there is no such tenant; check tenant, and whether it lives in another cloud",
    90038: "the tenant lives in another national cloud; set cloud",
    900382: "the tenant lives in another national cloud; set cloud",
    900432: "the tenant lives in another national cloud; set cloud",
    50059: "the tenant is not named; set tenant to its domain name or GUID",
    50128: "the tenant's domain name is not valid; set tenant to its domain name or GUID",
    50194: "the application is of one tenant only; set tenant to that tenant",
    9001023: "tenant must be one tenant's domain name or GUID",
}
# Another person heals it.
_ASK_SELDOM: dict[int, str] = {
    65001: "the administrator has not consented yet",
    65004: "the administrator declined consent",
    53003: "Conditional Access blocks this sign-in; ask the tenant's administrator",
    530032: "Conditional Access blocks this sign-in; ask the tenant's administrator",
}


def token_error(codes: Iterable[int], error: str, retry_after: float | None = None) -> DriverError:
    """The error that an answer of the token endpoint means.

    Args:
        codes: the answer's `error_codes`.
        error: the answer's `error`, such as invalid_client.
        retry_after: seconds that the service asked for.
    """
    numbers = list(codes)
    for number in numbers:
        if number in _REMEDIES:
            return Refused(f"sign-in refused: AADSTS{number}", remedy=_REMEDIES[number])
        if number in _ASK_SELDOM:
            return NotPermitted(f"sign-in refused: AADSTS{number}", remedy=_ASK_SELDOM[number])
    told = " ".join(f"AADSTS{number}" for number in numbers) or error or "no reason given"
    if not numbers and error in ("invalid_client", "unauthorized_client"):
        return Refused(
            f"sign-in refused: {error}", remedy="check client_id, tenant and credential of this connection"
        )
    return Unavailable(f"sign-in failed: {told}", retry_after=retry_after)


def codes_in(text: str) -> list[int]:
    """The AADSTS numbers that a text mentions."""
    return [int(number) for number in re.findall(r"AADSTS(\d+)", text)]
