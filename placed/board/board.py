"""The board: the latest statement of every room, its edges, and the listeners.

Everything here happens synchronously: when a reading arrives or an edge is due, the rooms concerned are
judged again, and if the result is new, a statement is made and every listener is notified.
"""

from __future__ import annotations

import heapq
import sys
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from placed.domain.model import Meeting, Occupancy, Reason, Room, Schedule, Status
from placed.domain.occupancy import Judgement, Policy, judge, lapse
from placed.domain.privacy import permitted_schedule
from placed.domain.room_event_detection import Event, events_between, rescheduled
from placed.domain.state_document import Statement, state_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from placed.domain.clock_health import ClockHealth
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.privacy import Show


class Listener(Protocol):
    """Is notified of what the board states. Every method returns at once; it queues the work."""

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:
        """A room has a new statement. One that is not urgent renews an earlier one, or is the first."""
        ...

    def rooms_changed(self, removed: frozenset[str]) -> None:
        """Rooms were added, removed or renamed."""
        ...

    def health_changed(self, health: ConnectionHealth) -> None:
        """A connection's health was reported."""
        ...

    def connection_removed(self, connection: str) -> None:
        """A connection is not in the settings any more. Its rooms were removed before."""
        ...


@dataclass(frozen=True, slots=True)
class KnownRoom:
    """What is known of a room, for the store that keeps it over a restart."""

    room: Room
    schedule: Schedule | None
    failure: Reason | None
    changed_at: datetime  # since when its occupancy is the same
    noted_at: datetime | None = None  # of an earlier run: when it was read, by the clock of that time


_FEW = 100  # moments that no longer count
_NEVER = datetime.max.replace(tzinfo=UTC)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _RoomEntry:
    """The board's entry for a room."""

    room: Room
    statement: Statement
    schedule: Schedule | None = None
    failure: Reason | None = None
    change: datetime | None = None  # when its occupancy changes by the calendar
    renewal: datetime = _LONG_AGO  # when the statement has to be renewed so that it does not expire
    due: datetime | None = None  # when it has to be judged again
    noted_at: datetime | None = None  # as in `KnownRoom`, until it is read again

    @property
    def known(self) -> KnownRoom:
        """What has to be stored."""
        return KnownRoom(self.room, self.schedule, self.failure, self.statement.changed_at, self.noted_at)


class Board:
    """Judges rooms and keeps their latest statements.

    Args:
        policy: the site's rules.
        show: what of a meeting may be shown.
        now: the wall clock.
        epoch: the number of this start of the daemon.
        believable: whether the time is known; if not, every room is unknown.
    """

    def __init__(
        self,
        policy: Policy,
        show: Show,
        now: Callable[[], datetime],
        epoch: int,
        believable: Callable[[], bool] = lambda: True,
    ) -> None:
        self.policy = policy
        self.show = show
        self.epoch = epoch
        self.seq = 0
        self.health: dict[str, ConnectionHealth] = {}
        self.clock: ClockHealth | None = None  # the state of the machine's clock; None before the first check
        self.listeners: list[Listener] = []
        self.removed: dict[str, int] = {}  # removed rooms, with the seq of their removal
        self.turned = 0  # how often an edge was due, or the clock was set
        self._now = now
        self._believable = believable
        self._places: dict[str, _RoomEntry] = {}
        self._due: list[tuple[datetime, str]] = []  # only the entry that the room itself refers to counts
        # No room that is not stale becomes too old earlier. Nearly all are read again before, so none has an
        # entry of its own in the heap for it: at that time all rooms are checked.
        self._lapse = _NEVER
        self._before: dict[tuple[str, str], KnownRoom] = {}
        # For these rooms the stored state differs from the known one: (connection, address) -> id.
        self.touched: dict[tuple[str, str], str] = {}

    # --- what is known ---

    @property
    def rooms(self) -> list[Room]:
        """Every room, by id."""
        return [self._places[room_id].room for room_id in sorted(self._places)]

    @property
    def statements(self) -> list[Statement]:
        """The latest statement of every room, by the rooms' ids."""
        return [self._places[room_id].statement for room_id in sorted(self._places)]

    def statement(self, room_id: str) -> Statement | None:
        """The latest statement of a room; None if there is no such room."""
        place = self._places.get(room_id)
        return place.statement if place else None

    @property
    def next_due(self) -> datetime | None:
        """When `turn` has something to do next."""
        due = min(self._due[0][0], self._lapse) if self._due else self._lapse
        return None if due is _NEVER else due

    def has_schedule(self, room_id: str) -> bool:
        """Whether a room's meetings are known, however old they are."""
        place = self._places.get(room_id)
        return place is not None and place.schedule is not None

    def known_of(self, room_id: str) -> KnownRoom | None:
        """What is known of a room; None if there is no such room."""
        place = self._places.get(room_id)
        return place.known if place else None

    def known(self) -> Iterator[KnownRoom]:
        """What is known of every room."""
        return (place.known for place in self._places.values())

    def remember(self, known: KnownRoom) -> None:
        """Sets the stored state with which a room is enrolled, unless something newer was set."""
        self._before.setdefault((known.room.connection, known.room.id), known)

    # --- input ---

    def enroll(self, connection: str, rooms: Iterable[Room]) -> None:
        """Sets the rooms of a connection: new ones begin as unknown, those not named any more are removed."""
        moment = self._now()
        wanted = {room.id: room for room in rooms}
        gone = {i for i, p in self._places.items() if p.room.connection == connection} - wanted.keys()
        for room_id in gone:
            self._touch(self._places.pop(room_id))
            self.seq += 1
            self.removed[room_id] = self.seq
        changed = bool(gone)
        for room_id, room in wanted.items():
            place = self._places.get(room_id)
            if place is None:
                self.removed.pop(room_id, None)
                self._begin(room, self._before.pop((connection, room_id), None), moment)
                changed = True
            elif place.room != room:
                self._touch(place)  # under its former address
                if not place.room.is_same_mailbox(room):  # another mailbox has the id now
                    place.schedule = place.failure = None
                place.room = room
                self._touch(place)
                self._judge(place, moment, again=True)
                changed = True
        if changed:
            for listener in self.listeners:
                listener.rooms_changed(frozenset(gone))

    def learn(self, room_id: str, schedule: Schedule) -> None:
        """Takes in a reading of a room's calendar. Readings of removed rooms are ignored."""
        place = self._places.get(room_id)
        if place is None:
            return
        moment = self._now()
        before = place.schedule
        if schedule.read_at > moment:  # the clock was corrected while it was read
            schedule = replace(schedule, read_at=moment)
        schedule = permitted_schedule(schedule, self.show)
        changes: tuple[Event, ...] = ()
        if before is not None:
            schedule = replace(schedule, meetings=_kept(before.meetings, schedule.meetings))
            changes = tuple(rescheduled(before, schedule, moment, self.policy))
        place.schedule, place.failure, place.noted_at = schedule, None, None
        self._touch(place)
        self._judge(place, moment, changes=changes)

    def confirm(
        self,
        room_id: str,
        since: datetime,
        until: datetime,
        read_at: datetime,
        again_within: timedelta = timedelta(),
    ) -> None:
        """Takes in a reading that equals the one before."""
        place = self._places.get(room_id)
        if place is None or place.schedule is None:
            return
        moment = self._now()
        read_at = min(read_at, moment)  # the clock may have been corrected while it was read
        if place.schedule.until != until:
            self._touch(place)
        sooner = again_within < place.schedule.again_within  # it may become stale earlier than planned
        place.schedule = replace(
            place.schedule, since=since, until=until, read_at=read_at, again_within=again_within
        )
        place.failure = place.noted_at = None
        if place.statement.occupancy.stale or place.renewal <= moment:
            self._judge(place, moment)
        elif sooner:
            self._schedule(place, moment)

    def fail(self, room_id: str, reason: Reason) -> None:
        """Takes in a failed reading. The known schedule stays in use until it expires."""
        place = self._places.get(room_id)
        if place is None or place.failure is reason:
            return
        place.failure = reason
        if place.statement.occupancy.stale:
            self._judge(place, self._now())

    def forget(self, connection: str, reason: Reason) -> None:
        """Discards everything known of a connection's rooms."""
        moment = self._now()
        for place in self._places.values():
            if place.room.connection == connection:
                place.schedule, place.failure = None, reason
                self._touch(place)
                self._judge(place, moment)

    def report(self, health: ConnectionHealth) -> None:
        """Passes a connection's health to the listeners."""
        self.health[health.name] = health
        for listener in self.listeners:
            listener.health_changed(health)

    def report_clock(self, health: ClockHealth) -> None:
        """Sets the state of the machine's clock, for those who publish the connections' health."""
        self.clock = health
        for connection in list(self.health.values()):
            self.report(connection)

    # --- other settings ---

    def change_policy(self, policy: Policy) -> None:
        """Judges by other rules from now on. Only rooms that they judge differently are stated again."""
        before, self.policy = self.policy, policy
        moment = self._now()
        for place in self._places.values():
            schedule = place.schedule if self._believable() else None
            then = judge(schedule, moment, before, place.failure).occupancy
            now = judge(schedule, moment, policy, place.failure).occupancy
            self._judge(place, moment, again=then != now)

    def change_show(self, show: Show) -> None:
        """Shows more or less of meetings from now on; what may not be shown any more is forgotten."""
        self.show = show
        moment = self._now()
        for place in self._places.values():
            permitted = permitted_schedule(place.schedule, show) if place.schedule is not None else None
            if permitted is not place.schedule:
                place.schedule = permitted
                self._touch(place)
                self._restate(place, moment)

    def drop_connection(self, connection: str) -> None:
        """A connection is not in the settings any more: its rooms and its health are gone."""
        self.enroll(connection, ())
        if self.health.pop(connection, None) is not None:
            for listener in self.listeners:
                listener.connection_removed(connection)

    # --- time ---

    def turn(self, most: int = sys.maxsize) -> None:
        """Judges rooms whose edge or renewal is due; if these are more than `most`, the others next time."""
        moment = self._now()
        if self._lapse <= moment:
            self._look_for_lapses(moment)
        for _ in range(most):
            if not self._due or self._due[0][0] > moment:
                break
            self.turned += 1
            due, room_id = heapq.heappop(self._due)
            place = self._places.get(room_id)
            if place is not None and place.due == due:
                place.due = None
                self._judge(place, moment)

    def stepped(self, by: timedelta) -> None:
        """Handles a step of the wall clock: readings keep their age, and every room is judged again."""
        moment = self._now()
        self.turned += 1
        for place in self._places.values():
            if place.schedule:
                read_at = place.schedule.read_at + by
                if place.noted_at is not None and place.noted_at <= moment:
                    # The clock was wrong at the start, so it was not known how long the daemon was down.
                    read_at = min(read_at, place.noted_at)
                place.schedule = replace(place.schedule, read_at=read_at)
            self._judge(place, moment, again=True)

    # --- internals ---

    def _begin(self, room: Room, known: KnownRoom | None, moment: datetime) -> None:
        """Adds a new room."""
        if known is not None and not known.room.is_same_mailbox(room):
            known = None  # another mailbox had the id
        schedule, failure = (known.schedule, known.failure) if known else (None, None)
        if schedule is not None:
            schedule = permitted_schedule(schedule, self.show)
        first = self._judgement(schedule, moment, failure)
        changed_at = moment
        if known is not None and schedule is not None:
            then = judge(schedule, known.changed_at, self.policy, failure).occupancy
            if _meetings(then) == _meetings(first.occupancy):
                changed_at = known.changed_at
        statement = self._statement(room, first.occupancy, changed_at)
        self._places[room.id] = place = _RoomEntry(room, statement, schedule, failure, first.change)
        place.noted_at = known.noted_at if known else None
        place.renewal = self._renewal(place)
        self._tell(place, urgent=False)
        self._schedule(place, moment)

    def _touch(self, place: _RoomEntry) -> None:
        self.touched[place.room.connection, place.room.address] = place.room.id

    def _judge(
        self, place: _RoomEntry, moment: datetime, *, changes: tuple[Event, ...] = (), again: bool = False
    ) -> None:
        before = place.statement.occupancy
        judgement = self._judgement(place.schedule, moment, place.failure)
        after = judgement.occupancy
        changed = _content(after) != _content(before)
        renewed = place.renewal <= moment and after.valid_until > before.valid_until
        if changed or changes or again or renewed:
            changed_at = moment if changed else place.statement.changed_at
            if changed:
                self._touch(place)
            place.statement = self._statement(place.room, after, changed_at)
            place.renewal = self._renewal(place)
            events = (*changes, *events_between(before, after, moment)) if changed else changes
            first = before.reason is Reason.NOT_READ_YET
            self._tell(place, urgent=(changed and not first) or bool(changes), events=events)
        place.change = judgement.change
        self._schedule(place, moment)

    def _restate(self, place: _RoomEntry, moment: datetime) -> None:
        """States a room again of which only what is shown has changed; nothing happened to it."""
        judgement = self._judgement(place.schedule, moment, place.failure)
        place.statement = self._statement(place.room, judgement.occupancy, place.statement.changed_at)
        place.renewal = self._renewal(place)
        self._tell(place, urgent=False)
        place.change = judgement.change
        self._schedule(place, moment)

    def _judgement(self, schedule: Schedule | None, moment: datetime, failure: Reason | None) -> Judgement:
        return judge(schedule if self._believable() else None, moment, self.policy, failure)

    def _statement(self, room: Room, occupancy: Occupancy, changed_at: datetime) -> Statement:
        self.seq += 1
        document = state_document(
            room, occupancy, changed_at=changed_at, epoch=self.epoch, seq=self.seq, show=self.show
        )
        return Statement(room, occupancy, changed_at, self.epoch, self.seq, document)

    def _tell(self, place: _RoomEntry, *, urgent: bool, events: tuple[Event, ...] = ()) -> None:
        for listener in self.listeners:
            listener.stated(place.statement, urgent=urgent, events=events)

    def _renewal(self, place: _RoomEntry) -> datetime:
        """Returns when a statement has to be renewed.

        That is after a third to two thirds of its life, spread over the rooms so that they are not all
        renewed at once.
        """
        occupancy = place.statement.occupancy
        share = (1000 + zlib.crc32(place.room.id.encode()) % 1000) / 3000
        life = self.policy.expire_after
        observed_at = occupancy.observed_at
        if (
            occupancy.status is Status.UNKNOWN
            or observed_at is None
            or occupancy.valid_until > observed_at + life
        ):
            # It is valid from when it was made, not from when the calendar was read.
            return occupancy.valid_until - life + life * share
        return observed_at + life * share

    def _schedule(self, place: _RoomEntry, moment: datetime) -> None:
        """Schedules the next judgement: at the edge, at the renewal, or when the reading becomes too old."""
        # If a renewal is overdue, there was no reading to publish; the next reading makes up for it.
        moments = [m for m in (place.renewal, place.change) if m is not None and m > moment]
        if place.schedule is not None:
            lapses = self._lapse_of(place, place.schedule, moment)
            if not place.statement.occupancy.stale:
                self._lapse = min(self._lapse, lapses)
            elif lapses > moment:
                moments.append(lapses)
        self._put_down(place, min(moments, default=None))

    def _look_for_lapses(self, moment: datetime) -> None:
        self._lapse = _NEVER
        for place in self._places.values():
            if place.schedule is not None and not place.statement.occupancy.stale:
                lapses = self._lapse_of(place, place.schedule, moment)
                if lapses <= moment:
                    self._put_down(place, lapses)
                else:
                    self._lapse = min(self._lapse, lapses)

    def _lapse_of(self, place: _RoomEntry, schedule: Schedule, moment: datetime) -> datetime:
        stale = place.statement.occupancy.stale
        return lapse(schedule, moment, self.policy, place.failure, stale=stale)

    def _put_down(self, place: _RoomEntry, due: datetime | None) -> None:
        before, place.due = place.due, due
        if due is None or due == before:
            return
        if len(self._due) > 2 * len(self._places) + _FEW:
            self._due = [(p.due, room_id) for room_id, p in self._places.items() if p.due is not None]
            heapq.heapify(self._due)
        else:
            heapq.heappush(self._due, (due, place.room.id))


def _kept(before: Iterable[Meeting], now: Iterable[Meeting]) -> tuple[Meeting, ...]:
    """Returns the new meetings, with equal old objects in their place, to save memory."""
    known = {meeting.key: meeting for meeting in before}
    return tuple([same if (same := known.get(m.key)) == m else m for m in now])


def _content(occupancy: Occupancy) -> tuple[object, ...]:
    """Returns what makes an occupancy new; the time of reading and the validity do not."""
    return (occupancy.stale, occupancy.reason, *_meetings(occupancy))


def _meetings(occupancy: Occupancy) -> tuple[object, ...]:
    """Returns the part that comes from the calendar."""
    return (
        occupancy.status,
        occupancy.current,
        occupancy.next,
        occupancy.conflicts,
        occupancy.busy_until,
        occupancy.free_until,
    )
