"""Errors of the token hosts: what each means, and what to do about it.

Source: RFC 6749, section 5.2, and the errors that Google's own libraries document. `invalid_grant` has
several causes, which only its description distinguishes; one that is not known has the common remedy.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from placed.driver import SET_CLOCK, DriverError, NotPermitted, Refused, Unavailable

DELEGATION_PAGE = "Security > Access and data control > API controls > Domain-wide delegation"
OUT_OF_TIME = "short-lived token"  # in the description of an assertion outside of its time range
_NEW_KEY = "make a new key for the service account, and put it into key_file"
_APP_ACCESS = (
    "have the administrator trust the service account's client id at Security > Access and data control > "
    "API controls > App access control"
)


@dataclass(frozen=True, slots=True)
class TokenErrorRow:
    """One row of the table.

    Attributes:
        error: the error's word.
        described: a part of its description, in lower case; empty for any.
        kind: the error that is raised.
        lasts: whether trying again is useless until a person has changed something.
        advice: what to do; `{client_id}` and `{scope}` are replaced.
    """

    error: str
    described: str
    kind: type[DriverError]
    lasts: bool
    advice: str


TOKEN_ERRORS = (
    TokenErrorRow(
        "unauthorized_client",
        "",
        NotPermitted,
        lasts=False,
        advice="have the administrator add client id {client_id} with the scope {scope}, letter by letter, "
        f"at {DELEGATION_PAGE}, which can take a day; or remove subject",
    ),
    TokenErrorRow("invalid_grant", "invalid jwt signature", Refused, lasts=True, advice=_NEW_KEY),
    TokenErrorRow("invalid_grant", OUT_OF_TIME, Refused, lasts=True, advice=SET_CLOCK),
    TokenErrorRow(
        "invalid_grant",
        "account not found",
        Refused,
        lasts=True,
        advice="the service account is deleted or disabled: enable it, or create another with a new key",
    ),
    TokenErrorRow(
        "invalid_grant",
        "invalid email or user id",
        Refused,
        lasts=True,
        advice="check subject for typing errors: it has to be a user who is not suspended",
    ),
    TokenErrorRow(
        "invalid_grant",
        "",
        Refused,
        lasts=True,
        advice="check that the service account and its key exist, and this machine's clock",
    ),
    TokenErrorRow(
        "invalid_scope",
        "",
        Refused,
        lasts=True,
        advice="update placed: it asks for an unknown scope",
    ),
    TokenErrorRow("invalid_client", "", Refused, lasts=True, advice=_NEW_KEY),
    *(
        TokenErrorRow(error, "", NotPermitted, lasts=True, advice=_APP_ACCESS)
        for error in ("disabled_client", "deleted_client", "org_internal", "admin_policy_enforced")
    ),
)


class TokenError(msgspec.Struct):
    """The body of an error: {"error":"invalid_grant","error_description":"Invalid JWT Signature."}."""

    error: str = ""
    error_description: str = ""


def described_error(body: bytes) -> TokenError:
    """Returns the body of an error; an empty one if it is none."""
    try:
        return msgspec.json.decode(body, type=TokenError)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return TokenError()


def row_of(found: TokenError) -> TokenErrorRow | None:
    """Returns the first row that fits; None if there is none."""
    description = found.error_description.lower()
    return next((r for r in TOKEN_ERRORS if r.error == found.error and r.described in description), None)


def token_error(
    status: int, body: bytes, retry_after: float | None, *, client_id: str = "", scope: str = ""
) -> DriverError:
    """Returns the error for an answer other than a token.

    The description is not repeated, since it may name people.
    """
    row = row_of(described_error(body))
    if row is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return Unavailable(f"sign-in failed: status {status}", retry_after=retry_after)
    what = f"{row.error} ({row.described})" if row.described else row.error
    advice = row.advice.format(client_id=client_id or "of the service account", scope=scope)
    error = row.kind(f"sign-in refused: {what}", remedy=advice, lasting=row.lasts)
    error.certain = True  # a token host that names the reason is not doubted
    return error
