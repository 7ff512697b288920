"""A fault of the simulated hosts as a value: what goes wrong, where, for which room, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Where(StrEnum):
    """Which part of the hosts a fault is in."""

    CALENDAR = "calendar"  # the events of one calendar, alone or as a part of a batch
    BATCH = "batch"  # the outer request of a batch
    WRITE = "write"  # events that are inserted, changed or deleted
    FREE_BUSY = "free_busy"
    DIRECTORY = "directory"
    API = "api"  # whatever is asked of an API from outside, batches included, but not their parts
    TOKEN = "token"  # noqa: S105 - the token host, and those of keyless sign-in


class Kind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # an error answer: status, reason, message, domain, retry_after
    HTML = "html"  # a page in place of JSON: status; with 200 that of a captive portal
    EMPTY = "empty"  # no body: status (200 by default)
    DROP = "drop"  # the connection is cut without an answer
    DELAY = "delay"  # the answer comes late: seconds
    LOST_ANSWER = "lost_answer"  # it is done, and then: the connection is cut, or `status` of a gateway
    TRUNCATED = "truncated"  # JSON, or the multipart of a batch, breaks off in the middle
    WRONG_TYPES = "wrong_types"  # JSON of other types than promised: detail
    BAD_EVENT = "bad_event"  # one more event, unusual or malformed: detail
    EMPTY_PAGE = "empty_page"  # a page without events, and a token for the one that has them
    ENDLESS = "endless"  # nextPageToken for ever
    MISSING_PART = "missing_part"  # a batch answers one part less
    DUPLICATE_PART = "duplicate_part"  # a batch answers with one Content-ID twice
    UNKNOWN_PART = "unknown_part"  # a batch answers a Content-ID that nobody asked with
    NO_CONTENT_ID = "no_content_id"  # a part of a batch comes back without one
    CREDENTIALS = "credentials"  # the access token is refused with 401
    DATE = "date"  # `Date` is another: detail; and `Age`, as of a cache: age
    OAUTH = "oauth"  # the token host refuses: status, reason (as `error`), message


BAD_EVENTS = (
    "missing_start",
    "missing_end",
    "missing_id",
    "missing_status",
    "end_before_start",
    "no_times",
    "bad_date",
    "null_start",
    "unknown_event_type",
    "unknown_status",
    "unknown_transparency",
    "unknown_response",
)
WRONG_TYPES = ("items_is_object", "items_missing", "event_is_string", "body_is_list", "summary_is_number")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        room: the address of the calendar that it hits, in lower case; None hits all.
        times: how many requests it hits before it is over; None is until it is removed.
        retry_after: the header's text as it is: seconds, an HTTP date, or nonsense.
        seconds: of a delay.
        detail: of `BAD_EVENT` one of `BAD_EVENTS`, of `WRONG_TYPES` one of `WRONG_TYPES`, of `DATE` the text.
    """

    kind: Kind
    where: Where = Where.CALENDAR
    room: str | None = None
    times: int | None = None
    status: int = 503
    reason: str = "backendError"
    message: str = "Backend Error"
    domain: str = "global"
    retry_after: str | None = None
    seconds: float = 0.0
    detail: str = ""
    age: str | None = None

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError(f"times: at least 1, not {self.times}")
        known = {Kind.BAD_EVENT: BAD_EVENTS, Kind.WRONG_TYPES: WRONG_TYPES}.get(self.kind)
        if known is not None and self.detail not in known:
            raise ValueError(f"detail: one of {', '.join(known)}, not {self.detail!r}")
