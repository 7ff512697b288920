"""The board: the latest statement of every room, its edges, and the listeners.

Everything here happens synchronously: when a reading arrives or an edge is due, the rooms concerned are
judged again, and if the result is new, a statement is made and every listener is notified.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.board.due_times import DueTimes
from placed.board.judging import Judging
from placed.board.room_entry import KnownRoom, RoomEntry, with_objects_of
from placed.board.room_sensors import RoomSensors
from placed.domain.privacy import permitted_schedule
from placed.domain.room_event_detection import Event, rescheduled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from placed.board.listener import Listener
    from placed.domain.clock_health import ClockHealth
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.model import Reason, Room, Schedule, ShowPresence
    from placed.domain.occupancy import Policy
    from placed.domain.presence import IgnoredReading, Reading, Sensor
    from placed.domain.privacy import Show
    from placed.domain.state_document import Statement


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
        self.health: dict[str, ConnectionHealth] = {}
        self.clock: ClockHealth | None = None  # the state of the machine's clock; None before the first check
        self.listeners: list[Listener] = []
        self.removed: dict[str, int] = {}  # removed rooms, with the seq of their removal
        self.times_judged = 0  # how often a due time was reached, or the clock was set
        self._now = now
        self._sensors = RoomSensors()
        self._judging = Judging(policy, show, epoch, believable, self._sensors)
        self._entries: dict[str, RoomEntry] = {}
        self._due = DueTimes()
        self._before: dict[tuple[str, str], KnownRoom] = {}
        # For these rooms the stored state differs from the known one: (connection, address) -> id.
        self.touched: dict[tuple[str, str], str] = {}

    # --- what is known ---

    @property
    def policy(self) -> Policy:
        """The site's rules."""
        return self._judging.policy

    @property
    def show(self) -> Show:
        """What of a meeting may be shown."""
        return self._judging.show

    @property
    def epoch(self) -> int:
        """The number of this start of the daemon."""
        return self._judging.epoch

    @property
    def seq(self) -> int:
        """The number of the latest statement or removal."""
        return self._judging.seq

    @property
    def rooms(self) -> list[Room]:
        """Every room, by id."""
        return [self._entries[room_id].room for room_id in sorted(self._entries)]

    @property
    def statements(self) -> list[Statement]:
        """The latest statement of every room, by the rooms' ids."""
        return [self._entries[room_id].statement for room_id in sorted(self._entries)]

    def statement(self, room_id: str) -> Statement | None:
        """The latest statement of a room; None if there is no such room."""
        entry = self._entries.get(room_id)
        return entry.statement if entry else None

    @property
    def next_due(self) -> datetime | None:
        """When `judge_due` has something to do next."""
        return self._due.next

    def has_schedule(self, room_id: str) -> bool:
        """Whether a room's meetings are known, however old they are."""
        entry = self._entries.get(room_id)
        return entry is not None and entry.schedule is not None

    def known_of(self, room_id: str) -> KnownRoom | None:
        """What is known of a room; None if there is no such room."""
        entry = self._entries.get(room_id)
        return entry.known if entry else None

    def known(self) -> Iterator[KnownRoom]:
        """What is known of every room."""
        return (entry.known for entry in self._entries.values())

    def remember(self, known: KnownRoom) -> None:
        """Sets the stored state with which a room is enrolled, unless something newer was set."""
        self._before.setdefault((known.room.connection, known.room.id), known)

    # --- input ---

    def enroll(self, connection: str, rooms: Iterable[Room]) -> None:
        """Sets the rooms of a connection: new ones begin as unknown, those not named any more are removed."""
        moment = self._now()
        wanted = {room.id: room for room in rooms}
        gone = {i for i, p in self._entries.items() if p.room.connection == connection} - wanted.keys()
        for room_id in gone:
            self._touch(self._entries.pop(room_id))
            self._due.set(room_id, None)
            self.removed[room_id] = self._judging.next_seq()
        changed = bool(gone)
        for room_id, room in wanted.items():
            entry = self._entries.get(room_id)
            if entry is None:
                self.removed.pop(room_id, None)
                known = self._before.pop((connection, room_id), None)
                self._entries[room_id] = entry = self._judging.new_entry(room, known, moment)
                self._notify(entry, urgent=False)
                self._due.schedule(entry, moment, self.policy)
                changed = True
            elif entry.room != room:
                self._touch(entry)  # under its former address
                if not entry.room.is_same_mailbox(room):  # another mailbox has the id now
                    entry.schedule = entry.failure = None
                entry.room = room
                self._touch(entry)
                self._judge(entry, moment, again=True)
                changed = True
        if changed:
            for listener in self.listeners:
                listener.rooms_changed(frozenset(gone))

    def learn(self, room_id: str, schedule: Schedule) -> None:
        """Takes in a reading of a room's calendar. Readings of removed rooms are ignored."""
        entry = self._entries.get(room_id)
        if entry is None:
            return
        moment = self._now()
        before = entry.schedule
        if schedule.read_at > moment:  # the clock was corrected while it was read
            schedule = replace(schedule, read_at=moment)
        schedule = permitted_schedule(schedule, self.show)
        changes: tuple[Event, ...] = ()
        if before is not None:
            schedule = replace(schedule, meetings=with_objects_of(before.meetings, schedule.meetings))
            changes = tuple(rescheduled(before, schedule, moment, self.policy))
        entry.schedule, entry.failure, entry.noted_at = schedule, None, None
        self._touch(entry)
        self._judge(entry, moment, changes=changes)

    def confirm(
        self,
        room_id: str,
        since: datetime,
        until: datetime,
        read_at: datetime,
        again_within: timedelta = timedelta(),
    ) -> None:
        """Takes in a reading that equals the one before."""
        entry = self._entries.get(room_id)
        if entry is None or entry.schedule is None:
            return
        moment = self._now()
        read_at = min(read_at, moment)  # the clock may have been corrected while it was read
        if entry.schedule.until != until:
            self._touch(entry)
        sooner = again_within < entry.schedule.again_within  # it may become stale earlier than planned
        entry.schedule = replace(
            entry.schedule, since=since, until=until, read_at=read_at, again_within=again_within
        )
        entry.failure = entry.noted_at = None
        if entry.statement.occupancy.stale or entry.renewal <= moment:
            self._judge(entry, moment)
        elif sooner:
            self._due.schedule(entry, moment, self.policy)

    def fail(self, room_id: str, reason: Reason) -> None:
        """Takes in a failed reading. The known schedule stays in use until it expires."""
        entry = self._entries.get(room_id)
        if entry is None or entry.failure is reason:
            return
        entry.failure = reason
        if entry.statement.occupancy.stale:
            self._judge(entry, self._now())

    def forget(self, connection: str, reason: Reason) -> None:
        """Discards everything known of a connection's rooms."""
        moment = self._now()
        for entry in self._entries.values():
            if entry.room.connection == connection:
                entry.schedule, entry.failure = None, reason
                self._touch(entry)
                self._judge(entry, moment)

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

    # --- presence ---

    def set_sensors(self, sensors: Mapping[str, Iterable[Sensor]]) -> None:
        """Sets the presence sensors of all rooms, by the rooms' ids."""
        for room_id in self._sensors.set(sensors):
            self._judge_presence(room_id)

    def sense(self, room_id: str, sensor: Sensor, reading: Reading) -> IgnoredReading | None:
        """Takes in a reading of a presence sensor; returns why it is ignored, or None."""
        self._sensors.add(room_id, sensor)
        ignored = self._sensors.take(room_id, sensor.name, reading, self._now())
        if ignored is None:
            self._judge_presence(room_id)
        return ignored

    def set_sensor_available(self, room_id: str, sensor: Sensor, *, available: bool) -> None:
        """Notes whether the device of a presence sensor is there."""
        self._sensors.add(room_id, sensor)
        if self._sensors.set_available(room_id, sensor.name, available=available):
            self._judge_presence(room_id)

    def _judge_presence(self, room_id: str) -> None:
        entry = self._entries.get(room_id)
        if entry is not None:
            self._judge(entry, self._now())

    # --- other settings ---

    def change_policy(self, policy: Policy) -> None:
        """Judges by other rules from now on. Only rooms that they judge differently are stated again."""
        before, self._judging.policy = self.policy, policy
        moment = self._now()
        for entry in self._entries.values():
            self._judge(entry, moment, again=self._judging.is_judged_differently(entry, moment, before))

    def change_show(self, show: Show) -> None:
        """Shows more or less of meetings from now on; what may not be shown any more is forgotten."""
        self._judging.show = show
        moment = self._now()
        for entry in self._entries.values():
            permitted = permitted_schedule(entry.schedule, show) if entry.schedule is not None else None
            if permitted is not entry.schedule:
                entry.schedule = permitted
                self._touch(entry)
                self._judging.restate(entry, moment)
                self._notify(entry, urgent=False)
                self._due.schedule(entry, moment, self.policy)

    def change_show_presence(self, show: ShowPresence) -> None:
        """Shows more or less of the rooms' presence from now on."""
        self._judging.show_presence = show
        for room_id in self._sensors.rooms:
            self._judge_presence(room_id)

    def drop_connection(self, connection: str) -> None:
        """A connection is not in the settings any more: its rooms and its health are gone."""
        self.enroll(connection, ())
        if self.health.pop(connection, None) is not None:
            for listener in self.listeners:
                listener.connection_removed(connection)

    # --- time ---

    def judge_due(self, most: int = sys.maxsize) -> None:
        """Judges rooms whose edge or renewal is due; if these are more than `most`, the others next time."""
        moment = self._now()
        if self._due.check_at <= moment:
            self._due.check_ages(self._entries.values(), moment, self.policy)
        for _ in range(most):
            if not self._due.is_due(moment):
                break
            self.times_judged += 1
            entry = self._entries.get(self._due.take() or "")
            if entry is not None:
                self._judge(entry, moment)

    def clock_was_set(self, by: timedelta) -> None:
        """Handles a step of the wall clock: readings keep their age, and every room is judged again."""
        moment = self._now()
        self.times_judged += 1
        self._sensors.clock_was_set(by)
        for entry in self._entries.values():
            entry.clock_was_set(by, moment)
            self._judge(entry, moment, again=True)

    # --- internals ---

    def _touch(self, entry: RoomEntry) -> None:
        self.touched[entry.room.connection, entry.room.address] = entry.room.id

    def _judge(
        self, entry: RoomEntry, moment: datetime, *, changes: tuple[Event, ...] = (), again: bool = False
    ) -> None:
        news = self._judging.judge(entry, moment, changes=changes, again=again)
        if news is not None:
            if news.changed:
                self._touch(entry)
            self._notify(entry, urgent=news.urgent, events=news.events)
        self._due.schedule(entry, moment, self.policy)

    def _notify(self, entry: RoomEntry, *, urgent: bool, events: tuple[Event, ...] = ()) -> None:
        for listener in self.listeners:
            listener.stated(entry.statement, urgent=urgent, events=events)
