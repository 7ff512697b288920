"""Responses of Graph, the items of a batch, and the errors for them; `error_codes` has what a code means."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

import msgspec

from placed.domain.model import Reason
from placed.driver import Consent, DriverError, NotPermitted, Throttled, Unavailable, UnexpectedAnswer
from placed_microsoft365.graph.error_codes import NO_DIRECTORY, error_meaning
from placed_microsoft365.graph.json_structs import BatchAnswer, BatchItem, GraphErrorBody, RawBatchAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator

BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_Shape = TypeVar("_Shape")
_error_decoder = msgspec.json.Decoder(GraphErrorBody)
_batch_decoder = msgspec.json.Decoder(BatchAnswer)
_item_decoder = msgspec.json.Decoder(BatchItem)
_TOKEN_REFUSED = "invalidauthenticationtoken"  # noqa: S105 - an error code
# A code is logged and shown on pages, so nothing may pass that could be a person's address.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,79}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of Graph, and the token of its request."""

    status: int
    retry_after: float | None
    body: bytes = field(repr=False)
    token: str = field(repr=False)


def decode(body: bytes | msgspec.Raw, shape: type[_Shape]) -> _Shape:
    """Decodes the body.

    Raises:
        UnexpectedAnswer: it has another shape.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except BAD_JSON as error:
        raise UnexpectedAnswer(f"the answer is no {shape.__name__}") from error


def items_of(batch: bytes) -> dict[str, BatchItem]:
    """Returns the items by the id of their request.

    A malformed item is skipped; if two items have the same id, neither is used.

    Raises:
        UnexpectedAnswer: it is not a batch response.
    """
    try:
        found = _batch_decoder.decode(batch).responses
    except BAD_JSON:
        found = list(_well_formed(decode(batch, RawBatchAnswer)))
    items = {item.id: item for item in found}
    if len(items) < len(found):
        for item in found:
            kept = items.get(item.id)
            if kept is not None and (kept.status, bytes(kept.body)) != (item.status, bytes(item.body)):
                del items[item.id]
    return items


def _well_formed(answer: RawBatchAnswer) -> Iterator[BatchItem]:
    for raw in answer.responses:
        with suppress(*BAD_JSON):
            yield _item_decoder.decode(raw)


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
    answer 401 or 403 UnknownError (microsoft-graph-docs issue 5640). If the token itself is refused, no
    permission is missing: there will be another token.
    """
    error = error_of(answer)
    if answer.status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return error
    if error_code(answer.body).lower() == _TOKEN_REFUSED:
        return NotPermitted(str(error))
    return NotPermitted(str(error), remedy=NO_DIRECTORY, lasting=True, consent=Consent.MISSING)
