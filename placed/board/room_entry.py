"""The board's entry for a room: what is known of it, its latest statement, and when that is renewed. Pure."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from placed.board.room_use import UseSince
from placed.domain.check_in_rules import RoomCheckIns
from placed.domain.model import Reason, Room, Schedule, Status
from placed.domain.occupancy import Policy, lapse
from placed.domain.presence import Presence
from placed.domain.state_document import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed.domain.presence import PresenceJudgement

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class KnownRoom(msgspec.Struct, frozen=True, gc=False):
    """What is known of a room, for the store that keeps it over a restart."""

    room: Room
    schedule: Schedule | None
    failure: Reason | None
    changed_at: datetime  # since when its occupancy is the same
    noted_at: datetime | None = None  # of an earlier run: when it was read, by the clock of that time
    presence: Presence | None = None  # as it may be shown


class RoomEntry(msgspec.Struct, gc=False, eq=False):
    """The board's entry for a room. It is no part of a cycle."""

    room: Room
    statement: Statement
    schedule: Schedule | None = None
    failure: Reason | None = None
    change: datetime | None = None  # when its occupancy changes by the calendar
    renewal: datetime = _LONG_AGO  # when the statement has to be renewed so that it does not expire
    noted_at: datetime | None = None  # as in `KnownRoom`, until it is read again
    calendar_valid_until: datetime = _LONG_AGO  # of the statement, by the calendar alone
    presence: Presence | None = None  # by its sensors, whatever may be shown of it
    presence_change: datetime | None = None  # when that changes by itself
    earlier_presence: Presence | None = None  # of an earlier run, while none is known in this one
    use: UseSince | None = None
    check_ins: RoomCheckIns | None = None  # where check-in is on
    again: bool = False  # whether it has to be stated again though nothing has changed

    @property
    def known(self) -> KnownRoom:
        """What has to be stored."""
        presence = self.statement.presence
        if presence is not None and presence.valid_until is None:
            presence = self.earlier_presence
        return KnownRoom(
            self.room, self.schedule, self.failure, self.statement.changed_at, self.noted_at, presence
        )

    def clock_was_set(self, by: timedelta, moment: datetime) -> None:
        """The clock was set by so much, to `moment`: the reading and the presence keep their age."""
        self.again = True
        if self.schedule is not None:
            read_at = self.schedule.read_at + by
            if self.noted_at is not None and self.noted_at <= moment:
                # The clock was wrong at the start, so it was not known how long the daemon was down.
                read_at = min(read_at, self.noted_at)
            self.schedule = replace(self.schedule, read_at=read_at)
        self.earlier_presence = None  # it is not known how long ago that was
        if self.presence is not None:
            self.presence = replace(self.presence, since=self.presence.since + by)
        if self.use is not None:
            self.use = self.use.clock_was_set(by)

    def note_presence(self, judgement: PresenceJudgement | None) -> None:
        """Keeps the presence by the room's sensors; None if there are none."""
        self.presence = judgement.presence if judgement is not None else None
        self.presence_change = judgement.change if judgement is not None else None

    @property
    def changes_at(self) -> Iterator[datetime]:
        """When it changes by itself: its occupancy, its statement, its presence or its use."""
        event_at = self.use.event_at if self.use is not None else None
        for moment in (self.renewal, self.change, self.presence_change, event_at):
            if moment is not None:
                yield moment

    def lapses_at(self, moment: datetime, policy: Policy) -> datetime | None:
        """When its reading becomes stale; if it is stale, when it expires. None if there is no reading."""
        if self.schedule is None:
            return None
        stale = self.statement.occupancy.stale
        return lapse(self.schedule, moment, policy, self.failure, stale=stale)

    def renew_at(self, policy: Policy, moment: datetime) -> datetime:
        """When its statement has to be renewed, which was made at `moment`.

        That is after a third to two thirds of its life, spread over the rooms so that they are not all
        renewed at once.
        """
        by_calendar = self._renew_by_calendar(policy)
        presence = self.statement.presence
        if presence is None or presence.valid_until is None:
            return by_calendar
        return min(by_calendar, moment + (presence.valid_until - moment) * self._share)

    @property
    def _share(self) -> float:
        return (1000 + zlib.crc32(self.room.id.encode()) % 1000) / 3000

    def _renew_by_calendar(self, policy: Policy) -> datetime:
        occupancy = self.statement.occupancy
        share, valid_until = self._share, self.calendar_valid_until
        life = policy.expire_after
        observed_at = occupancy.observed_at
        if occupancy.status is Status.UNKNOWN or observed_at is None or valid_until > observed_at + life:
            # It is valid from when it was made, not from when the calendar was read.
            return valid_until - life + life * share
        return observed_at + life * share
