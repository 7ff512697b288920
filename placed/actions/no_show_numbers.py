"""The numbers of no-shows: since the start for the metrics, and by week for the facility's managers."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from msgspec.structs import replace

from placed.actions.no_show import Obstacle
from placed.actions.no_show_record import REPEATED, NoShowRecord
from placed.domain.no_show_report import NoShowOutcome
from placed.domain.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from placed.actions.no_show_week import NoShowWeek
    from placed.domain.clock import Clock
    from placed.domain.model import Meeting

_SAVED_EVERY = 10.0  # seconds; at the full hour hundreds of meetings may be judged in one

log = structlog.get_logger("placed.actions.no_show")


class NoShowStore(Protocol):
    """Keeps the records of connections over a restart."""

    def load(self, connection: str) -> NoShowRecord | None:
        """The record of a connection; None if there is none."""
        ...

    def save(self, connection: str, record: NoShowRecord) -> None:
        """Keeps it."""
        ...


@dataclass(frozen=True, slots=True)
class _Rehearsed:
    """A meeting that would have been released, until its end."""

    connection: str
    meeting: Meeting
    at: datetime


class NoShowNumbers:
    """Counts what becomes of meetings, by connection.

    Args:
        clock: what time it is.
        store: keeps the records.

    Attributes:
        counts: since the start, by mode and outcome.
    """

    def __init__(self, clock: Clock, store: NoShowStore) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self._clock = clock
        self._store = store
        self._records: dict[str, NoShowRecord] = {}
        self._unsaved: set[str] = set()
        self._saved_at = clock.steady()
        self._rehearsed: dict[str, _Rehearsed] = {}  # by room

    def keep(self, connections: Iterable[str]) -> None:
        """Counts for these connections only; those that are new begin with what is stored."""
        self.save()
        moment = self._clock.now()
        self._records = {
            name: self._records.get(name) or self._store.load(name) or NoShowRecord.new(moment)
            for name in connections
        }

    def released(self, connection: str) -> int:
        """How many meetings were released, or would have been, in the last hour."""
        return len(self._record(connection).releases) if connection in self._records else 0

    # --- what becomes of a meeting ---

    def reserve(self, connection: str) -> None:
        """A meeting is about to be released: it counts among those of the hour, whatever becomes of it."""
        self._set(connection, self._record(connection).with_release(self._clock.now()))
        self.save()

    def kept(
        self, connection: str, room_id: str, meeting: Meeting, found: tuple[Obstacle, ...], mode: str
    ) -> None:
        """A meeting is kept, for these reasons."""
        record = self._record(connection)
        if found[0] in (Obstacle.CHECKED_IN, Obstacle.PRESENCE):
            record = record.with_use(room_id, meeting)
        self._set(connection, replace(record, week=record.week.with_kept(found[0].value)))
        if found[0] is not Obstacle.CHECKED_IN:
            self.counts[mode, found[0]] += 1

    def failed(self, connection: str, mode: str) -> None:
        """A release was refused, or it is not known what became of it."""
        if connection in self._records:
            record = self._record(connection)
            self._set(connection, replace(record, week=record.week.with_kept(NoShowOutcome.FAILED)))
            self.counts[mode, NoShowOutcome.FAILED] += 1

    def concluded(self, connection: str, room_id: str, meeting: Meeting, mode: str) -> int | None:
        """A meeting was released, or would have been; returns the strikes of its series."""
        if connection not in self._records:
            return None
        rehearsal = mode == "rehearse"
        record, strikes = self._record(connection).with_no_show(room_id, meeting)
        self._set(connection, replace(record, week=record.week.with_release(rehearsal=rehearsal)))
        self.counts[mode, NoShowOutcome.RELEASED] += 1
        if rehearsal:
            self._rehearsed[room_id] = _Rehearsed(connection, meeting, self._clock.now())
        if strikes is not None and strikes >= REPEATED:
            log.warning("no_show.series_is_not_used", room=room_id, strikes=strikes)
        return strikes

    def look_at_rehearsed(self, was_used_since: Callable[[str, datetime], bool]) -> None:
        """Counts meetings that would have been released, and to which somebody came later.

        `was_used_since` returns whether somebody was in a room since a moment.
        """
        moment = self._clock.now()
        for room_id, one in list(self._rehearsed.items()):
            if moment >= one.meeting.end or one.connection not in self._records:
                del self._rehearsed[room_id]
            elif was_used_since(room_id, one.at):
                del self._rehearsed[room_id]
                record = self._record(one.connection)
                self._set(one.connection, replace(record, week=record.week.with_later_use()))

    # --- the records ---

    def pass_time(self) -> None:
        """Reports weeks that are over, and saves what has changed."""
        moment = self._clock.now()
        for name, before in self._records.items():
            after = before.at(moment)
            if after.week.since != before.week.since:
                if before.week.meetings and before.week.since < after.week.since:
                    log.info("no_show.week_is_over", connection=name, sentence=before.week.sentence)
                self._set(name, after)
        if self._unsaved and not 0 <= self._clock.steady() - self._saved_at < _SAVED_EVERY:
            self.save()

    def save(self) -> None:
        """Saves what has changed."""
        for name in self._unsaved & self._records.keys():
            self._store.save(name, self._records[name])
        self._unsaved.clear()
        self._saved_at = self._clock.steady()

    def documents(self, modes: Mapping[str, str]) -> list[dict[str, Any]]:
        """The numbers of this and the last week, a document for each connection."""
        return [
            {
                "connection": name,
                "mode": mode,
                "this_week": _document(self._record(name).week),
                "last_week": _document(self._record(name).last_week),
                "repeated_series": self._record(name).repeated_series,
            }
            for name, mode in sorted(modes.items())
        ]

    def _record(self, connection: str) -> NoShowRecord:
        return self._records[connection].at(self._clock.now())

    def _set(self, connection: str, record: NoShowRecord) -> None:
        self._records[connection] = record
        self._unsaved.add(connection)


def _document(week: NoShowWeek | None) -> dict[str, Any] | None:
    if week is None:
        return None
    return {
        "since": timestamp(week.since),
        "meetings": week.meetings,
        "would_release": week.would_release,
        "used_later": week.used_later,
        "released": week.released,
        "kept": dict(sorted(week.kept.items())),
        "sentence": week.sentence,
    }
