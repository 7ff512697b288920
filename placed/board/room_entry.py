"""The board's entry for a room: what is known of it, its latest statement, and when that is renewed. Pure."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.model import Meeting, Reason, Room, Schedule, Status
from placed.domain.occupancy import Policy, lapse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placed.domain.state_document import Statement

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class KnownRoom:
    """What is known of a room, for the store that keeps it over a restart."""

    room: Room
    schedule: Schedule | None
    failure: Reason | None
    changed_at: datetime  # since when its occupancy is the same
    noted_at: datetime | None = None  # of an earlier run: when it was read, by the clock of that time


@dataclass(slots=True)
class RoomEntry:
    """The board's entry for a room."""

    room: Room
    statement: Statement
    schedule: Schedule | None = None
    failure: Reason | None = None
    change: datetime | None = None  # when its occupancy changes by the calendar
    renewal: datetime = _LONG_AGO  # when the statement has to be renewed so that it does not expire
    noted_at: datetime | None = None  # as in `KnownRoom`, until it is read again

    @property
    def known(self) -> KnownRoom:
        """What has to be stored."""
        return KnownRoom(self.room, self.schedule, self.failure, self.statement.changed_at, self.noted_at)

    def clock_was_set(self, by: timedelta, moment: datetime) -> None:
        """The clock was set by so much, to `moment`: the reading keeps its age."""
        if self.schedule is not None:
            read_at = self.schedule.read_at + by
            if self.noted_at is not None and self.noted_at <= moment:
                # The clock was wrong at the start, so it was not known how long the daemon was down.
                read_at = min(read_at, self.noted_at)
            self.schedule = replace(self.schedule, read_at=read_at)

    def lapses_at(self, moment: datetime, policy: Policy) -> datetime | None:
        """When its reading becomes stale; if it is stale, when it expires. None if there is no reading."""
        if self.schedule is None:
            return None
        stale = self.statement.occupancy.stale
        return lapse(self.schedule, moment, policy, self.failure, stale=stale)

    def renew_at(self, policy: Policy) -> datetime:
        """When its statement has to be renewed.

        That is after a third to two thirds of its life, spread over the rooms so that they are not all
        renewed at once.
        """
        occupancy = self.statement.occupancy
        share = (1000 + zlib.crc32(self.room.id.encode()) % 1000) / 3000
        life = policy.expire_after
        observed_at = occupancy.observed_at
        if (
            occupancy.status is Status.UNKNOWN
            or observed_at is None
            or occupancy.valid_until > observed_at + life
        ):
            # It is valid from when it was made, not from when the calendar was read.
            return occupancy.valid_until - life + life * share
        return observed_at + life * share


def with_objects_of(before: Iterable[Meeting], now: Iterable[Meeting]) -> tuple[Meeting, ...]:
    """Returns the new meetings, with equal old objects in their place, to save memory."""
    known = {meeting.key: meeting for meeting in before}
    return tuple([same if (same := known.get(m.key)) == m else m for m in now])
