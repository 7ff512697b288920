"""Settings of polling: how often the calendars are read, and how many readings at most."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from placed.domain.working_hours import WorkingHours
from placed.driver.setting_values import Duration, Table, above_zero

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

    def interval_of(self, usual: timedelta | None) -> timedelta:
        """How often the rooms of a connection are read.

        Args:
            usual: the connection's own interval, which counts unless the settings name one; None for none.
        """
        return self.interval if usual is None or "interval" in self.model_fields_set else usual

    def longest_interval(self, expire_after: timedelta, stale_after: timedelta | None = None) -> timedelta:
        """The longest interval with a budget, so that a room does not become stale or unknown."""
        return min(10 * self.interval, expire_after / 3, *([] if stale_after is None else [stale_after / 3]))

    @property
    def rediscover_or_default(self) -> timedelta:
        """How often the list of rooms is read again."""
        return self.rediscover or 10 * self.interval
