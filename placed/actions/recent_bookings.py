"""What was booked a moment ago: a calendar service may show it some seconds late. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.model import Meeting
from placed.driver import Book, Booking, NotWritten, Withdraw

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.driver import Order, WriteResult

_LATE = 30.0  # seconds


class RecentBookings:
    """Bookings that were ordered, until they are seen. Times are seconds on the steady clock."""

    def __init__(self) -> None:
        self._unseen: dict[str, tuple[Book, float]] = {}  # by key

    def written(self, order: Order, result: WriteResult, moment: float) -> None:
        """Takes in an order that may have been carried out."""
        if isinstance(order, Book) and not isinstance(result, NotWritten):
            self._unseen[order.key] = order, moment
        elif isinstance(order, Withdraw):
            self._unseen.pop(order.booking.made_with or "", None)

    def merged(self, room_id: str, bookings: Sequence[Booking], moment: float) -> Sequence[Booking]:
        """Returns what was found, and what it may not show yet. The latter cannot be changed."""
        for booking in bookings:
            self._unseen.pop(booking.made_with or "", None)
        self._unseen = {key: (order, at) for key, (order, at) in self._unseen.items() if moment - at < _LATE}
        return [*bookings, *(_booking(o) for o, _ in self._unseen.values() if o.room.id == room_id)]


def is_unseen(booking: Booking) -> bool:
    """Whether the calendar does not show this booking yet."""
    return booking.handle is None


def _booking(order: Book) -> Booking:
    meeting = Meeting(f"unseen {order.key}", order.start, order.end)
    return Booking(meeting, None, made_with=order.key, changeable=False)
