"""Calendars: whose they are, who may see them, and the events in them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed_google.simulator.workspace.event_model import moment_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from placed_google.simulator.workspace.calendar_sharing import AclRule
    from placed_google.simulator.workspace.event_model import Event
    from placed_google.simulator.workspace.event_series import Series


class Kind(Enum):
    """What a calendar belongs to."""

    PRIMARY = "primary"  # of a person
    SECONDARY = "secondary"  # one that somebody made
    RESOURCE = "resource"  # of a room


@dataclass(frozen=True, slots=True)
class UnseenChange:
    """A change of an event that lists do not show until a moment; `before` is None if there was no event.

    `since` is when it was made: where the clock is set back to before that, it shows.
    """

    since: datetime
    until: datetime
    event_id: str
    before: Event | None


@dataclass(slots=True, kw_only=True)
class Calendar:
    """A calendar and who may see it.

    Attributes:
        auto_accept: of a room, whether it answers invitations by itself; otherwise somebody has to approve.
        deleted: 410 from now on.
        version: grows with each change.
        unseen: changes that lists do not show yet, in their order.
    """

    id: str
    name: str
    zone: str
    kind: Kind
    auto_accept: bool = True
    deleted: bool = False
    rules: list[AclRule] = field(default_factory=list)
    events: dict[str, Event] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)
    version: int = 0
    unseen: list[UnseenChange] = field(default_factory=list)

    def as_listed(self, moment: datetime) -> Calendar:
        """Itself; or a copy in which what does not show yet has not happened."""
        self.unseen = [change for change in self.unseen if change.since <= moment < change.until]
        if not self.unseen:
            return self
        events = self.events.copy()
        for change in reversed(self.unseen):
            if change.before is None:
                events.pop(change.event_id, None)
            else:
                events[change.event_id] = change.before
        return replace(self, events=events, unseen=[])

    @property
    def time_zone(self) -> ZoneInfo:
        """Its zone, in which dates begin."""
        return ZoneInfo(self.zone)

    def put(self, event: Event) -> None:
        """Add or replace an event; an occurrence of a series is an exception from then on."""
        self.events[event.id] = event
        self.version += 1

    def put_series(self, series: Series) -> None:
        """Add or replace a recurring event."""
        self.series[series.event.id] = series
        self.version += 1

    def drop(self, event_id: str) -> None:
        """Remove an event for good; of a series with all that was changed of it."""
        self.series.pop(event_id, None)
        kept = {key: event for key, event in self.events.items() if event_id not in (key, event.series)}
        self.events = kept
        self.version += 1

    def find(self, event_id: str) -> Event | None:
        """The event, the occurrence or the recurring event with that id."""
        if event_id in self.events:
            return self.events[event_id]
        if event_id in self.series:
            return self.series[event_id].master
        series = self.series.get(event_id.partition("_")[0])
        return series.find(event_id) if series is not None else None

    def within(self, since: datetime | None, until: datetime | None) -> Iterator[Event]:
        """The events and occurrences that end after `since` and start before `until`; None does not limit."""
        for event in self.events.values():
            if self.overlaps(event, since, until):
                yield event
        for series in self.series.values():
            for event in series.occurrences(since, until):
                if event.id not in self.events and self.overlaps(event, since, until):
                    yield event

    def recurring(self, since: datetime | None, until: datetime | None) -> Iterator[Event]:
        """The same without expansion: recurring events with their exceptions."""
        for series in self.series.values():
            if any(self.overlaps(event, since, until) for event in series.occurrences(since, until)):
                yield series.master
        for event in self.events.values():
            if self.overlaps(event, since, until):
                yield event

    def overlaps(self, event: Event, since: datetime | None, until: datetime | None) -> bool:
        """Whether the event ends after `since` and starts before `until`; both are exclusive."""
        zone = self.time_zone
        late = since is None or moment_of(event.end, zone) > since
        return late and (until is None or moment_of(event.start, zone) < until)


@dataclass(frozen=True, slots=True)
class EventWrite:
    """What an application has done to an event.

    Attributes:
        before: None for a new one.
        after: None for one that was deleted.
        notifies: whether people are notified of it.
    """

    calendar: Calendar
    before: Event | None
    after: Event | None
    notifies: bool
