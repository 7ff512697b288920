"""What Graph's answer to a write means: done, certainly not done, or unclear. Pure.

Sources: Microsoft, "Microsoft Graph error responses and resource types"; threads of msgraph-sdk-dotnet (1201)
and microsoft-graph-docs-contrib (7934) for 412; `ErrorDuplicateTransactionId` was seen with 400 and with 409.
A status of 5xx other than 503 may come from a gateway after the write was carried out.
"""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from placed.driver import Book, NotWritten, Problem, Unclear, UnexpectedAnswer, WriteFailure, Written
from placed_microsoft365.graph.error_codes import BANDWIDTH_LIMIT_EXCEEDED
from placed_microsoft365.graph.response import decode, error_code

if TYPE_CHECKING:
    from placed.driver import Order, WriteResult
    from placed_microsoft365.booking.write_requests import WriteRequest
    from placed_microsoft365.graph.response import Answer

_DUPLICATE = "errorduplicatetransactionid"
_GRANT = (
    "the registration of actions may not change this calendar: is Calendars.ReadWrite granted to it, and is "
    "the room in its fence (placed doctor)? Either takes up to two hours to take effect"
)
_BY_STATUS: dict[int, WriteFailure] = {
    HTTPStatus.TOO_MANY_REQUESTS: WriteFailure.THROTTLED,
    BANDWIDTH_LIMIT_EXCEEDED: WriteFailure.THROTTLED,
    HTTPStatus.PRECONDITION_FAILED: WriteFailure.CHANGED,
    HTTPStatus.CONFLICT: WriteFailure.CHANGED,
}
_WITH_BODY = (HTTPStatus.OK, HTTPStatus.CREATED)


class _Changed(msgspec.Struct):
    """An event as Graph returns it after a change."""

    id: str


def result_of(order: Order, request: WriteRequest, answer: Answer) -> WriteResult:
    """Returns what became of the order."""
    code = error_code(answer.body)
    problem = Problem("", f"{answer.status} {code}".rstrip(), retry_after=answer.retry_after, joint=": ")
    if answer.status == request.done and _is_whole(answer):
        return Written()
    failure = _failure(answer, code, books=isinstance(order, Book))
    if failure is None:
        return Unclear(problem)
    if failure is WriteFailure.FORBIDDEN and answer.status != HTTPStatus.BAD_REQUEST:
        problem = replace(problem, remedy=_GRANT)
    return NotWritten(failure, problem)


def _is_whole(answer: Answer) -> bool:
    """Returns whether a success has the body that Graph sends with it: a gateway answers 200, too."""
    if answer.status not in _WITH_BODY:
        return True
    try:
        return bool(decode(answer.body, _Changed).id)
    except UnexpectedAnswer:
        return False


def _failure(answer: Answer, code: str, *, books: bool) -> WriteFailure | None:
    """Returns why it was certainly not written; None if it is unclear."""
    status = answer.status
    if code.lower() == _DUPLICATE:
        return WriteFailure.DUPLICATE
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        if answer.retry_after is not None:
            return WriteFailure.THROTTLED
        return WriteFailure.UNAVAILABLE if code else None
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return WriteFailure.UNAVAILABLE if books else WriteFailure.GONE
    refused = 400 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT  # noqa: PLR2004 - the client's errors
    return _BY_STATUS.get(status, WriteFailure.FORBIDDEN if refused else None)
