"""What a command asks to write, judged by the bookings that were looked at just before. Pure.

No rule of the calendar service applies to what is written into a room's own calendar, so the rules are here:
nothing overlaps, nothing is longer than `longest`, and what is ended is the meeting that the panel showed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.actions.command_outcome import Effect
from placed.domain.action import Action, Refusal
from placed.domain.occupancy import occupies
from placed.driver.booking import Book, Booking, Order, Release, Shorten, Withdraw

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from placed.domain.action import Command
    from placed.domain.model import Room
    from placed.domain.occupancy import Policy
    from placed.driver.action_settings import ActionSettings

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Situation:
    """What a command is judged by.

    Attributes:
        room: the room.
        bookings: all of them around `now`, as they were looked at just before.
        now: the time.
        policy: which bookings occupy the room.
        settings: what panels may do.
    """

    room: Room
    bookings: Sequence[Booking]
    now: datetime
    policy: Policy
    settings: ActionSettings

    @property
    def occupying(self) -> list[Booking]:
        """The bookings that occupy the room, in the order in which the board shows meetings."""
        found = [booking for booking in self.bookings if occupies(booking.meeting, self.policy)]
        return sorted(found, key=_place)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to write.

    Attributes:
        orders: in their sequence; none if what is asked for is so already.
        shown: how a schedule shows that, if there is no order.
    """

    orders: tuple[Order, ...] = ()
    shown: Effect | None = None


def plan(command: Command, situation: Situation) -> Plan | Refusal:
    """Returns what to write for a command that writes."""
    match command.action:
        case Action.BOOK:
            return _book(command, situation)
        case Action.EXTEND:
            return _extend(command, situation)
        case Action.END:
            return _end(command, situation)
    return Refusal.NOT_ALLOWED  # a check-in writes nothing


def _book(command: Command, situation: Situation) -> Plan | Refusal:
    now, until = situation.now, command.until
    if until is None or until <= now:
        return Refusal.TOO_LATE
    start = _to_the_minute(now)
    if any(_overlaps(booking, start, now) for booking in situation.occupying):
        start = now  # a meeting has ended within this minute
    elif until - start > situation.settings.longest:
        start = _to_the_next_second(now)  # a panel that asks for `longest` counts from now
    return _booking(command, situation, start, until, counted_from=start)


def _extend(command: Command, situation: Situation) -> Plan | Refusal:
    named = _running_as_named(command, situation)
    until = command.until
    if isinstance(named, Refusal):
        return named
    if until is None or until <= situation.now:
        return Refusal.TOO_LATE
    first, last = (
        _made_before(named, situation.occupying),
        [named, *_made_after(named, situation.occupying)][-1],
    )
    end = last.meeting.end
    if until == end:
        return Plan(shown=Effect(last.meeting.key))
    if until < end:
        return Refusal.CHANGED
    made_first = next((b for b in (*first, named) if b.made_with is not None), None)
    counted_from = made_first.meeting.start if made_first is not None else named.meeting.end
    return _booking(command, situation, end, until, counted_from=counted_from)


def _booking(
    command: Command, situation: Situation, start: datetime, until: datetime, *, counted_from: datetime
) -> Plan | Refusal:
    if until - counted_from > situation.settings.longest:
        return Refusal.TOO_LONG
    if any(_overlaps(booking, start, until) for booking in situation.occupying):
        return Refusal.CONFLICT
    return Plan((Book(command.key, situation.room, start, until, situation.settings.subject),))


def _end(command: Command, situation: Situation) -> Plan | Refusal:
    named = _running_as_named(command, situation)
    if isinstance(named, Refusal):
        return named
    if not named.changeable or named.meeting.all_day:
        return Refusal.NOT_ALLOWED
    room, settings = situation.room, situation.settings
    extensions = [Withdraw(command.key, room, booking) for booking in _made_after(named, situation.occupying)]
    if settings.end == "decline" and named.made_with is None:
        return Plan((*extensions, Release(command.key, room, named, settings.end_comment)))
    end = max(_to_the_next_minute(situation.now), named.meeting.start + _MINUTE)
    if end >= named.meeting.end:
        return Plan(tuple(extensions), Effect(named.meeting.key, named.meeting.end))
    return Plan((*extensions, Shorten(command.key, room, named, end)))


def _place(booking: Booking) -> tuple[datetime, float, str]:
    meeting = booking.meeting
    return meeting.start, -meeting.end.timestamp(), meeting.key


def _running_as_named(command: Command, situation: Situation) -> Booking | Refusal:
    """Returns the running booking that the command names by its start."""
    if command.meeting is None:
        return Refusal.NO_SUCH_MEETING
    now = situation.now
    running = [b for b in situation.occupying if b.meeting.start <= now < b.meeting.end]
    for booking in running:
        if booking.meeting.start == command.meeting:
            return booking
    return Refusal.CHANGED if running else Refusal.NO_SUCH_MEETING


def _made_after(named: Booking, bookings: Sequence[Booking]) -> list[Booking]:
    """Returns the extensions of a booking: those that placed made, each from the end of the one before."""
    found, end = [], named.meeting.end
    for booking in bookings:
        if booking.made_with is not None and booking.meeting.start == end:
            found.append(booking)
            end = booking.meeting.end
    return found


def _made_before(named: Booking, bookings: Sequence[Booking]) -> list[Booking]:
    """Returns what a booking that placed made extends, as far as placed made that, too, in order."""
    found: list[Booking] = []
    start = named.meeting.start
    for booking in reversed(bookings) if named.made_with is not None else ():
        if booking.made_with is not None and booking.meeting.end == start:
            found.insert(0, booking)
            start = booking.meeting.start
    return found


def overlapping(bookings: Iterable[Booking], start: datetime, end: datetime, policy: Policy) -> list[Booking]:
    """Returns the bookings that occupy the room at some time in [start, end)."""
    return [b for b in bookings if occupies(b.meeting, policy) and _overlaps(b, start, end)]


def _overlaps(booking: Booking, start: datetime, end: datetime) -> bool:
    return booking.meeting.start < end and start < booking.meeting.end


def _to_the_minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _to_the_next_second(moment: datetime) -> datetime:
    floor = moment.replace(microsecond=0)
    return floor if floor == moment else floor + timedelta(seconds=1)


def _to_the_next_minute(moment: datetime) -> datetime:
    floor = _to_the_minute(moment)
    return floor if floor == moment else floor + _MINUTE
