"""The errors of the login, in Entra's shape (Microsoft: reference-error-codes).

Numbers and texts are from that page. HTTP statuses and OAuth error words are from RFC 6749 and from published
answers; for rare numbers they are guessed from similar errors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed_simulator.http_messages import JSON, Reply

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class AadstsError:
    """One error: its HTTP status, OAuth error word and text."""

    number: int
    status: int
    error: str
    text: str


def _table(*rows: tuple[int, int, str, str]) -> dict[int, AadstsError]:
    return {row[0]: AadstsError(*row) for row in rows}


ERRORS = _table(
    (
        7000215,
        401,
        "invalid_client",
        (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client "
            "secret value, not the client secret ID, for a secret added to app '{client_id}'."
        ),
    ),
    (7000222, 401, "invalid_client", "The provided client secret keys for app '{client_id}' are expired."),
    (
        700016,
        400,
        "unauthorized_client",
        (
            "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can "
            "happen if the application has not been installed by the administrator of the tenant."
        ),
    ),
    (
        700027,
        401,
        "invalid_client",
        (
            "The certificate with identifier used to sign the client assertion is not registered on "
            "application. {reason}"
        ),
    ),
    (
        700024,
        401,
        "invalid_client",
        "Client assertion is not within its valid time range. Current time: {now}.",
    ),
    (500133, 401, "invalid_client", "Assertion is not within its valid time range."),
    (50012, 401, "invalid_client", "Authentication failed: the client assertion is malformed."),
    (50013, 401, "invalid_client", "Assertion failed validation: {reason}"),
    (700030, 401, "invalid_client", "The subject of the certificate is not authorized for the application."),
    (
        7000218,
        401,
        "invalid_client",
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    ),
    (700025, 401, "invalid_client", "Client is public so neither 'client_assertion' nor 'client_secret'."),
    (7000112, 400, "unauthorized_client", "Application '{client_id}' is disabled."),
    (70001, 400, "unauthorized_client", "Application '{client_id}' is not installed, or is disabled."),
    (
        650056,
        401,
        "invalid_client",
        (
            "Misconfigured application. The client has not listed any permissions for the resource in the "
            "requested permissions of its registration, or the administrator has not consented."
        ),
    ),
    (
        650057,
        401,
        "invalid_client",
        (
            "Invalid resource. The client has requested access to a resource which is not listed in the "
            "requested permissions in the client's application registration."
        ),
    ),
    (65001, 400, "invalid_grant", "Nobody has consented to use the application with ID '{client_id}'."),
    (65004, 400, "access_denied", "The consent to the application '{client_id}' was declined."),
    (
        70011,
        400,
        "invalid_scope",
        (
            "The provided request must include a 'scope' input parameter. The provided value for the input "
            "parameter 'scope' is not valid. The scope {scope} is not valid."
        ),
    ),
    (28002, 400, "invalid_scope", "The scope {scope} is not valid when requesting an access token."),
    (700022, 400, "invalid_scope", "The scope {scope} is not valid: it holds more than one resource."),
    (700023, 400, "invalid_scope", "The scope {scope} is not valid: it holds no resource."),
    (
        500011,
        400,
        "invalid_resource",
        "The resource principal named {scope} was not found in the tenant named {tenant}.",
    ),
    (70003, 400, "unsupported_grant_type", "The app requested an unsupported grant type."),
    (900144, 400, "invalid_request", "The request body must contain the parameter '{reason}'."),
    (
        90002,
        400,
        "invalid_request",
        "Tenant '{tenant}' not found. Check to make sure you have the correct ID.",
    ),
    (90038, 400, "invalid_request", "Tenant '{tenant}' belongs to another national cloud."),
    (900382, 400, "invalid_request", "Confidential Client is not supported in Cross Cloud request."),
    (900432, 400, "invalid_request", "Confidential Client is not supported in Cross Cloud request."),
    (50059, 400, "invalid_request", "No tenant-identifying information found in the request."),
    (50128, 400, "invalid_request", "Invalid domain name: no tenant-identifying information found."),
    (
        50194,
        400,
        "invalid_request",
        (
            "Application '{client_id}' is not configured as a multi-tenant application. Usage of the /common "
            "endpoint is not supported for such applications. Use a tenant-specific endpoint."
        ),
    ),
    (
        9001023,
        400,
        "invalid_request",
        "The grant type is not supported over the /common or /consumers endpoints.",
    ),
    (
        53003,
        400,
        "invalid_grant",
        (
            "Access has been blocked by Conditional Access policies. The access policy does not allow token "
            "issuance."
        ),
    ),
    (530032, 400, "invalid_grant", "The tenant's security policy blocks this request."),
    (90033, 503, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    (90006, 503, "temporarily_unavailable", "The service is temporarily unavailable."),
    (90012, 503, "temporarily_unavailable", "The request has timed out."),
    (90024, 503, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    (50033, 503, "temporarily_unavailable", "A transient error has occurred. Please try again."),
    (90055, 429, "temporarily_unavailable", "The tenant request is throttled. Please try again later."),
    (
        50196,
        400,
        "invalid_grant",
        "The server terminated an operation because it encountered a client request loop.",
    ),
)


class LoginRefusedError(Exception):
    """The login refuses; `number` is that of the AADSTS error, `reason` fills a blank in its text."""

    def __init__(self, number: int, reason: str = "") -> None:
        super().__init__(f"AADSTS{number} {reason}".rstrip())
        self.number = number
        self.reason = reason


def login_error(  # noqa: PLR0913 - the blanks of the texts
    refusal: LoginRefusedError, *, tenant: str, client_id: str, scope: str, now: datetime, trace: str
) -> Reply:
    """The answer of the login; a number that is not in the table comes as HTTP 400 `invalid_request`."""
    known = ERRORS.get(
        refusal.number, AadstsError(refusal.number, 400, "invalid_request", "{reason}The request failed.")
    )
    stamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
    text = known.text.format(
        tenant=tenant, client_id=client_id, scope=scope, now=now.isoformat(), reason=refusal.reason
    )
    description = f"AADSTS{known.number}: {text} Trace ID: {trace} Correlation ID: {trace} Timestamp: {stamp}"
    body = {
        "error": known.error,
        "error_description": description,
        "error_codes": [known.number],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": trace,
        "error_uri": f"https://localhost/error?code={known.number}",
    }
    return Reply(known.status, json.dumps(body).encode(), JSON)
