"""What was read last of a feed, and by what it is recognised when it has not changed since."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from placed.driver.network.service_clock import date_in
from placed.driver.unchanged_answer import question_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.driver import Query
    from placed.driver.unchanged_answer import Question

WHOLE_EVERY = 600.0  # seconds after which a feed is asked for as if it were new: validators may be wrong
_LONGEST = 1000  # characters of a validator
_SETTLED = timedelta(seconds=60)  # Last-Modified has seconds only: what is this new may still change


class Validators(NamedTuple):
    """By what the host recognises its own answer (RFC 9110, 8.8); empty if there is nothing."""

    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Validators:
        """Those of an answer. Last-Modified counts only if it lies well before the answer itself."""
        etag, modified = headers.get("ETag", "").strip(), headers.get("Last-Modified", "").strip()
        return cls(etag if _can_be_sent(etag) else "", modified if _is_settled(modified, headers) else "")

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a conditional request."""
        found = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True, slots=True)
class LastReading:
    """What was read last.

    Attributes:
        question: what was asked: room, window and time zone.
        digest: of what decides about the meetings.
        body: a digest of the whole text.
        validators: of the answer.
        whole_at: when the text was last sent as a whole, on the steady clock.
    """

    question: Question
    digest: bytes
    body: bytes
    validators: Validators
    whole_at: float

    def fits(self, query: Query) -> bool:
        """Whether the same is asked, and its meetings are still known."""
        return query.known and self.question == question_of(query)


def _can_be_sent(text: str) -> bool:
    return text.isascii() and text.isprintable() and len(text) <= _LONGEST


def _is_settled(modified: str, headers: Mapping[str, str]) -> bool:
    moment, answered = date_in({"Date": modified}), date_in(headers)
    if moment is None or answered is None:
        return False
    return answered - moment >= _SETTLED
