"""The values of room occupancy.

All are frozen. Every `datetime` is aware and in UTC; other time zones exist only at the interfaces. An
interval is half-open: it contains its first moment and not its last.

They are msgspec structs, which are created in a tenth of the time that a frozen dataclass takes. There are a
hundred thousand of them; gc=False excludes them from garbage collection, since none can be part of a cycle.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace


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
    THROTTLED = "throttled"  # the service throttles
    MALFORMED = "malformed"  # the response of the service is not a calendar
    UNAVAILABLE = "unavailable"  # network, or a fault of the service
    REFUSED = "refused"  # the whole connection is refused: credential, application or tenant
    BREACHED = "breached"  # the fence does not hold, so nothing is read
    EXPIRED = "expired"  # what is known is too old, without a reported failure


class ShowPresence(StrEnum):
    """What is shown of a room's presence."""

    NOTHING = "nothing"
    STATE = "state"
    COUNT = "count"


class Room(msgspec.Struct, frozen=True, gc=False):
    """A room mailbox. `id` is public; `address` and `mailbox` never leave the program."""

    id: str
    connection: str
    address: str  # SMTP address, lower-case
    mailbox: str  # how the service names the mailbox; an object id if it is known
    name: str
    time_zone: ZoneInfo
    building: str | None = None
    floor: str | None = None
    capacity: int | None = None
    object_id: str | None = None  # the service's permanent id, whatever the address
    zone_is_set: bool = False  # whether the settings of this room name its time zone
    show_presence: ShowPresence | None = None  # what is shown of its presence, if the room has a setting

    def is_same_mailbox(self, other: Room) -> bool:
        """Whether both are one mailbox of one connection, even if its address has changed."""
        if self.connection != other.connection:
            return False
        if self.object_id is not None and other.object_id is not None:
            return self.object_id == other.object_id  # an address may have been given to another mailbox
        return self.mailbox == other.mailbox or self.address == other.address


EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)


class Meeting(msgspec.Struct, frozen=True, gc=False):
    """One occurrence on a room's calendar, [start, end), as the service reports it.

    The service may report nonsense, such as an end before the start; the rules of occupancy handle that.
    Times before `EARLIEST` and after `LATEST` are set to these, so that all can calculate with them.
    """

    key: str  # identifies the occurrence within its room; it stays when the meeting is moved
    start: datetime
    end: datetime
    show_as: ShowAs = ShowAs.BUSY
    cancelled: bool = False
    declined: bool = False
    private: bool = False
    all_day: bool = False
    title: str | None = None
    organizer: str | None = None
    created_at: datetime | None = None  # when it was booked, where the service is asked for it
    series: str | None = None  # the same for all occurrences of a series, where the service is asked for it

    def __post_init__(self) -> None:
        if self.start.tzinfo is not UTC or self.end.tzinfo is not UTC:
            raise ValueError("a meeting's start and end are aware datetimes in UTC")
        if not (EARLIEST <= self.start <= LATEST and EARLIEST <= self.end <= LATEST):
            for name, moment in (("start", self.start), ("end", self.end)):
                msgspec.structs.force_setattr(self, name, min(max(moment, EARLIEST), LATEST))


class CheckInState(StrEnum):
    """Whether a meeting can be checked in to."""

    OPEN = "open"
    DONE = "done"  # it was checked in to, or counts as checked in
    CLOSED = "closed"  # nobody checked in within the time for it


class CheckIn(msgspec.Struct, frozen=True, gc=False):
    """The check-in to a running meeting, or to the next one: it is accepted in [opens, closes)."""

    state: CheckInState
    meeting: datetime  # its start
    opens: datetime
    closes: datetime


class Schedule(msgspec.Struct, frozen=True, gc=False):
    """A room's meetings in the window [since, until), as read at `read_at`.

    `again_within` is the planned time until the next reading, if it is long: until then nothing is stale.
    """

    meetings: tuple[Meeting, ...]
    since: datetime
    until: datetime
    read_at: datetime
    again_within: timedelta = timedelta()

    @property
    def impossible(self) -> int:
        """How many meetings end no later than they start, and so occupy nothing."""
        return sum(meeting.end <= meeting.start for meeting in self.meetings)

    def with_objects_of(self, earlier: Schedule) -> Schedule:
        """Returns the same, with equal meetings of an earlier reading in their place, to save memory."""
        known = {meeting.key: meeting for meeting in earlier.meetings}
        meetings = [same if (same := known.get(m.key)) == m else m for m in self.meetings]
        return replace(self, meetings=tuple(meetings))


class Occupancy(msgspec.Struct, frozen=True, gc=False):
    """The occupancy of a room at a moment, and until when it holds.

    `current` is the running meeting that started first, `conflicts` are the other running ones.
    `busy_until` and `free_until` look through back-to-back meetings; at most one of them is set.
    `check_in` is None where check-in is off, and while there is nothing to check in to.
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
    check_in: CheckIn | None = None

    @property
    def occupied(self) -> bool | None:
        """Whether the room is occupied; None if that is not known."""
        if self.status is Status.UNKNOWN:
            return None
        return self.status in (Status.BUSY, Status.PENDING)


def whole_days(first: date, after: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Returns the UTC interval from midnight of `first` to midnight of `after` in `zone`.

    A day with a change of clocks has 23 or 25 hours. If midnight itself does not exist, the day begins with
    the first moment that does.
    """
    return _midnight(first, zone), _midnight(after, zone)


def window(
    moment: datetime, zone: ZoneInfo, days_ahead: int, at_least: timedelta = timedelta()
) -> tuple[datetime, datetime]:
    """Returns the polling window around `moment`: from local yesterday to the end of the day `days_ahead`.

    It covers at least `at_least`, to the end of a day: before midnight the next day is part of it, so that
    the window does not end before the next reading.
    """
    today = moment.astimezone(zone).date()
    last = max(today + timedelta(days=days_ahead), (moment + at_least).astimezone(zone).date())
    return whole_days(today - timedelta(days=1), last + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)
