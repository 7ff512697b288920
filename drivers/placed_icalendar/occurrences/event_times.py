"""Start and end of an event, or of one of its occurrences, as moments."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from placed_icalendar.calendar_text.times import as_instant

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_icalendar.calendar_text.event import Event
    from placed_icalendar.calendar_text.times import Period, Time

_DAY = timedelta(days=1)


class Interval(NamedTuple):
    """[start, end) in UTC, as stated: the end may be before the start."""

    start: datetime
    end: datetime

    def touches(self, since: datetime, until: datetime) -> bool:
        """Whether it overlaps the window [since, until); of one without a length, whether it begins in it."""
        if self.end > self.start:
            return self.start < until and self.end > since
        return since <= self.start < until


def own_interval(event: Event) -> Interval:
    """Where an event itself takes place."""
    return interval_at(event, event.start.wall, event.zones.zone_for(event.start), None)


def interval_at(event: Event, wall: datetime, zone: tzinfo, period: Period | None) -> Interval:
    """Where an occurrence takes place.

    A meeting from 22:00 to 06:00 ends at 06:00 on the clock, or after eight hours, whichever is later in the
    night in which the clocks change; see `_end`. Of DURATION, days follow the clock, and hours are exact
    (RFC 5545, section 3.3.6).

    Args:
        event: whose length it has.
        wall: what the clock shows at its start. Naive.
        zone: of that clock.
        period: the RDATE that states its own end, if one does.
    """
    if period is not None and (period.end is not None or period.duration is not None):
        start = as_instant(wall, zone)
        if period.end is not None:
            # By its length, since an exception may have moved it (RANGE=THISANDFUTURE).
            return Interval(start, later(start, period.end.instant(zone) - period.start.instant(zone)))
        assert period.duration is not None  # noqa: S101
        return Interval(start, as_instant(later(wall, period.duration.days), zone) + period.duration.exact)
    if event.dated:
        return _days(event, wall, event.zones.of_room.all)
    start = as_instant(wall, zone)
    ends = [start]
    if event.end is not None:
        ends.append(_end(event, event.end, wall, start, zone))
    if event.duration is not None:
        ends.append(as_instant(later(wall, event.duration.days), zone) + event.duration.exact)
    # DTEND and DURATION exclude each other; in doubt, the later one.
    return Interval(start, max(ends[1:], default=start))


def longest(event: Event) -> timedelta:
    """An upper limit of an event's length, to within two days."""
    lengths = [timedelta()]
    if event.end is not None:
        lengths.append(event.end.wall - event.start.wall)
    if event.duration is not None:
        lengths.append(event.duration.days + event.duration.exact)
    return max(lengths)


def _end(event: Event, end: Time, wall: datetime, start: datetime, zone: tzinfo) -> datetime:
    """The latest of the ends at which calendar programs show an occurrence.

    RFC 5545 (3.8.5.3) gives each occurrence the exact length of the first one; Exchange and Google repeat
    what the clock shows at the end. They differ only in the nights in which the clocks change, and a room
    must not be shown as free while one of them shows it as taken.
    """
    first, last = event.zones.instant(event.start), event.zones.instant(end)
    if end.dated == event.start.dated and end.zone is event.start.zone:
        shown = end.wall - event.start.wall
        others = []
    else:
        if end.dated and last <= first:  # the day of the start: it is taken to the end
            last = as_instant(later(end.wall, _DAY), event.zones.room)
        shown = _on_the_clock(last, zone) - _on_the_clock(first, zone)
        others = [as_instant(later(end.wall, wall - event.start.wall), end.zone)] if end.zone else []
    found = max(later(start, last - first), as_instant(later(wall, shown), zone), *others)
    # From 02:30 to 03:30 in the night in which the clock skips 02:00 to 03:00: the start becomes 03:30.
    return later(start, shown) if found <= start and shown > timedelta() else found


def _on_the_clock(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _days(event: Event, wall: datetime, zones: Sequence[tzinfo]) -> Interval:
    """Whole days, from the first midnight to the last one in these zones."""
    length = _DAY  # also of an event that ends on its first day, or before
    if event.end is not None:
        length = max(event.end.wall - event.start.wall, _DAY)
    if event.duration is not None:
        length = max(event.duration.days or _DAY, length)
    end = later(wall, length)
    return Interval(
        min(as_instant(wall, zone) for zone in zones), max(as_instant(end, zone) for zone in zones)
    )


def later(wall: datetime, by: timedelta) -> datetime:
    """A time later or earlier, within what a date can be: some programs end an event in the year 9999."""
    try:
        # The second of two hours that a clock shows stays the second one.
        return (wall + by).replace(fold=wall.fold)
    except OverflowError:
        return datetime(*(9999, 12, 31) if by > timedelta() else (1, 1, 1), tzinfo=wall.tzinfo)
