"""What an answer of Graph means: the one place where a status becomes a reason or an error."""

from __future__ import annotations

import email.utils
import re
from dataclasses import dataclass, field
from datetime import UTC
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec

from placed.driver import DriverError, NotPermitted, Unavailable
from placed.model import Reason
from placed_microsoft365.wire import GraphErrorBody

if TYPE_CHECKING:
    from datetime import datetime

LONGEST_REST = 3600.0  # seconds; a Retry-After beyond that is not believed
BANDWIDTH_LIMIT_EXCEEDED = 509
BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_Shape = TypeVar("_Shape")
_error_decoder = msgspec.json.Decoder(GraphErrorBody)
# A code goes into logs and onto pages, so nothing passes for one that might be a person's address.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of Graph, as it came, and the token that it was asked with."""

    status: int
    retry_after: float | None
    body: bytes = field(repr=False)
    token: str = field(repr=False)


class UnexpectedAnswer(DriverError):
    """Graph answered with something that is not what was asked for."""

    reason = Reason.MALFORMED


class Throttled(Unavailable):
    """Graph asks for patience."""

    reason = Reason.THROTTLED


def parse_retry_after(value: object, now: datetime) -> float | None:
    """Seconds that a Retry-After header means; Graph sends fractions too, and it may be a date."""
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
    """The body as the shape.

    Raises:
        UnexpectedAnswer: it is something else.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except BAD_JSON as error:
        raise UnexpectedAnswer(f"the answer is no {shape.__name__}") from error


_REASONS: dict[int, Reason] = {
    HTTPStatus.UNAUTHORIZED: Reason.FORBIDDEN,  # with a token that is good: no permission on mailboxes at all
    HTTPStatus.FORBIDDEN: Reason.FORBIDDEN,
    HTTPStatus.NOT_FOUND: Reason.NOT_FOUND,
    HTTPStatus.GONE: Reason.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT: Reason.UNAVAILABLE,
    HTTPStatus.FAILED_DEPENDENCY: Reason.UNAVAILABLE,
    HTTPStatus.TOO_MANY_REQUESTS: Reason.THROTTLED,
    BANDWIDTH_LIMIT_EXCEEDED: Reason.THROTTLED,
}


def error_code(body: bytes | msgspec.Raw) -> str:
    """Graph's own error code, or "" where the body has none."""
    try:
        found = _error_decoder.decode(body)
    except BAD_JSON:
        return ""
    code = (found.error and found.error.code) or ""
    return code if _CODE.fullmatch(code) else ""


def reason_of(status: int) -> Reason:
    """Why a room's calendar was not to be had, by the item's status."""
    beyond = Reason.UNAVAILABLE if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Reason.MALFORMED
    return _REASONS.get(status, beyond)


def error_of(answer: Answer) -> DriverError:
    """The error that an answer to a whole request means."""
    told = f"Graph answered {answer.status} {error_code(answer.body)}".rstrip()
    match reason_of(answer.status):
        case Reason.FORBIDDEN:
            remedy = "the application lacks a permission; has the administrator consented?"
            return NotPermitted(told, remedy=remedy)
        case Reason.NOT_FOUND:
            return NotPermitted(told, remedy="check the address in the settings, or make what it names")
        case Reason.THROTTLED:
            return Throttled(told, retry_after=answer.retry_after)
        case Reason.UNAVAILABLE:
            return Unavailable(told, retry_after=answer.retry_after)
        case _:
            return UnexpectedAnswer(told)
