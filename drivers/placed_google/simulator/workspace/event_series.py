"""Recurring events: a rule, and the occurrences that follow from it.

Only rules that repeat every so many days or weeks, at the same hour of the zone's wall clock. An occurrence
that was changed by itself is an event of the calendar, with the id that the occurrence has by the rule.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed_google.simulator.workspace.event_model import Event, When

Frequency = Literal["DAILY", "WEEKLY"]
DAYS: dict[Frequency, int] = {"DAILY": 1, "WEEKLY": 7}
MOST_WITHOUT_END = 730
"""How many occurrences of an endless series are listed if the window has no end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A recurring event. `event` is the first occurrence, with the id of the series."""

    event: Event
    frequency: Frequency = "WEEKLY"
    interval: int = 1
    count: int | None = None

    @property
    def rule(self) -> str:
        """As it stands in `recurrence`."""
        parts = [f"FREQ={self.frequency}"]
        if self.interval != 1:
            parts.append(f"INTERVAL={self.interval}")
        if self.count is not None:
            parts.append(f"COUNT={self.count}")
        return f"RRULE:{';'.join(parts)}"

    @property
    def master(self) -> Event:
        """The recurring event itself, as it is listed without `singleEvents`."""
        return replace(self.event, recurrence=(self.rule,))

    @property
    def step(self) -> timedelta:
        """From one occurrence to the next, by the wall clock."""
        return timedelta(days=DAYS[self.frequency] * self.interval)

    def occurrence(self, number: int) -> Event:
        """By its number, from 0."""
        start = _later(self.event.start, self.step * number, self.event.zone)
        end = _later(self.event.end, self.step * number, self.event.zone)
        return replace(
            self.event,
            id=f"{self.event.id}_{suffix(start)}",
            start=start,
            end=end,
            series=self.event.id,
            original_start=start,
        )

    def occurrences(self, since: datetime | None, until: datetime | None) -> Iterator[Event]:
        """Those that may lie in the window, by start; some more may come before and after it."""
        number = 0 if since is None else max(0, (since.date() - _day(self.event.start)) // self.step - 2)
        most = MOST_WITHOUT_END if self.count is None and until is None else self.count
        while most is None or number < most:
            occurrence = self.occurrence(number)
            if until is not None and _day(occurrence.start) > until.date() + timedelta(days=1):
                return
            yield occurrence
            number += 1

    def find(self, event_id: str) -> Event | None:
        """The occurrence with that id; None if there is none by the rule."""
        for occurrence in self.occurrences(None, _moment_in(event_id)):
            if occurrence.id == event_id:
                return occurrence
        return None

    def until(self, original: When) -> Series:
        """The series that ends before this occurrence, as after a change of "this and all following"."""
        number = (_day(original) - _day(self.event.start)) // self.step
        return replace(self, count=number)


def suffix(start: When) -> str:
    """What an occurrence's id has behind that of its series."""
    return f"{start:%Y%m%dT%H%M%SZ}" if isinstance(start, datetime) else f"{start:%Y%m%d}"


def _moment_in(event_id: str) -> datetime:
    """The moment in an occurrence's id; long ago if there is none in it."""
    text = event_id.partition("_")[2].partition("T")[0]
    try:
        return datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)


def _later(when: When, length: timedelta, zone: str) -> When:
    if not isinstance(when, datetime):
        return when + length
    return (when.astimezone(ZoneInfo(zone)) + length).astimezone(UTC)


def _day(when: When) -> date:
    return when.date() if isinstance(when, datetime) else when
