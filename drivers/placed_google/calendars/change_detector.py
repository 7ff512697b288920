"""Decides which calendars are read in full, by their free/busy and by when they were last read in full.

The free/busy that a calendar is compared with was asked for before the calendar was read: what changes in
between is seen as a change later, and never missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from placed.domain.model import ShowAs
from placed.driver import Failed, Read, Unchanged
from placed.driver.unchanged_answer import question_of
from placed_google.calendars.pace import full_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from placed.driver import Answer, Query
    from placed.driver.unchanged_answer import Question
    from placed_google.calendars.free_busy_reader import Look

TENTATIVE_WITHIN = 60.0  # seconds; free/busy does not show when a tentative booking is accepted
_RESERVE = 0.25  # of the budget: for calendars that change within the minute


class _Baseline(NamedTuple):
    """What a calendar's free/busy was, asked for the same, just before the calendar was read in full."""

    question: Question
    digest: bytes


@dataclass(slots=True)
class _LastReading:
    """The last full reading of a calendar; `at` is on a monotonic clock."""

    at: float = 0.0
    baseline: _Baseline | None = None
    tentative: bool = False


class Choice(NamedTuple):
    """What is read in full now, and of which rooms it is known that nothing changed."""

    full: list[Query]
    same: list[Query]


class ChangeDetector:
    """What is known of each calendar's last full reading.

    Args:
        budget: requests a minute.
        time: seconds of a monotonic clock.
    """

    def __init__(self, budget: int, time: Callable[[], float]) -> None:
        self._budget = budget
        self._time = time
        self._last: dict[str, _LastReading] = {}

    def keep(self, mailboxes: AbstractSet[str]) -> None:
        """Forgets all other calendars."""
        self._last = {mailbox: last for mailbox, last in self._last.items() if mailbox in mailboxes}

    def forget(self) -> None:
        """Every calendar has to be read in full."""
        self._last.clear()

    def were_read(self, answers: Iterable[Answer], looks: Mapping[str, Look]) -> None:
        """Notes full readings, and the free/busy that was asked for before them, if any.

        If none was asked for, what is known of an unchanged calendar is still right.
        """
        moment = self._time()
        for answer in answers:
            if isinstance(answer, Failed) or (not looks and isinstance(answer, Unchanged)):
                continue
            mailbox = answer.query.room.mailbox
            last = self._last.get(mailbox)
            if last is None:
                last = self._last[mailbox] = _LastReading()
            last.at = moment
            last.baseline = _baseline(answer.query, looks.get(mailbox)) if looks else None
            if isinstance(answer, Read):
                last.tentative = _is_tentative(answer)

    def choose(self, queries: Sequence[Query], looks: Mapping[str, Look], left: int) -> Choice:
        """Chooses what is read in full.

        What changed is, and what is not known; of the others those that were not read for the longest time,
        as far as the budget allows.

        Args:
            queries: the rooms.
            looks: their free/busy.
            left: how many requests may begin now.
        """
        same: list[Query] = []
        changed: list[Query] = []
        for query in queries:
            (same if self._is_same(query, looks) else changed).append(query)
        spare = max(0, left - len(changed) - int(self._budget * _RESERVE))
        if spare < len(same):
            due = sorted((q for q in same if self._due(q) <= 0), key=self._due)[:spare]
        else:
            due = same
        chosen = {id(query) for query in due}
        return Choice([*changed, *due], [query for query in same if id(query) not in chosen])

    def _is_same(self, query: Query, looks: Mapping[str, Look]) -> bool:
        last, look = self._last.get(query.room.mailbox), looks.get(query.room.mailbox)
        if not query.known or last is None or last.baseline is None:
            return False
        return last.baseline == _baseline(query, look)

    def _due(self, query: Query) -> float:
        """Returns in how many seconds the calendar is to be read in full again; negative if it is overdue."""
        last = self._last[query.room.mailbox]
        within = TENTATIVE_WITHIN if last.tentative else full_within(len(self._last), self._budget)
        return last.at + within - self._time()


def _is_tentative(answer: Read) -> bool:
    """Returns whether a booking that is not over may still be accepted or declined."""
    for meeting in answer.meetings:
        if meeting.show_as is ShowAs.TENTATIVE and meeting.end > answer.asked_at:
            return True
    return False


def _baseline(query: Query, look: Look | None) -> _Baseline | None:
    if look is None or look.digest is None:
        return None
    return _Baseline(question_of(query), look.digest)
