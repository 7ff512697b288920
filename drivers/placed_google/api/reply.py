"""Replies of Google's APIs, and the errors for them; `error_codes` has what a code means."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from placed.domain.model import Reason
from placed.driver import DriverError, NotPermitted, Problem, Throttled, Unavailable, UnexpectedAnswer
from placed.driver.network.retry_after import LONGEST_REST
from placed_google.api.error_codes import Rest, row_for
from placed_google.api.json_structs import ApiErrorBody, CalendarPage

if TYPE_CHECKING:
    from placed_google.api.error_codes import ErrorRow

OK = int(HTTPStatus.OK)  # a plain number: it is compared for each room
BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_Shape = TypeVar("_Shape")
_error_decoder = msgspec.json.Decoder(ApiErrorBody)
# A code is logged and shown on pages, so nothing may pass that could be a person's address.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}", re.ASCII)
_GOOGLE_S_DAY = ZoneInfo("America/Los_Angeles")
_REST_OF_MINUTES = 180.0  # seconds, where seconds do not help and Google names no time


class Reply(msgspec.Struct, frozen=True, gc=False):
    """A reply to a request, or to one part of a batch.

    Attributes:
        rest: the seconds of Retry-After.
        body: of a part, its place in the body of the batch.
        content_type: the header of that name; empty for a part.
        token: of the request.
    """

    status: int
    rest: float | None
    body: bytes | memoryview
    content_type: str = ""
    token: str = ""

    def __repr__(self) -> str:
        """Shows neither the token nor the body, which may have names in it."""
        return f"Reply(status={self.status}, rest={self.rest})"


@dataclass(frozen=True, slots=True)
class Advice:
    """What remedies name.

    Attributes:
        account: the service account's address.
        project: its project in Google Cloud.
        api: the API's name there.
        scope: the scope of the request.
        access: how a calendar has to be shared, in the words of Google Calendar.
    """

    account: str
    project: str
    api: str
    scope: str
    access: str = "See all event details"


@dataclass(frozen=True, slots=True)
class ErrorMeaning:
    """What an error means for a room, or for the connection."""

    row: ErrorRow
    problem: Problem

    @property
    def error(self) -> DriverError:
        """The error of the connection."""
        text, remedy, lasts = (
            f"Google answered {self.problem.text}",
            self.problem.remedy,
            self.problem.lasting,
        )
        match self.row.reason:
            case Reason.FORBIDDEN | Reason.NOT_FOUND:
                return NotPermitted(text, remedy=remedy, lasting=lasts)
            case Reason.THROTTLED:
                return Throttled(text, remedy=remedy, lasting=lasts, retry_after=self.problem.retry_after)
            case Reason.UNAVAILABLE:
                return Unavailable(text, remedy=remedy, lasting=lasts, retry_after=self.problem.retry_after)
            case _:
                return UnexpectedAnswer(text, remedy=remedy, lasting=lasts)


def decode(body: bytes | memoryview | msgspec.Raw, shape: type[_Shape]) -> _Shape:
    """Decodes the body. A page of a calendar has at least one of its fields: without events a room is free.

    Raises:
        UnexpectedAnswer: it has another shape.
    """
    is_page = issubclass(shape, CalendarPage)
    name = "page of a calendar" if is_page else shape.__name__
    try:
        found = msgspec.json.decode(body, type=shape)
    except BAD_JSON as error:
        raise UnexpectedAnswer(f"the answer is no {name}") from error
    if is_page and found == shape() and b'"items"' not in bytes(body):
        raise UnexpectedAnswer(f"the answer is no {name}")
    return found


def error_reason(body: bytes | memoryview) -> str:
    """Returns the reason of an error; "" if the body has none."""
    try:
        error = _error_decoder.decode(body).error
    except BAD_JSON:
        return ""
    if error is None:
        return ""
    codes = [*(e.reason for e in error.errors), *(d.reason for d in error.details), error.status]
    return next((code for code in codes if code and _CODE.fullmatch(code)), "")


def meaning_of(reply: Reply, table: tuple[ErrorRow, ...], advice: Advice, now: datetime) -> ErrorMeaning:
    """Returns the meaning of a reply other than 200.

    Args:
        reply: the reply.
        table: `CALENDAR_ERRORS` or `DIRECTORY_ERRORS`.
        advice: what its remedies name.
        now: the time, for quotas of a day.
    """
    reason = error_reason(reply.body)
    row = row_for(table, reply.status, reason)
    remedy = row.advice.format(
        account=advice.account,
        project=advice.project,
        api=advice.api,
        scope=advice.scope,
        access=advice.access,
    )
    rest = reply.rest
    if rest is None and row.rest is not None:
        rest = until_midnight(now) if row.rest is Rest.UNTIL_MIDNIGHT else _REST_OF_MINUTES
    text = f"{reply.status} {reason}".rstrip()
    return ErrorMeaning(row, Problem("", text, remedy, row.lasts, rest))


def until_midnight(now: datetime) -> float:
    """Returns the seconds until daily quotas begin again; at most an hour, since they may be raised."""
    there = now.astimezone(_GOOGLE_S_DAY)
    midnight = datetime.combine(there.date() + timedelta(days=1), time(), _GOOGLE_S_DAY)
    return min(midnight.timestamp() - now.timestamp(), LONGEST_REST)


def is_ok(reply: Reply) -> bool:
    """Returns whether the reply has what was asked for."""
    return reply.status == OK
