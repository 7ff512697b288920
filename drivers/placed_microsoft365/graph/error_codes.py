"""Maps Graph's errors to a reason, a remedy, and whether they last.

Source: Microsoft, "Microsoft Graph error responses and resource types" and "JSON batching"; threads of
microsoft-graph-docs for what is on neither page. Codes differ in case between services and are more precise
than the status; texts may change and are not compared.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

import msgspec

from placed.domain.model import Reason
from placed.driver import Problem

BANDWIDTH_LIMIT_EXCEEDED = 509


class ErrorMeaning(msgspec.Struct, frozen=True):
    """Why something could not be read. The problem's remedy is empty if the error is temporary."""

    reason: Reason
    problem: Problem


_FENCE = (
    "the application may not read this mailbox: is it in the fence's group, and has the administrator "
    "consented (placed consent)? Either takes up to two hours to take effect"
)
_ADDRESS = "check the address in the settings, or create what it names"
_OURS = "Graph rejects this request: update placed, or report this"
NO_DIRECTORY = (
    "the administrator has not consented to finding the rooms, GroupMember.Read.All for room_group or "
    "Place.Read.All for room_list: run placed consent, or list the rooms"
)
_CLOUD = "the mailbox is not in the cloud, or no longer: move it there, or remove the room from the settings"


def _means(reason: Reason, remedy: str = "", *, lasting: bool = False) -> ErrorMeaning:
    return ErrorMeaning(reason, Problem("", "", remedy, lasting))


_BY_STATUS: dict[int, ErrorMeaning] = {
    HTTPStatus.BAD_REQUEST: _means(Reason.MALFORMED, _OURS, lasting=True),
    # With a valid token: no permission on mailboxes at all, or a fault of the service.
    HTTPStatus.UNAUTHORIZED: _means(Reason.FORBIDDEN, _FENCE),
    HTTPStatus.FORBIDDEN: _means(Reason.FORBIDDEN, _FENCE),
    HTTPStatus.NOT_FOUND: _means(Reason.NOT_FOUND, _ADDRESS),
    HTTPStatus.METHOD_NOT_ALLOWED: _means(Reason.MALFORMED, _OURS, lasting=True),
    HTTPStatus.REQUEST_TIMEOUT: _means(Reason.UNAVAILABLE),
    HTTPStatus.GONE: _means(Reason.NOT_FOUND, _ADDRESS),
    HTTPStatus.FAILED_DEPENDENCY: _means(Reason.UNAVAILABLE),
    HTTPStatus.TOO_MANY_REQUESTS: _means(Reason.THROTTLED),
    BANDWIDTH_LIMIT_EXCEEDED: _means(Reason.THROTTLED),
}
_BY_CODE: dict[tuple[int, str], ErrorMeaning] = {
    (HTTPStatus.BAD_REQUEST, "errortimeintervaltoobig"): _means(
        Reason.MALFORMED,
        "the polling window is longer than Graph allows: lower polling.days_ahead",
        lasting=True,
    ),
    (HTTPStatus.BAD_REQUEST, "timezonenotsupportedexception"): _means(
        Reason.MALFORMED, "Graph does not know the time zone: check time_zone", lasting=True
    ),
    (HTTPStatus.FORBIDDEN, "authorization_requestdenied"): _means(
        Reason.FORBIDDEN, NO_DIRECTORY, lasting=True
    ),
    (HTTPStatus.FORBIDDEN, "accessdenied"): _means(Reason.FORBIDDEN, _FENCE, lasting=True),
    (HTTPStatus.FORBIDDEN, "extensionerror"): _means(
        Reason.FORBIDDEN,
        "the mailbox is on premises, or outside the fence: move it, or add it to the fence's group",
        lasting=True,
    ),
    (HTTPStatus.FORBIDDEN, "insufficient_claims"): _means(
        Reason.FORBIDDEN,
        "Conditional Access blocks the application: have the administrator except this server",
        lasting=True,
    ),
    (HTTPStatus.NOT_FOUND, "errorinvaliduser"): _means(
        Reason.NOT_FOUND,
        "the address is no mailbox's user name: check it for typing errors; of a mailbox with several "
        "addresses, give the user principal name",
        lasting=True,
    ),
    (HTTPStatus.NOT_FOUND, "mailboxnotenabledforrestapi"): _means(Reason.NOT_FOUND, _CLOUD, lasting=True),
    (HTTPStatus.NOT_FOUND, "resourcenotfound"): _means(Reason.NOT_FOUND, _ADDRESS, lasting=True),
    (HTTPStatus.NOT_FOUND, "request_resourcenotfound"): _means(Reason.NOT_FOUND, _ADDRESS, lasting=True),
    (HTTPStatus.SERVICE_UNAVAILABLE, "mailboxinfostale"): _means(
        Reason.UNAVAILABLE,
        "the service looks for the mailbox in the wrong place: if this stays, use room_group, by which rooms "
        "are asked for by their object ids",
    ),
}


def error_meaning(status: int, code: str = "") -> ErrorMeaning:
    """Returns the meaning of a status and code; an unknown code means what its status means."""
    known = _BY_CODE.get((status, code.lower())) or _BY_STATUS.get(status)
    between = HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST  # Graph sends no redirects
    if known is None and (between or status >= HTTPStatus.INTERNAL_SERVER_ERROR):
        known = _means(Reason.UNAVAILABLE)
    if known is None:
        known = _means(Reason.MALFORMED, _OURS if status >= HTTPStatus.BAD_REQUEST else "")
    return ErrorMeaning(known.reason, replace(known.problem, text=f"{status} {code}".rstrip()))


def reason_of(status: int) -> Reason:
    """Returns why a room's calendar could not be read, by the item's status."""
    return error_meaning(status).reason
