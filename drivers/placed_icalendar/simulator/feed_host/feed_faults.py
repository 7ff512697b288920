"""Faults of a simulated host of feeds as values: what goes wrong, for which room, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from placed_simulator.fault_switches import FaultSwitches


class Where(StrEnum):
    """Which part of the host a fault is in."""

    FEED = "feed"


class Kind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # an error: status, retry_after
    LOGIN_PAGE = "login_page"  # a page with a form in place of the calendar, with the status 200
    EMPTY = "empty"  # the status 200 and no body
    TEXT = "text"  # another text in place of the calendar: detail
    DROP = "drop"  # the connection is cut without an answer
    HANG = "hang"  # no answer at all, until the client leaves
    DRIP = "drip"  # a few bytes at a time, without an end
    CUT = "cut"  # chunked, and the connection is cut in the middle
    SHORT = "short"  # a whole answer, of a text that ends in the middle
    GARBLED = "garbled"  # gzip that cannot be unpacked
    BOMB = "bomb"  # gzip of more than any client should unpack
    REDIRECT = "redirect"  # to detail, which may be an address or a path; status (302 by default)
    LOOP = "loop"  # a redirect to itself
    LOGIN = "login"  # 401, whatever login comes
    UNCHANGED = "unchanged"  # 304, though something may have changed
    STUCK = "stuck"  # the same, but only if the client asks whether something has changed
    DATE = "date"  # `Date` is another: detail; and `Age`, as of a cache: age


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        room: the address of the room that it hits; None hits all.
        times: how many requests it hits before it is over; None is until it is removed.
        retry_after: the header's text as it is: seconds, an HTTP date, or nonsense.
    """

    kind: Kind
    where: Where = Where.FEED
    room: str | None = None
    times: int | None = None
    status: int = 503
    retry_after: str | None = None
    detail: str = ""
    age: str | None = None

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError(f"times: at least 1, not {self.times}")


class FeedFaults(FaultSwitches[Fault]):
    """The faults that are switched on."""

    def hit(self, room: str, *kinds: Kind) -> Fault | None:
        """The first fault of these kinds that hits a room; one of its times is used up."""
        return self.take(kinds, {Where.FEED}, room)
