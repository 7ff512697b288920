"""A fault of the simulated services as a value: what goes wrong, where, for which room, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Where(StrEnum):
    """Which part of the services a fault is in."""

    CALENDAR = "calendar"  # calendarView, alone or as an item of a batch
    BATCH = "batch"  # the outer request of a batch
    GROUPS = "groups"
    PLACES = "places"
    GRAPH = "graph"  # whatever is asked of Graph from outside, batches included, but not their items
    WRITE = "write"  # a change of an event: POST, PATCH, DELETE, decline, cancel
    LOGIN = "login"  # the token endpoint
    DISCOVERY = "discovery"  # the OpenID configuration


class Kind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # an error answer: status, code, message, retry_after
    HTML = "html"  # a page of a gateway in place of JSON: status
    EMPTY = "empty"  # no body: status (200 by default)
    BOMB = "bomb"  # gzip of more than any client should unpack; it has no end
    DROP = "drop"  # the connection is cut without an answer
    DELAY = "delay"  # the answer comes late: seconds
    TRUNCATED = "truncated"  # the JSON breaks off in the middle
    WRONG_TYPES = "wrong_types"  # JSON of other types than promised: detail
    BAD_EVENT = "bad_event"  # one more event, malformed: detail
    ODD_EVENTS = "odd_events"  # events that mean what they did, written oddly: detail
    ENDLESS = "endless"  # @odata.nextLink for ever
    LACKING = "lacking"  # a list of rooms or members lacks some: detail
    NO_NEXT_LINK = "no_next_link"  # a full page without @odata.nextLink
    MISSING_ITEM = "missing_item"  # a batch answers one item less
    DUPLICATE_ITEM = "duplicate_item"  # a batch answers one item twice
    UNKNOWN_ITEM = "unknown_item"  # a batch answers an id that nobody asked for
    TOKEN = "token"  # noqa: S105 - the access token is refused with 401
    LOST_ANSWER = "lost_answer"  # it is done, and then: the connection is cut, or `status` of a gateway
    DATE = "date"  # `Date` is another: detail; and `Age`, as of a cache: age
    AADSTS = "aadsts"  # the login, or the discovery, refuses with this error: error


BAD_EVENTS = (
    "missing_start",
    "missing_end",
    "end_before_start",
    "unknown_show_as",
    "bad_date",
    "missing_id",
    "null_start",
)
ODD_EVENTS = (
    "ends_at_23_59",
    "carries_hours",
    "ends_the_same_day",
    "odd_sensitivity",
    "wrong_sensitivity",
    "twice",
    "empty_ids",
    "series_master",
)
MOVING = "moving"
WRONG_TYPES = ("value_is_object", "value_missing", "event_is_string", "body_is_list", "subject_is_number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        room: the address of the mailbox that it hits, in lower case; None hits all.
        times: how many requests it hits before it is over; None is until it is removed.
        retry_after: the header's text as it is: seconds, a fraction, an HTTP date, or nonsense.
        seconds: of a delay.
        error: number of the AADSTS error.
        detail: of `LACKING` the address of the room that is lacking, or "" for all;
        of `ENDLESS` "moving" for a link that is another one each time;
        of `BAD_EVENT` one of `BAD_EVENTS`, of `ODD_EVENTS` one of `ODD_EVENTS`, of `WRONG_TYPES` one of
        `WRONG_TYPES`, of `TOKEN` the message.
    """

    kind: Kind
    where: Where = Where.CALENDAR
    room: str | None = None
    times: int | None = None
    status: int = 503
    code: str = "ErrorServerBusy"
    message: str = "The server is busy. Please try again later."
    retry_after: str | None = None
    seconds: float = 0.0
    error: int = 90033
    detail: str = ""
    age: str | None = None

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError(f"times: at least 1, not {self.times}")
        known = {
            Kind.BAD_EVENT: BAD_EVENTS,
            Kind.ODD_EVENTS: ODD_EVENTS,
            Kind.WRONG_TYPES: WRONG_TYPES,
        }.get(self.kind)
        if known is not None and self.detail not in known:
            raise ValueError(f"detail: one of {', '.join(known)}, not {self.detail!r}")
