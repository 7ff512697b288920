"""The board: takes in rooms, readings of calendars and sensors, check-ins and settings.

Everything here happens synchronously: the rooms concerned are judged again at once, and the listeners are
notified of what is new.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.board.check_in_book import CheckInBook
from placed.board.judging import Judging
from placed.board.notifying_board import NotifyingBoard
from placed.board.room_sensors import RoomSensors
from placed.domain.calendar_event_detection import Event, released_by_service, rescheduled
from placed.domain.past_meetings import without_past_days
from placed.domain.privacy import permitted_schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from placed.board.room_entry import KnownRoom
    from placed.domain.check_in_rules import CheckedIn, CheckInRules
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.fence_result import Fence
    from placed.domain.machine_clock_health import ClockHealth
    from placed.domain.model import Reason, Room, Schedule, ShowPresence
    from placed.domain.occupancy import Policy
    from placed.domain.presence import IgnoredReading, Reading, Sensor
    from placed.domain.privacy import Show


class Board(NotifyingBoard):
    """The latest occupancy of every room, and those who listen.

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
        sensors, check_ins = RoomSensors(), CheckInBook()
        judging = Judging(policy, show, epoch, believable, sensors=sensors, check_ins=check_ins)
        super().__init__(judging, sensors, check_ins, now)
        self._writer_fences: dict[str, Fence] = {}
        self._before: dict[tuple[str, str], KnownRoom] = {}

    # --- input ---

    def remember(self, known: KnownRoom) -> None:
        """Sets the stored state with which a room is enrolled, unless something newer was set."""
        self._before.setdefault((known.room.connection, known.room.id), known)

    def enroll(self, connection: str, rooms: Iterable[Room]) -> None:
        """Sets the rooms of a connection: new ones begin as unknown, those not named any more are removed."""
        moment = self._now()
        wanted = {room.id: room for room in rooms}
        gone = {i for i, p in self._entries.items() if p.room.connection == connection} - wanted.keys()
        for room_id in gone:
            self._touch(self._entries.pop(room_id))
            self._due.remove(room_id)
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
        if self._judging.believable():  # else nobody knows yet which days are past
            schedule = without_past_days(schedule, moment, entry.room.time_zone)
        schedule = permitted_schedule(schedule, self.show)
        changes: tuple[Event, ...] = ()
        if before is not None:
            schedule = schedule.with_objects_of(before)
            changes = tuple(rescheduled(before, schedule, moment, self.policy))
            if changes and entry.check_ins is not None:
                changes = tuple(released_by_service(changes, entry.check_ins))
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
        since = max(since, entry.schedule.since)  # meetings of earlier days are not kept
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

    def announce(self, room_id: str, event: Event) -> None:
        """Publishes an event that does not come from the calendar, with a new statement of its room."""
        entry = self._entries.get(room_id)
        if entry is not None:
            self._judge(entry, self._now(), changes=(event,))

    def forget(self, connection: str, reason: Reason) -> None:
        """Discards everything known of a connection's rooms."""
        moment = self._now()
        for entry in self._entries.values():
            if entry.room.connection == connection:
                entry.schedule, entry.failure = None, reason
                self._touch(entry)
                self._judge(entry, moment)

    def report(self, health: ConnectionHealth) -> None:
        """Passes a connection's health to the listeners, with the fence of what writes to it."""
        if health.writer_fence is None and health.name in self._writer_fences:
            health = replace(health, writer_fence=self._writer_fences[health.name])
        self.health[health.name] = health
        for listener in self.listeners:
            listener.health_changed(health)

    def report_writer_fence(self, connection: str, fence: Fence | None) -> None:
        """Sets the fence of what writes to a connection; None if nothing does any more."""
        if fence is None:
            self._writer_fences.pop(connection, None)
        else:
            self._writer_fences[connection] = fence
        health = self.health.get(connection)
        if health is not None:
            self.report(replace(health, writer_fence=fence))

    def report_clock(self, health: ClockHealth) -> None:
        """Sets the state of the machine's clock, for those who publish the connections' health."""
        self.clock = health
        for connection in list(self.health.values()):
            self.report(connection)

    # --- presence ---

    def set_sensors(
        self,
        sensors: Mapping[str, Iterable[Sensor]],
        may_be_found_in: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Sets the presence sensors of all rooms, by the rooms' ids.

        `may_be_found_in` returns whether a room may get a sensor by its first message.
        """
        for room_id in self._sensors.set(sensors, may_be_found_in):
            self._judge_presence(room_id)

    def sense(self, room_id: str, sensor: Sensor, reading: Reading) -> IgnoredReading | None:
        """Takes in a reading of a presence sensor; returns why it is ignored, or None."""
        self._sensors.add(room_id, sensor)
        ignored = self._sensors.take(room_id, sensor.name, reading, self._now())
        if ignored is None:
            self._judge_presence(room_id)
        return ignored

    def remove_sensor(self, room_id: str, name: str) -> None:
        """Removes a sensor that was found by its messages."""
        self._sensors.remove(room_id, name)
        self._judge_presence(room_id)

    def set_sensor_available(self, room_id: str, sensor: Sensor, *, available: bool) -> None:
        """Notes whether the device of a presence sensor is there."""
        self._sensors.add(room_id, sensor)
        if self._sensors.set_available(room_id, sensor.name, available=available):
            self._judge_presence(room_id)

    def _judge_presence(self, room_id: str) -> None:
        entry = self._entries.get(room_id)
        if entry is not None:
            self._judge(entry, self._now())

    # --- check-in ---

    def set_check_in_rules(self, rules: Mapping[str, CheckInRules]) -> None:
        """Sets the rules of check-in, by connection; the rooms of one without have no check-in."""
        self._check_ins.set_rules(rules)
        for room_id in self._entries:
            self._judge_check_ins(room_id)

    def check_in(self, room_id: str, *records: CheckedIn) -> None:
        """Takes in that somebody has checked in to meetings of a room, now or before this start."""
        self._check_ins.add(room_id, *records, now=self._now())
        self._judge_check_ins(room_id)

    def withdraw_check_in(self, room_id: str, meeting: str) -> None:
        """Forgets the check-in to a meeting, by its key."""
        self._check_ins.remove(room_id, meeting)
        self._judge_check_ins(room_id)

    def _judge_check_ins(self, room_id: str) -> None:
        entry = self._entries.get(room_id)
        check_ins = self._check_ins.of(entry.room) if entry is not None else None
        if entry is not None and entry.check_ins != check_ins:
            entry.check_ins = check_ins
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
