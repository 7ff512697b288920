"""Responses of Graph and the errors for them; `error_codes` has the meaning of status and code."""

from __future__ import annotations

import email.utils
import re
from dataclasses import dataclass, field
from datetime import UTC
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec

from placed.domain.model import Reason
from placed.driver import Consent, DriverError, NotPermitted, Unavailable
from placed_microsoft365.graph.error_codes import NO_DIRECTORY, error_meaning
from placed_microsoft365.graph.json_structs import GraphErrorBody

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_REST = 3600.0  # seconds; a longer Retry-After is cut to this
BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_Shape = TypeVar("_Shape")
_error_decoder = msgspec.json.Decoder(GraphErrorBody)
# A code is logged and shown on pages, so nothing may pass that could be a person's address.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of Graph, and the token of its request."""

    status: int
    retry_after: float | None
    body: bytes = field(repr=False)
    token: str = field(repr=False)


class UnexpectedAnswer(DriverError):
    """The response of Graph is not what was requested."""

    reason = Reason.MALFORMED


class Throttled(Unavailable):
    """Graph throttles the client."""

    reason = Reason.THROTTLED


def parse_retry_after(value: object, now: datetime) -> float | None:
    """Returns the seconds of a Retry-After header; Graph also sends fractions, and it may be a date."""
    if value is None:
        return None
    text = str(value)
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(text)
            seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
        except (ValueError, OverflowError):
            return None
    if seconds != seconds:  # noqa: PLR0124 - NaN
        return None
    return min(max(seconds, 0.0), LONGEST_REST)


def decode(body: bytes | msgspec.Raw, shape: type[_Shape]) -> _Shape:
    """Decodes the body.

    Raises:
        UnexpectedAnswer: it has another shape.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except BAD_JSON as error:
        raise UnexpectedAnswer(f"the answer is no {shape.__name__}") from error


def error_code(body: bytes | msgspec.Raw) -> str:
    """Returns Graph's error code, or "" if the body has none."""
    try:
        found = _error_decoder.decode(body)
    except BAD_JSON:
        return ""
    code = (found.error and found.error.code) or ""
    return code if _CODE.fullmatch(code) else ""


def error_of(answer: Answer) -> DriverError:
    """Returns the error for a response to a whole request."""
    code = error_code(answer.body)
    meaning = error_meaning(answer.status, code)
    message = f"Graph answered {meaning.problem.text}"
    remedy, lasting = meaning.problem.remedy, meaning.problem.lasting
    match meaning.reason:
        case Reason.FORBIDDEN | Reason.NOT_FOUND:
            return NotPermitted(message, remedy=remedy, lasting=lasting)
        case Reason.THROTTLED:
            return Throttled(message, retry_after=answer.retry_after, remedy=remedy, lasting=lasting)
        case Reason.UNAVAILABLE:
            return Unavailable(message, retry_after=answer.retry_after, remedy=remedy, lasting=lasting)
        case _:
            return UnexpectedAnswer(message, remedy=remedy, lasting=lasting)


def directory_error(answer: Answer) -> DriverError:
    """Returns the error for a response of the directory or of Places.

    Without the permission the directory answers 403 Authorization_RequestDenied; Places has been seen to
    answer 401 or 403 UnknownError (microsoft-graph-docs issue 5640).
    """
    error = error_of(answer)
    if answer.status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return error
    return NotPermitted(str(error), remedy=NO_DIRECTORY, lasting=True, consent=Consent.MISSING)
