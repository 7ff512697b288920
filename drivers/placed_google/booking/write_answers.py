"""What Google's answer to a write means: done, certainly not done, or unclear. Pure.

Source: Google, "Handle API errors" (403 `forbiddenForNonOrganizer`, 409 `duplicate`, 410 `deleted`, 412
`conditionNotMet`) and "Manage quotas" (403 and 429). Of a status of 5xx Google documents only that something
went wrong while the request was processed, and that of 500 and 503 alone: it may come after the write was
carried out. Two exclude that by their definition (RFC 9110, 15.6): the server supports neither the method
nor the version of HTTP, and so it has not processed the request.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from placed.domain.model import Reason
from placed.driver import Book, NotWritten, Unclear, UnexpectedAnswer, WriteFailure, Written
from placed_google.api.reply import decode, error_reason

if TYPE_CHECKING:
    from placed.driver import Order, WriteResult
    from placed_google.api.reply import ErrorMeaning, Reply
    from placed_google.booking.write_requests import WriteRequest

_NOT_PROCESSED = frozenset({HTTPStatus.NOT_IMPLEMENTED, HTTPStatus.HTTP_VERSION_NOT_SUPPORTED})
_NOT_THE_ORGANIZER = frozenset({"forbiddenForNonOrganizer", "eventOrganizerRequired"})
_DECLINE = (
    "Google lets only the organizer change a meeting's end: set actions.end to decline, then the room "
    "declines it and the organizer is notified"
)


class _Changed(msgspec.Struct):
    """An event as Google returns it after a change."""

    id: str


def result_of(order: Order, request: WriteRequest, reply: Reply, meaning: ErrorMeaning) -> WriteResult:
    """Returns what became of the order.

    Args:
        order: the order.
        request: that was sent for it.
        reply: to the request.
        meaning: of the reply, if it is an error.
    """
    problem, reference = replace(meaning.problem, joint=": "), request.reference
    if reply.status == request.done and _is_whole(reply):
        return Written(reference)
    failure = _failure(reply, meaning, books=isinstance(order, Book))
    if failure is None:
        return Unclear(problem, reference)
    if error_reason(reply.body) in _NOT_THE_ORGANIZER:
        problem = replace(problem, remedy=_DECLINE)
    return NotWritten(failure, problem, reference)


def _is_whole(reply: Reply) -> bool:
    """Returns whether a success has the body that Google sends with it: a gateway answers 200, too."""
    if reply.status == HTTPStatus.NO_CONTENT:
        return True
    try:
        return bool(decode(reply.body, _Changed).id)
    except UnexpectedAnswer:
        return False


def _failure(reply: Reply, meaning: ErrorMeaning, *, books: bool) -> WriteFailure | None:
    """Returns why it was certainly not written; None if it is unclear."""
    status = reply.status
    if not 400 <= status < 500 or status == HTTPStatus.REQUEST_TIMEOUT:  # noqa: PLR2004 - the client's errors
        return WriteFailure.UNAVAILABLE if status in _NOT_PROCESSED else None
    if meaning.row.reason is Reason.THROTTLED:
        return WriteFailure.THROTTLED
    match status:
        case HTTPStatus.CONFLICT:
            return WriteFailure.DUPLICATE if books else WriteFailure.CHANGED
        case HTTPStatus.PRECONDITION_FAILED:
            return WriteFailure.CHANGED
        # A new booking: the calendar is not shared, which Google answers as if there were none.
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE if not books:
            return WriteFailure.GONE
        case _:
            return WriteFailure.FORBIDDEN
