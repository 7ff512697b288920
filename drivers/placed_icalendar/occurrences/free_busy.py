"""Converts free/busy times (VFREEBUSY, RFC 5545, section 3.6.4) to meetings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.model import Meeting, ShowAs
from placed_icalendar.calendar_text.content_line import content_line
from placed_icalendar.calendar_text.times import Period, as_instant, read_periods
from placed_icalendar.occurrences.event_times import Interval, later

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed_icalendar.calendar_text.components import Component
    from placed_icalendar.calendar_text.content_line import ContentLine
    from placed_icalendar.calendar_text.time_zones import TimeZones
    from placed_icalendar.occurrences.contents import Window

_TYPES = {
    "BUSY": ShowAs.BUSY,
    "BUSY-UNAVAILABLE": ShowAs.OOF,
    "BUSY-TENTATIVE": ShowAs.TENTATIVE,
}


def free_busy_meetings(component: Component, zones: TimeZones, window: Window) -> Iterator[Meeting]:
    """Yields the meetings that touch the window. They have no details, and are private.

    Raises:
        Malformed: a FREEBUSY is invalid.
    """
    for name, rest, number in component.properties:
        if name != b"FREEBUSY":
            continue
        line = content_line(name, rest, number)
        kind = line.parameters.get("FBTYPE", "BUSY").upper()
        if kind == "FREE":
            continue
        for period in read_periods(line, zones.zone_of):
            start, end = interval = _interval(line, period, zones)
            if interval.touches(window.since, window.until):
                yield Meeting(
                    key=f"free/busy\n{start.isoformat()}",
                    start=start,
                    end=end,
                    show_as=_TYPES.get(kind, ShowAs.UNRECOGNISED),
                    private=True,
                )


def _interval(line: ContentLine, period: Period, zones: TimeZones) -> Interval:
    start = zones.instant(period.start)
    if period.end is not None:
        return Interval(start, zones.instant(period.end))
    if period.duration is None:
        raise line.malformed("a busy time has no end")
    days = as_instant(later(period.start.wall, period.duration.days), period.start.zone or zones.default)
    return Interval(start, later(days, period.duration.exact))
