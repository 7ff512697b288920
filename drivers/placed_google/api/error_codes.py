"""Maps the errors of Google's APIs to a reason, a remedy, and whether they last.

Source: Google, "Handle API errors", "Manage quotas" and the discovery documents; issue threads of Google's
client libraries for what is in none of these. The reason is more precise than the status; texts may change
and are not compared. `accessNotConfigured` has the same domain as the quotas, so the domain is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus

from placed.domain.model import Reason

SHARE = (
    'share the room\'s calendar with {account} as "{access}", and check the address: Google '
    "answers the same for a calendar that does not exist"
)
_QUOTA = "raise polling.interval, or read some of the rooms by a second service account"
_OURS = "Google rejects this request: update placed, or report this"
_DIRECTORY = (
    "give the service account {account} an admin role that may read buildings and resources, set "
    "customer to the organisation's id, such as C01abc234 (Admin console, Account settings), or list the "
    "calendars in rooms"
)
_SCOPE = "have the administrator grant the scope {scope} to the service account's client id, letter by letter"
_ENABLE = (
    "enable the API in the service account's project: "
    "https://console.cloud.google.com/apis/library/{api}?project={project}"
)


class Rest(Enum):
    """How long to rest if the service does not ask for a time, and seconds do not help."""

    MINUTES = "minutes"
    UNTIL_MIDNIGHT = "until midnight"  # at Google's, when daily quotas begin again


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One row of a table.

    Attributes:
        statuses: to which it applies.
        reasons: of the error's body; empty for any other.
        reason: why a room cannot be read.
        advice: what to do; `{account}`, `{project}`, `{api}`, `{scope}` and `{access}` are replaced.
        lasts: whether trying again is useless until a person has changed something.
        rest: how long to rest if the service does not ask for a time; None if that is decided elsewhere.
        everywhere: whether it concerns the connection, even if it is one room's answer.
    """

    statuses: frozenset[int]
    reasons: frozenset[str]
    reason: Reason
    advice: str = ""
    lasts: bool = False
    rest: Rest | None = None
    everywhere: bool = False


def _row(  # noqa: PLR0913 - the columns of the table
    statuses: tuple[int, ...],
    reasons: tuple[str, ...],
    reason: Reason,
    advice: str = "",
    *,
    lasts: bool = False,
    rest: Rest | None = None,
    everywhere: bool = False,
) -> ErrorRow:
    return ErrorRow(frozenset(statuses), frozenset(reasons), reason, advice, lasts, rest, everywhere)


_FORBIDDEN = (int(HTTPStatus.FORBIDDEN),)
_BUSY = (int(HTTPStatus.FORBIDDEN), int(HTTPStatus.TOO_MANY_REQUESTS))

_ANY_API = (
    _row(
        _FORBIDDEN,
        ("accessNotConfigured", "SERVICE_DISABLED"),
        Reason.FORBIDDEN,
        _ENABLE,
        lasts=True,
        everywhere=True,
    ),
    _row(
        _FORBIDDEN,
        ("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"),
        Reason.FORBIDDEN,
        _SCOPE,
        lasts=True,
        everywhere=True,
    ),
    _row(
        _BUSY, ("rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"), Reason.THROTTLED, _QUOTA
    ),
    _row(_BUSY, ("quotaExceeded",), Reason.THROTTLED, _QUOTA, rest=Rest.MINUTES),
    _row(
        _BUSY,
        ("dailyLimitExceeded", "dailyLimitExceededUnreg"),
        Reason.THROTTLED,
        "raise the daily limit of the project in Google Cloud",
        rest=Rest.UNTIL_MIDNIGHT,
        everywhere=True,
    ),
    _row((HTTPStatus.TOO_MANY_REQUESTS,), (), Reason.THROTTLED, _QUOTA),
    # With a valid token: a fault of the service.
    _row((HTTPStatus.UNAUTHORIZED,), (), Reason.FORBIDDEN, SHARE),
    _row((HTTPStatus.REQUEST_TIMEOUT,), (), Reason.UNAVAILABLE),
)
CALENDAR_ERRORS = (
    *_ANY_API,
    _row(_FORBIDDEN, ("requiredAccessLevel",), Reason.FORBIDDEN, SHARE, lasts=True),
    _row(_FORBIDDEN, (), Reason.FORBIDDEN, SHARE),
    _row((HTTPStatus.NOT_FOUND,), (), Reason.NOT_FOUND, SHARE),
    # Of what is never asked for: by a sync token, or by when events were updated.
    _row(
        (HTTPStatus.GONE,), ("fullSyncRequired", "updatedMinTooLongAgo"), Reason.MALFORMED, _OURS, lasts=True
    ),
    _row(
        (HTTPStatus.GONE,),
        (),
        Reason.NOT_FOUND,
        "the calendar is deleted: take the room out of the settings",
        lasts=True,
    ),
    _row((HTTPStatus.BAD_REQUEST,), (), Reason.MALFORMED, _OURS, lasts=True),
)
DIRECTORY_ERRORS = (
    *_ANY_API,
    _row((HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND), (), Reason.FORBIDDEN, _DIRECTORY),
    _row(
        (HTTPStatus.BAD_REQUEST,),
        (),
        Reason.FORBIDDEN,
        "check customer and room_query in the settings",
        lasts=True,
    ),
)
_OTHER = _row((), (), Reason.MALFORMED, _OURS)
_FAULT = _row((), (), Reason.UNAVAILABLE)


def row_for(table: tuple[ErrorRow, ...], status: int, reason: str) -> ErrorRow:
    """Returns the row of a status and a reason; a row for any reason fits one that is not known.

    Google sends no redirects, so that one comes from something between, and passes.
    """
    for row in table:
        if status in row.statuses and (not row.reasons or reason in row.reasons):
            return row
    between = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST
    return _FAULT if between or status >= HTTPStatus.INTERNAL_SERVER_ERROR else _OTHER
