"""A series: an event that recurs, its exceptions, and the occurrences that result within a window."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING

import msgspec

from placed_icalendar.calendar_text.event import Event
from placed_icalendar.calendar_text.times import Period, Time, as_instant
from placed_icalendar.occurrences.event_times import Interval, interval_at, later, longest, own_interval
from placed_icalendar.occurrences.exact_hours import exact_hours
from placed_icalendar.occurrences.rule_walls import cost_of, walls_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


Id = datetime
"""Which occurrence of a series: its original start. UTC for times; naive midnight for whole days."""

_MARGIN = timedelta(days=3)  # more than zones are away from UTC, and from each other


class Occurrence(msgspec.Struct, frozen=True, gc=False):
    """One occurrence.

    Attributes:
        event: whose properties it has.
        original: which occurrence of the series it is; None for an event that does not recur.
    """

    event: Event
    original: Id | None
    interval: Interval


class Series:
    """An event and its exceptions.

    Args:
        master: without RECURRENCE-ID.
        exceptions: of the same UID, with RECURRENCE-ID.
        since: of the window, in UTC.
        until: of the window, exclusive, in UTC.
    """

    def __init__(self, master: Event, exceptions: Iterable[Event], since: datetime, until: datetime) -> None:
        self._master = master
        self._zone: tzinfo = master.zones.zone_for(master.start)
        self._since, self._until = since, until
        self._replaced: dict[Id, list[Event]] = {}
        self._replaced_days: dict[date, list[Event]] = {}
        for exception in exceptions:
            self._replace(exception)
        self._excluded = {self._id(time) for time in master.excluded if not self._is_day(time)}
        self._excluded_days = {time.wall.date() for time in master.excluded if self._is_day(time)}
        self._changes = self._from_then_on()
        moves = [move for _, _, move in self._changes]
        lengths = [longest(event) for event in (master, *(event for _, event, _ in self._changes))]
        before = max(timedelta(), *lengths, *(_length(period) for period in master.added))
        self._low = later(since.replace(tzinfo=None), -(before + max([timedelta(), *moves]) + _MARGIN))
        self._high = later(until.replace(tzinfo=None), _MARGIN - min([timedelta(), *moves]))

    @property
    def cost(self) -> float:
        """About how many steps `occurrences` takes."""
        start = self._master.start.wall
        rules = sum(cost_of(rule, start, self._low, self._high) for rule in self._master.rules)
        return 1 + rules + len(self._replaced) + len(self._master.added) + len(self._master.excluded) / 10

    def occurrences(self) -> Iterator[Occurrence]:
        """Yields those that touch the window.

        Raises:
            ValueError: parts of a rule exclude each other.
            OverflowError: a time is outside of the years 1 to 9999.
        """
        recurs = self._master.recurs or bool(self._replaced or self._replaced_days)
        days: dict[date, int] = {}
        found = self._candidates()
        if self._replaced_days:
            for wall, _ in found.values():
                days[wall.date()] = days.get(wall.date(), 0) + 1
        for original, (wall, period) in found.items():
            if original in self._replaced or self._is_excluded(original, wall):
                continue
            if wall.date() in self._replaced_days and days[wall.date()] == 1:
                continue
            event, move = self._in_effect(original)
            interval = interval_at(event, later(wall, move) if move else wall, self._zone, period)
            if interval.touches(self._since, self._until):
                yield Occurrence(event, original if recurs else None, interval)
        yield from self._exceptions()

    def _exceptions(self) -> Iterator[Occurrence]:
        """Exceptions. EXDATE excludes those that are older than the series, by SEQUENCE.

        Of others nothing shows whether they were deleted or moved: SabreDAV, and so Nextcloud, shows them.
        """
        for original, events in self._replaced.items():
            wall = original if original.tzinfo is None else original.astimezone(self._zone)
            kept = self._newer(events) if self._is_excluded(original, wall) else events
            yield from self._touching(kept, original)
        for day, events in self._replaced_days.items():
            kept = self._newer(events) if day in self._excluded_days else events
            yield from self._touching(kept, datetime(day.year, day.month, day.day))  # noqa: DTZ001

    def _newer(self, events: list[Event]) -> list[Event]:
        return [event for event in events if event.sequence >= self._master.sequence]

    def _touching(self, events: list[Event], original: Id) -> Iterator[Occurrence]:
        for event in events:
            interval = own_interval(event)
            if interval.touches(self._since, self._until):
                yield Occurrence(event, original, interval)

    def _replace(self, exception: Event) -> None:
        """Notes an exception; of several for one occurrence those with the highest SEQUENCE count."""
        assert exception.original is not None  # noqa: S101
        if self._is_day(exception.original):
            known = self._replaced_days.setdefault(exception.original.wall.date(), [])
        else:
            known = self._replaced.setdefault(self._id(exception.original), [])
        known.append(exception)
        newest = max(event.sequence for event in known)
        known[:] = [event for event in known if event.sequence == newest]

    def _is_day(self, time: Time) -> bool:
        """Whether it is a date that stands for an occurrence with a time."""
        return time.dated and not self._master.dated

    def _id(self, time: Time) -> Id:
        if self._master.dated:
            return datetime.combine(time.day(self._master.zones.room), datetime.min.time())
        return as_instant(time.wall, time.zone or self._zone)

    def _is_excluded(self, original: Id, wall: datetime) -> bool:
        return original in self._excluded or wall.date() in self._excluded_days

    def _candidates(self) -> dict[Id, tuple[datetime, Period | None]]:
        """Every occurrence near the window, exceptions and all: what the clock shows, and its RDATE."""
        start = self._master.start
        ends = [rule.last_wall(start, self._zone) for rule in self._master.rules]
        walls: set[datetime] = set()
        # A rule that ended before it began has no occurrence: this is how programs delete a series.
        if not ends or any(end is None or end >= start.wall for end in ends):
            walls.add(start.wall)
        for rule, end in zip(self._master.rules, ends, strict=True):
            if end is None or rule.count is None:
                walls.update(walls_of(rule, start.wall, end, self._low, self._high))
                continue
            # UNTIL and COUNT exclude each other (RFC 5545): in doubt, whatever either of them allows.
            for alone, limit in ((msgspec.structs.replace(rule, count=None), end), (rule, None)):
                walls.update(walls_of(alone, start.wall, limit, self._low, self._high))
        found: dict[Id, tuple[datetime, Period | None]] = {}
        for moment in self._exact_hours(ends):
            found[moment.astimezone(UTC)] = moment.replace(tzinfo=None), None
        # In order: of two that become the same moment, since the clock skips one, the same one counts always.
        for wall in sorted(walls):
            found[wall if self._master.dated else as_instant(wall, self._zone)] = wall, None
        for period in self._master.added:
            for time in self._times_of(period.start):
                original = self._id(time)
                wall = original if original.tzinfo is None else original.astimezone(self._zone)
                found[original] = wall.replace(tzinfo=None), period
        return found

    def _exact_hours(self, ends: Iterable[datetime | None]) -> Iterator[datetime]:
        """The moments of hourly rules if hours are exact; see `exact_hours`."""
        start = as_instant(self._master.start.wall, self._zone)
        low, high = self._low.replace(tzinfo=UTC), self._high.replace(tzinfo=UTC)
        for rule, end in zip(self._master.rules, ends, strict=True):
            if rule.frequency != "HOURLY" or self._master.dated or "BYWEEKNO" in rule.lists:
                continue
            last = None if end is None else as_instant(end.replace(fold=1), self._zone)
            allowed = [(rule, last)]
            if last is not None and rule.count is not None:  # in doubt, as in `_candidates`
                allowed = [(rule, None), (msgspec.structs.replace(rule, count=None), last)]
            for one, until in allowed:
                yield from exact_hours(one, start, self._zone, until, low, high)

    def _times_of(self, added: Time) -> list[Time]:
        """When an RDATE begins. A day in a series with times may mean its usual hour, or midnight: both."""
        if not self._is_day(added):
            return [added]
        return [Time(added.wall), Time(datetime.combine(added.wall, self._master.start.wall.time()))]

    def _from_then_on(self) -> list[tuple[Id, Event, timedelta]]:
        """Exceptions that change all later occurrences, with how far each moves them on the clock."""
        changes = [
            (original, event, self._wall(event.start) - self._wall_of_id(original))
            for original, events in self._replaced.items()
            for event in events
            if event.from_then_on
        ]
        for day, events in self._replaced_days.items():
            midnight = datetime.combine(day, datetime.min.time())
            usual = datetime.combine(day, self._master.start.wall.time())
            changes += [
                (as_instant(midnight, self._zone), event, self._wall(event.start) - usual)
                for event in events
                if event.from_then_on
            ]
        return sorted(changes, key=lambda change: change[0])

    def _in_effect(self, original: Id) -> tuple[Event, timedelta]:
        event, move = self._master, timedelta()
        for since, change, by in self._changes:
            if since <= original:
                event, move = change, by
        return event, move

    def _wall(self, time: Time) -> datetime:
        if time.zone is None or time.zone is self._zone:
            return time.wall
        return time.instant(self._zone).astimezone(self._zone).replace(tzinfo=None, fold=0)

    def _wall_of_id(self, original: Id) -> datetime:
        if original.tzinfo is None:
            return original
        return original.astimezone(self._zone).replace(tzinfo=None, fold=0)


def _length(period: Period) -> timedelta:
    if period.duration is not None:
        return period.duration.days + period.duration.exact
    return timedelta() if period.end is None else period.end.instant(UTC) - period.start.instant(UTC)
