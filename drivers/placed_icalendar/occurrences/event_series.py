"""Sorts the events of a room into series, by UID, and names their occurrences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from placed_icalendar.calendar_text.malformed import Malformed
from placed_icalendar.calendar_text.times import as_instant
from placed_icalendar.occurrences.event_times import own_interval
from placed_icalendar.occurrences.series import Occurrence, Series

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from placed_icalendar.calendar_text.event import Event


_MOST_PAIRS = 5000  # of events and exceptions with one UID; a series since years has some hundred exceptions


class NamedOccurrence(msgspec.Struct, frozen=True, gc=False):
    """An occurrence and its keys, in full length.

    Attributes:
        key: of the occurrence. It stays when the occurrence is moved, and for an event that does not recur,
            whatever becomes of it.
        series: of the series; None for an event that does not recur.
    """

    occurrence: Occurrence
    key: str
    series: str | None


class EventSeries:
    """All series of a room's calendars.

    Args:
        events: of all calendars.
        since: of the window, in UTC.
        until: of the window, exclusive, in UTC.

    Attributes:
        largest_cost: about how many steps the longest search of `occurrences` takes.
    """

    def __init__(self, events: Sequence[Event], since: datetime, until: datetime) -> None:
        self._since, self._until = since, until
        self._alone: list[tuple[str, Event]] = []
        self._series: list[tuple[str, bool, Series]] = []
        self._events = events
        self.largest_cost = 0.0

    def sort(self) -> Iterator[None]:
        """Sorts the events, a few in each step. Run it to its end before `occurrences`.

        Raises:
            Malformed: far too many of them have one UID.
        """
        for uid, group in _by_uid(self._events).items():
            for _ in self._sort(uid, group):
                yield

    def occurrences(self) -> Iterator[NamedOccurrence | None]:
        """Yields those that touch the window, in no order, some perhaps twice; None after each search.

        Raises:
            ValueError: parts of a rule exclude each other.
        """
        for uid, event in self._alone:
            interval = own_interval(event)
            if interval.touches(self._since, self._until):
                yield NamedOccurrence(Occurrence(event, None, interval), *_keys(uid, _original(event)))
        for uid, shared, series in self._series:
            for occurrence in series.occurrences():
                original = occurrence.original
                if original is None and not shared:
                    yield NamedOccurrence(occurrence, uid, None)
                else:
                    yield NamedOccurrence(occurrence, *_keys(uid, original or occurrence.interval.start))
            yield None

    def _sort(self, uid: str, group: list[Event]) -> Iterator[None]:
        """Sorts the events with one UID.

        Of several versions of an event, those with the highest SEQUENCE count. If several have it, nothing
        shows which is outdated, so all of them count: there are programs that give all events the same UID.
        """
        masters = [event for event in group if event.original is None]
        exceptions = [event for event in group if event.original is not None]
        newest = max((event.sequence for event in masters), default=0)
        masters = [event for event in masters if event.sequence == newest]
        if len(masters) * len(exceptions) > _MOST_PAIRS:
            raise Malformed("too many events have the same UID", group[-1].line, "UID")
        for master in masters:
            self._add(uid, Series(master, exceptions, self._since, self._until), shared=len(masters) > 1)
            yield
        if not masters:
            self._alone += [(uid, event) for event in _latest(exceptions)]
        for event in exceptions:
            if event.recurs:
                # An exception with a rule of its own begins a series, too. Nothing of both is left out.
                begun = (*event.excluded, event.start)
                rest = msgspec.structs.replace(event, original=None, from_then_on=False, excluded=begun)
                self._add(uid, Series(rest, (), self._since, self._until), shared=True)
            yield

    def _add(self, uid: str, series: Series, *, shared: bool) -> None:
        self._series.append((uid, shared, series))
        self.largest_cost = max(self.largest_cost, series.cost)


def _original(event: Event) -> datetime:
    """Which occurrence an exception without its series replaces."""
    time = event.original or event.start
    return time.wall if time.dated else as_instant(time.wall, time.zone or event.zones.default)


def _latest(exceptions: list[Event]) -> list[Event]:
    """Of several exceptions for one occurrence those with the highest SEQUENCE."""
    named = [(_original(event), event) for event in exceptions]
    newest: dict[datetime, int] = {}
    for original, event in named:
        newest[original] = max(event.sequence, newest.get(original, event.sequence))
    return [event for original, event in named if event.sequence == newest[original]]


def _by_uid(events: Sequence[Event]) -> dict[str, list[Event]]:
    """The events by UID. One without UID is alone, named by its times."""
    groups: dict[str, list[Event]] = {}
    for event in events:
        if event.uid is not None:
            groups.setdefault(event.uid, []).append(event)
            continue
        name = f"\n{event.start.wall}/{event.end.wall if event.end is not None else event.duration}"
        while name in groups:
            name += "+"
        groups[name] = [event]
    return groups


def _keys(uid: str, original: datetime) -> tuple[str, str]:
    return f"{uid}\n{original.isoformat()}", uid
