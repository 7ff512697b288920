"""What goes wrong at the simulated CalDAV server: where, for which calendar, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from placed_simulator.fault_switches import FaultSwitches


class Where(StrEnum):
    """Which requests a fault is in."""

    HOME = "home"  # PROPFIND of the home, and of what lists calendars
    CALENDAR = "calendar"  # REPORT on a calendar
    SERVER = "server"  # every request


class Kind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # an error answer: status, retry_after
    HTML = "html"  # a page in place of XML: status, 200 for a sign-in page
    DROP = "drop"  # the connection is cut without an answer
    DELAY = "delay"  # the answer comes late: seconds
    TRUNCATED = "truncated"  # the XML breaks off in the middle
    ENTITIES = "entities"  # a document type with entities that expand without an end
    HUGE = "huge"  # a megabyte of XML that nobody asked for
    RESPONSE = "response"  # one response in the multistatus has this status
    NO_DATA = "no_data"  # one object comes without its text
    CUT = "cut"  # some objects are left out, and a response with 507 is the sign of it (RFC 6578, 3.6)
    TOO_MANY = "too_many"  # 403 with the precondition number-of-matches-within-limits (RFC 4791, 7.8)
    ABSOLUTE = "absolute"  # addresses with scheme and host: detail, another host than the own
    ENCODED = "encoded"  # every character of an address is percent-encoded
    NO_SLASH = "no_slash"  # addresses of collections without a slash at the end
    FROZEN_TAG = "frozen_tag"  # tags stay although the calendar changes
    RESTLESS_TAG = "restless_tag"  # tags change each time
    NO_TAG = "no_tag"  # there are no tags
    SYNC_TOKEN = "sync_token"  # noqa: S105 - the property sync-token is refused with this status
    TIME_RANGE = "time_range"  # one object is left out if the question has a time range
    EVENT = "event"  # one more object, whose text is: detail
    DATE = "date"  # `Date` holds: detail


# Those that change what an answer holds, and not what kind of answer it is.
OF_CONTENT = frozenset(
    {
        Kind.ABSOLUTE,
        Kind.ENCODED,
        Kind.NO_SLASH,
        Kind.FROZEN_TAG,
        Kind.RESTLESS_TAG,
        Kind.NO_TAG,
        Kind.SYNC_TOKEN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DavFault:
    """One thing that goes wrong.

    Attributes:
        room: the calendar that it hits, by its name; None hits all.
        times: how many requests it hits before it is over; None is until it is removed.
    """

    kind: Kind
    where: Where = Where.SERVER
    room: str | None = None
    times: int | None = None
    status: int = 503
    retry_after: str | None = None
    seconds: float = 0.0
    detail: str = ""

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError(f"times: at least 1, not {self.times}")


class DavFaults(FaultSwitches[DavFault]):
    """The faults that are switched on."""

    def on(self, kind: Kind, room: str | None = None) -> DavFault | None:
        """The first fault of the kind that hits the calendar; none is used up."""
        for fault in self.active():
            if fault.kind is kind and fault.room in (None, room):
                return fault
        return None
