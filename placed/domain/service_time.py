"""What time it is by the calendar services, learned from the `Date` of their answers. Pure.

Everything here is a difference: seconds since 1970 minus seconds of the steady clock. A service's answer
bounds it from both sides, and further answers narrow it. The steady clock cannot be set, so that what was
learned stays right when somebody sets the clock on the wall.

- One answer that contradicts what is known changes nothing. Three in a row that agree with each other replace
  what is known; where they agree with the clock on the wall and what is known does not, or nothing is known
  yet, two are enough.
- The last of them must show a later time than the first: a cache repeats the `Date` that it has kept.
- Where nothing is known yet, or the clock on the wall was set since, one answer that agrees is enough. Until
  a later one shows a later time, one contradiction is enough to forget it; if that shows the same time as
  before, one that agrees is not enough from then on.
- A service whose clock keeps another pace than the steady clock is not followed, however slowly its answers
  go away from what is known: they count as contradictions, and do not agree with each other for long.
- Several services, and the clock on the wall, are witnesses: the time that most of them agree on is believed.
  Where that is a tie, services go before the clock on the wall, and the first connection of the settings
  before the others.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

TOLERANCE = 5.0  # seconds; clocks that differ by no more than this agree
_SECOND = 1.0  # the resolution of `Date`, which is rounded down
_LAG = 2.0  # seconds; servers renew `Date` once a second, not always in time
_DRIFT = 1e-4  # seconds a second by which a steady clock may go wrong
_WIDEST = 60.0  # seconds between question and answer, beyond which an answer shows nothing
_FIRST, _LATER = 2, 3  # answers in a row that are needed to believe another time
_LONG_ENOUGH = 10.0  # seconds from the first to the last of `_LATER`: in less, a wrong pace does not show
_ERRATIC = 8  # answers of which no two in a row agree: a service that shows any time is no witness


class ServiceTime(msgspec.Struct, frozen=True, gc=False):
    """What a service's clock showed in one of its answers, such as in the field `Date` of HTTP.

    Attributes:
        moment: as it was shown, in UTC, rounded down to the second.
        asked_at: seconds on the steady clock, when the request was about to be sent.
        answered_at: the same, when the answer's head had come.
    """

    moment: datetime
    asked_at: float
    answered_at: float


class Span(msgspec.Struct, frozen=True):
    """Bounds of the difference, as learned at `at` on the steady clock."""

    low: float
    high: float
    at: float

    @property
    def middle(self) -> float:
        """The best estimate."""
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        """By how much it may be wrong in either direction."""
        return (self.high - self.low) / 2

    @property
    def shown(self) -> int:
        """The moment that was shown, if these are the bounds of one answer: seconds since 1970."""
        return round(self.low + self.at)

    def older(self, steady: float) -> Span:
        """The bounds after the steady clock has gone on."""
        drift = max(0.0, steady - self.at) * _DRIFT
        return Span(self.low - drift, self.high + drift, max(self.at, steady))

    def gap(self, other: Span) -> float:
        """Seconds between the two; 0 where they overlap."""
        return max(self.low - other.high, other.low - self.high, 0.0)

    def overlap(self, other: Span) -> Span | None:
        """What both allow, as learned at the time of the other; None if there is no such difference."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Span(low, high, other.at) if low <= high else None

    def within(self, difference: float, tolerance: float) -> bool:
        """Whether a difference agrees with these bounds."""
        return self.low - tolerance <= difference <= self.high + tolerance


def span_of(answer: ServiceTime) -> Span | None:
    """What one answer shows; None if it took too long to show anything."""
    took = answer.answered_at - answer.asked_at
    if not 0 <= took <= _WIDEST:
        return None
    seconds = answer.moment.timestamp()
    return Span(seconds - answer.answered_at, seconds + _SECOND - answer.asked_at, answer.answered_at)


class ServiceClockBounds:
    """One service: what is known from its answers, and answers in a row that contradict that."""

    def __init__(self) -> None:
        self.known: Span | None = None
        self._anchor: Span | None = None  # what was believed, narrowed by later answers; it never moves
        self._wall: float | None = None  # the clock on the wall, when an answer confirmed that
        self._first = 0  # what the first answer that agreed with it has shown
        self._advances = False  # whether a later answer has shown a later time
        self._stood_still = False  # whether a time was forgotten since answers showed the same for too long
        self._doubts: list[Span] = []
        self._contradictions = 0  # answers that contradict the clock on the wall, while nothing is known

    @property
    def contradicts(self) -> bool:
        """Whether nothing is known yet, and what was answered contradicts the clock on the wall."""
        return self.known is None and 0 < self._contradictions < _ERRATIC

    def hear(self, found: Span, wall: float | None) -> None:
        """Takes in an answer.

        Args:
            found: what it shows.
            wall: the same difference by the clock on the wall; None if that clock is wrong for certain.
        """
        known = self.known.older(found.at) if self.known is not None else None
        anchor = self._anchor.older(found.at) if self._anchor is not None else None
        if known is not None and anchor is not None and anchor.gap(found) <= _LAG:
            self._doubts.clear()
            self.known = known.overlap(found) or found
            self._anchor = anchor.overlap(found) or anchor
            self._wall = wall
            self._advances = self._advances or found.shown > self._first
            return
        agrees = wall is not None and found.within(wall, TOLERANCE)
        if agrees and ((known is None and not self._stood_still) or self._was_set(wall)):
            self._believe(found, wall)
            return
        if known is not None and not self._advances:
            known = self.known = None
            self._stood_still = self._stood_still or found.shown == self._first
        if self._doubts and self._doubts[0].gap(found) > _LAG:
            self._doubts.clear()
        self._contradictions += wall is not None and not self._doubts
        if len(self._doubts) == _LATER:
            del self._doubts[1]  # the first is kept: the last must show a later time
        self._doubts.append(found)
        first = self._doubts[0]
        if known is None or (agrees and not (wall is not None and known.within(wall, TOLERANCE))):
            enough = len(self._doubts) >= _FIRST
        else:
            enough = len(self._doubts) >= _LATER and found.at - first.at >= _LONG_ENOUGH
        if enough and found.shown > first.shown:
            self._believe(found, wall)

    def _was_set(self, wall: float | None) -> bool:
        """Whether the clock on the wall was set since an answer has confirmed what is known."""
        return wall is not None and (self._wall is None or abs(wall - self._wall) > TOLERANCE)

    def _believe(self, found: Span, wall: float | None) -> None:
        self.known, self._anchor, self._wall = found, found, wall
        self._first = self._doubts[0].shown if self._doubts else found.shown
        self._advances = found.shown > self._first
        self._doubts.clear()


def believed(known: Iterable[Span], wall: float | None) -> Span | None:
    """The time that most witnesses agree on; None if no service has reported one.

    Where the clock on the wall is right by most of them, it is the first service that agrees with it.

    Args:
        known: of each service, in the order of the settings.
        wall: the same difference by the clock on the wall; None if that clock is wrong for certain.
    """
    spans = list(known)
    best, most = None, 0
    for span in spans:
        votes = sum(abs(span.middle - other.middle) <= TOLERANCE for other in spans)
        if wall is not None and abs(span.middle - wall) <= TOLERANCE:
            votes += 1
        if votes > most:
            best, most = span, votes
    return best


def disagree(known: Iterable[Span]) -> bool:
    """Whether services report different times."""
    middles = [span.middle for span in known]
    return bool(middles) and max(middles) - min(middles) > 2 * TOLERANCE
