"""What the statuses of a CalDAV server mean, for the connection and for one room."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from placed.domain.model import Reason
from placed.driver import (
    DriverError,
    Failed,
    NotPermitted,
    Problem,
    Refused,
    Throttled,
    Unavailable,
    UnexpectedAnswer,
)
from placed.driver.network.redirect_errors import is_redirect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.driver import Query

ASK_AGAIN_AFTER = 300.0  # seconds; servers lock an account after some wrong passwords
GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
DENIED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
SHARE = "share the calendar with the account of this connection, for reading"
_CORRECT_URL = (
    "set url to the address of the calendar home, as the server's documentation names it for CalDAV"
)
_APP_PASSWORD = "correct username and password_file; an account with two-factor sign-in needs an app password"  # noqa: S105
_BASIC = "have the server offer Basic authentication (over TLS) to this account"
_CUT = "the server cuts long answers, raise its limit of results"
_SERVER_ERRORS = 500
_Row = tuple[type[DriverError], str, str]  # the error, its text and its remedy
_NO_CALDAV: _Row = (UnexpectedAnswer, "no CalDAV is served at this address", _CORRECT_URL)
_NOTHING: _Row = (NotPermitted, "there is nothing at the address of the calendars", _CORRECT_URL)
_PAGE = "the answer is a page and no calendar, perhaps of a sign-in or of a proxy"
_REFUSED = "the server refuses this account the list of calendars"
GATEWAY = (
    "have the proxy or gateway of this network let requests to it pass; a captive portal wants a sign-in"
)
_REDIRECT: _Row = (Unavailable, "a request to the calendar server is answered with a redirect", GATEWAY)
_SERVER: _Row = (Unavailable, "the calendar server has an error", "")
_OTHER: _Row = (UnexpectedAnswer, "the calendar server answers with an unexpected status", _CORRECT_URL)
# The statuses of a home or a principal.
_STATUSES: dict[int, _Row] = {
    HTTPStatus.OK: (UnexpectedAnswer, _PAGE, _CORRECT_URL),
    HTTPStatus.BAD_REQUEST: _NO_CALDAV,
    HTTPStatus.FORBIDDEN: (NotPermitted, _REFUSED, f"{SHARE}, or correct url"),
    HTTPStatus.NOT_FOUND: _NOTHING,
    HTTPStatus.METHOD_NOT_ALLOWED: _NO_CALDAV,
    HTTPStatus.GONE: _NOTHING,
    HTTPStatus.TOO_MANY_REQUESTS: (Throttled, "the calendar server throttles", ""),
    HTTPStatus.NOT_IMPLEMENTED: _NO_CALDAV,
    HTTPStatus.INSUFFICIENT_STORAGE: (UnexpectedAnswer, "the list of calendars is cut", _CUT),
}


class Meaning(NamedTuple):
    """The meaning of an answer for one room."""

    reason: Reason
    problem: Problem


def connection_error(status: int, headers: Mapping[str, str], retry_after: float | None) -> DriverError:
    """Returns the error of a connection whose home or principal answers with a status other than 207."""
    if status == HTTPStatus.UNAUTHORIZED:
        return refused_sign_in(headers)
    rest_of = _REDIRECT if is_redirect(status) else _SERVER if status >= _SERVER_ERRORS else _OTHER
    kind, text, remedy = _STATUSES.get(status, rest_of)
    rest = retry_after if issubclass(kind, Unavailable) else None
    return kind(f"{text} ({status})", remedy=remedy, retry_after=rest)


def refused_sign_in(headers: Mapping[str, str]) -> Refused:
    """Returns the error for 401."""
    offered = headers.get("WWW-Authenticate", "")
    if offered and "basic" not in offered.lower():
        kind = offered.split(maxsplit=1)[0]
        kind = kind if kind.isalnum() and len(kind) < 20 else "another kind of"  # noqa: PLR2004 - such as Negotiate
        text = f"the calendar server offers {kind} authentication only (401)"
        return Refused(text, remedy=_BASIC, retry_after=ASK_AGAIN_AFTER)
    text = "the calendar server refuses the user or the password (401)"
    return Refused(text, remedy=_APP_PASSWORD, retry_after=ASK_AGAIN_AFTER)


def meaning_for_room(status: int) -> Meaning:
    """Returns what a status other than 207 means for the calendar that was asked."""
    if status in DENIED:
        return _meaning(Reason.FORBIDDEN, f"the calendar may not be read ({status})", SHARE)
    if status in GONE:
        text = f"the calendar is not found ({status})"
        return _meaning(Reason.NOT_FOUND, text, f"{SHARE}, or create it again")
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return _meaning(Reason.THROTTLED, "the calendar server throttles (429)")
    if status == HTTPStatus.INSUFFICIENT_STORAGE:
        return CUT
    passes = _REDIRECT if is_redirect(status) else _SERVER if status >= _SERVER_ERRORS else None
    if passes is not None and status != HTTPStatus.NOT_IMPLEMENTED:
        return _meaning(Reason.UNAVAILABLE, f"{passes[1]} ({status})", passes[2])
    return malformed(f"the calendar is answered with the status {status}")


def malformed(text: str, remedy: str = "") -> Meaning:
    """Returns the meaning of an answer that is not understood."""
    return _meaning(Reason.MALFORMED, text, remedy)


def failed(query: Query, meaning: Meaning, retry_after: float | None = None) -> Failed:
    """Returns the failure of a room."""
    return Failed(query, meaning.reason, replace(meaning.problem, retry_after=retry_after))


def _meaning(reason: Reason, text: str, remedy: str = "") -> Meaning:
    return Meaning(reason, Problem("", text, remedy))


CUT = malformed("the calendar comes cut: it has more than the server answers", _CUT)
