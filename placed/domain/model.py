"""The values that placed speaks in.

All are frozen. Every `datetime` is aware and in UTC; other time zones exist only at the doors. An interval
is half-open: it holds its first moment and not its last.

They are structs of msgspec, which are made in a tenth of the time that a frozen dataclass takes, and of which
there are a hundred thousand: gc=False spares the collector them, since none can be part of a cycle.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec


class ShowAs(StrEnum):
    """How a meeting shows in free/busy; spelled as calendar services and the settings spell it."""

    FREE = "free"
    TENTATIVE = "tentative"
    BUSY = "busy"
    OOF = "oof"
    WORKING_ELSEWHERE = "workingElsewhere"
    UNRECOGNISED = "unrecognised"


class Status(StrEnum):
    """What a room is, in one word."""

    FREE = "free"
    STARTING = "starting"
    BUSY = "busy"
    PENDING = "pending"  # booked and waiting for a check-in; only where check-in is switched on
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why a room is stale or unknown."""

    NOT_READ_YET = "not_read_yet"
    FORBIDDEN = "forbidden"  # the room mailbox is outside the fence, or consent is not given
    NOT_FOUND = "not_found"  # there is no such mailbox
    THROTTLED = "throttled"  # the service asked for patience
    MALFORMED = "malformed"  # the service answered with something that is no calendar
    UNAVAILABLE = "unavailable"  # network, or a fault of the service
    REFUSED = "refused"  # the whole connection is refused: credential, application or tenant
    BREACHED = "breached"  # the fence does not hold, so nothing is read
    EXPIRED = "expired"  # what is known is too old, with no failure told


class Room(msgspec.Struct, frozen=True, gc=False):
    """A room mailbox. `id` is for everybody; `address` and `mailbox` never leave the program."""

    id: str
    connection: str
    address: str  # SMTP address, lower-case
    mailbox: str  # what the service knows the mailbox by; an object id where it is known
    name: str
    time_zone: ZoneInfo
    building: str | None = None
    floor: str | None = None
    capacity: int | None = None
    object_id: str | None = None  # by which the service knows it for good, whatever its address

    def is_same_mailbox(self, other: Room) -> bool:
        """Whether both are one mailbox of one connection, though its address may have changed."""
        if self.mailbox == other.mailbox:
            return True
        if self.object_id is not None and other.object_id is not None:
            return self.object_id == other.object_id
        return self.address == other.address


class Meeting(msgspec.Struct, frozen=True, gc=False):
    """One occurrence on a room's calendar, [start, end), as the service tells it.

    The service may tell nonsense, such as an end before the start; the rules of occupancy see to that.
    """

    key: str  # stands for the service's identity of the occurrence, of its room; stays when it is moved
    start: datetime
    end: datetime
    show_as: ShowAs = ShowAs.BUSY
    cancelled: bool = False
    declined: bool = False
    private: bool = False
    all_day: bool = False
    title: str | None = None
    organizer: str | None = None

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            raise ValueError("a meeting's start and end are aware datetimes in UTC")


class Schedule(msgspec.Struct, frozen=True, gc=False):
    """A room's meetings in the window [since, until), as read at `read_at`.

    `again_within` is when it is meant to be read again, where that may be long: nothing is stale for it.
    """

    meetings: tuple[Meeting, ...]
    since: datetime
    until: datetime
    read_at: datetime
    again_within: timedelta = timedelta()


class Occupancy(msgspec.Struct, frozen=True, gc=False):
    """What a room is at a moment, and until when that holds.

    `current` is of the meetings running now the one that started first, `conflicts` are the others.
    `busy_until` and `free_until` look through back-to-back meetings; at most one of them is set.
    """

    status: Status
    stale: bool
    valid_until: datetime
    current: Meeting | None = None
    next: Meeting | None = None
    conflicts: tuple[Meeting, ...] = ()
    busy_until: datetime | None = None
    free_until: datetime | None = None
    observed_at: datetime | None = None
    reason: Reason | None = None

    @property
    def occupied(self) -> bool | None:
        """Whether somebody has the room now; None when that is not known."""
        if self.status is Status.UNKNOWN:
            return None
        return self.status in (Status.BUSY, Status.PENDING)


def whole_days(first: date, after: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The UTC interval from midnight of `first` to midnight of `after` on the clocks of `zone`.

    A day across a change of clocks has 23 or 25 hours. Where midnight itself does not exist, the day
    begins with the first moment that does.
    """
    return _midnight(first, zone), _midnight(after, zone)


def window(
    moment: datetime, zone: ZoneInfo, days_ahead: int, at_least: timedelta = timedelta()
) -> tuple[datetime, datetime]:
    """The polling window around `moment`: from local yesterday to the end of the day `days_ahead`.

    It goes on for `at_least` that long, to the end of a day: before midnight the next day is part of it, so
    that what is read now is not over before it is read again.
    """
    today = moment.astimezone(zone).date()
    last = max(today + timedelta(days=days_ahead), (moment + at_least).astimezone(zone).date())
    return whole_days(today - timedelta(days=1), last + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)
