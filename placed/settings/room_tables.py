"""Tables of the rooms: how their calendars are read, what counts as occupied, and what may be shown."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from placed.domain.model import ShowPresence
from placed.domain.privacy import Show
from placed.domain.working_hours import WorkingHours
from placed.driver import TimeZone
from placed.settings.values import Duration, Table, above_zero, as_text

_DAY = timedelta(days=1)
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = re.compile(r"([0-2][0-9]):([0-5][0-9])")


def _after_midnight(hours: str, minutes: str) -> timedelta:
    return timedelta(hours=int(hours), minutes=int(minutes))


def _hours(value: str) -> str:
    found = re.fullmatch(rf"{_HOURS.pattern}-{_HOURS.pattern}", value)
    if not found or not _after_midnight(found[1], found[2]) < _after_midnight(found[3], found[4]) <= _DAY:
        raise ValueError("expected hours such as 07:00-19:00, at most 00:00-24:00")
    return value


class Polling(Table):
    """How the calendars are read."""

    interval: Annotated[Duration, AfterValidator(above_zero)] = Field(
        default=timedelta(seconds=30), description="How often each room's calendar is read."
    )
    days_ahead: int = Field(
        default=1, ge=0, le=60, description="How many days after today are read; yesterday is always read."
    )
    concurrency: int = Field(
        default=8, ge=1, le=64, description="Maximum number of simultaneous requests, per connection."
    )
    rediscover: Annotated[Duration, AfterValidator(above_zero)] | None = Field(
        default=None,
        description="How often the list of rooms is read again; by default ten intervals.",
    )

    budget: int | None = Field(
        default=None,
        ge=1,
        description="Maximum number of readings per minute, per connection: rooms are then read by need, at "
        "intervals of a sixth to ten times `interval`. Without it every room is read every interval.",
    )
    working_days: frozenset[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(
        default=frozenset(("mon", "tue", "wed", "thu", "fri")),
        description="Days on which rooms are read more often. Used with a budget.",
    )
    working_hours: Annotated[str, AfterValidator(_hours)] = Field(
        default="07:00-19:00",
        description="Hours in which rooms are read more often, in each room's time zone. Used with a budget.",
    )

    @property
    def hours(self) -> WorkingHours:
        """The working hours."""
        days = frozenset(place for place, day in enumerate(_WEEK) if day in self.working_days)
        since, until = _HOURS.findall(self.working_hours)
        return WorkingHours(days, _after_midnight(*since), _after_midnight(*until))

    def longest_interval(self, expire_after: timedelta, stale_after: timedelta | None = None) -> timedelta:
        """The longest interval with a budget, so that a room does not become stale or unknown."""
        return min(10 * self.interval, expire_after / 3, *([] if stale_after is None else [stale_after / 3]))

    @property
    def rediscover_or_default(self) -> timedelta:
        """How often the list of rooms is read again."""
        return self.rediscover or 10 * self.interval


class Occupancy(Table):
    """How occupancy is computed from the meetings."""

    lead: Duration = Field(
        default=timedelta(minutes=5),
        description="The time before its next meeting in which a free room is `starting`.",
    )
    busy_for: frozenset[Literal["busy", "tentative", "oof", "workingElsewhere"]] = Field(
        default=frozenset(("busy", "tentative", "oof", "workingElsewhere")),
        description="Which meetings occupy a room, by their status: busy, tentative, oof, workingElsewhere.",
    )
    stale_after: Annotated[Duration, AfterValidator(above_zero)] | None = Field(
        default=None,
        description="A room that was not read for this time is shown as stale. By default three intervals.",
    )
    expire_after: Annotated[Duration, AfterValidator(above_zero)] = Field(
        default=timedelta(minutes=15),
        description="A room that was not read for this time is unknown.",
    )
    offline_grace: Duration = Field(
        default=timedelta(),
        description="While the calendar service cannot be reached, the last readings are published as stale "
        "for this time, if it is longer than `expire_after`.",
    )


class Privacy(Table):
    """Which details of a meeting are published."""

    show: Show = Field(
        default=Show.NOTHING,
        description="nothing, organizer, title or everything (both). A private meeting never shows either.",
    )
    presence: ShowPresence = Field(
        default=ShowPresence.STATE,
        description="What is shown of the presence in rooms: nothing, state, or count (with the number).",
    )


class RoomSettings(Table):
    """The settings of one room; they override the values of the calendar service."""

    id: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9_-]+$",
        description="The room's id in topics and addresses: a-z, 0-9, - and _.",
    )
    name: str | None = Field(default=None, description="The room's display name.")
    building: str | None = Field(default=None, description="The building's name.")
    floor: Annotated[str, BeforeValidator(as_text)] | None = Field(
        default=None, description="The floor's name or number."
    )
    capacity: int | None = Field(default=None, ge=0, description="The number of seats.")
    time_zone: TimeZone | None = Field(default=None, description="The room's IANA time zone.")
    presence: ShowPresence | None = Field(
        default=None,
        description="What is shown of its presence; by default that of [privacy], and nothing for one seat.",
    )
