"""A building with sensors, of which every document is compared with what holds."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from placed.board.board import Board
from placed.domain.calendar_event_detection import Event, EventKind
from placed.domain.model import Reason, Schedule, ShowPresence
from placed.domain.presence import Reading, Sensor, SensorKind
from placed.domain.privacy import Show
from tests.support.domain_builders import DAY, POLICY, FakeClock, Recorder, at, meeting, room

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.domain.model import Meeting
    from placed.domain.state_document import Statement


MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
OF_USE = (EventKind.BOOKED_EMPTY, EventKind.UNBOOKED_USE)
RADAR = Sensor("radar", SensorKind.RADAR, hold=MINUTE, stale_after=20 * MINUTE)
PIR = Sensor("pir", SensorKind.PIR, hold=10 * MINUTE, stale_after=60 * MINUTE)
COUNTER = Sensor(
    "counter", SensorKind.COUNTER, hold=2 * MINUTE, stale_after=10 * MINUTE, zone="by the window"
)
SENSORS = (RADAR, PIR, COUNTER)
CALENDARS: tuple[tuple[Meeting, ...], ...] = (
    (),
    (meeting("9:10", "9:40"), meeting("9:40", "10:30"), meeting("12:00", "15:00")),
    (meeting("9:10", "10:10", key="9:10-9:40"), meeting("9:30", "11:00")),
    (meeting("9:00", "18:00"),),
)
USES = {
    ("busy", "present"): "used",
    ("busy", "empty"): "booked_empty",
    ("free", "present"): "unbooked",
    ("starting", "present"): "unbooked",
    ("free", "empty"): "empty",
    ("starting", "empty"): "empty",
}


class PresenceShown(msgspec.Struct):
    """The member `presence` of a document."""

    state: str
    count: int | None
    since: datetime
    valid_until: datetime


class Shown(msgspec.Struct):
    """What a subscriber reads in a document."""

    status: str
    occupied: bool | None
    stale: bool
    reason: str | None
    conflicts: int
    current: dict[str, Any] | None
    next: dict[str, Any] | None
    busy_until: str | None
    free_until: str | None
    changed_at: str
    observed_at: datetime | None
    valid_until: datetime
    seq: int
    presence: PresenceShown | None
    use: str | None

    @property
    def calendar(self) -> tuple[object, ...]:
        """What the calendar decides."""
        return (
            self.status,
            self.occupied,
            self.stale,
            self.reason,
            self.conflicts,
            str(self.current),
            str(self.next),
            self.busy_until,
            self.free_until,
            self.changed_at,
        )

    @property
    def sensed(self) -> tuple[object, ...]:
        """What the sensors decide, without until when."""
        assert self.presence
        return self.presence.state, self.presence.count, self.presence.since, self.use


def shown(statement: Statement) -> Shown:
    return msgspec.json.decode(statement.document, type=Shown)


class Building:
    """A room on two boards, with its sensors on one of them only, and a subscriber of both."""

    def __init__(self, sensors: tuple[Sensor, ...], presence: ShowPresence) -> None:
        self.clock = FakeClock(at("9:00"))
        self.clock_is_ahead = timedelta()
        self.sensors = sensors
        self.sensed, self.plain = self._board(), self._board()
        self.heard, self.heard_plain = Recorder(), Recorder()
        self.sensed.listeners.append(self.heard)
        self.plain.listeners.append(self.heard_plain)
        self.sensed.change_show_presence(presence)
        self.sensed.set_sensors({"boardroom": sensors})
        for board in (self.sensed, self.plain):
            board.enroll("contoso", [room(capacity=12)])
        self.false_at: dict[str, datetime] = {}  # the last one of a known age, by true time
        self.made_at = self.true_time
        self.use: str | None = None
        self.used_so_since = self.true_time
        self.announced: list[tuple[str, datetime]] = []
        self.announced_unbooked = False
        self.hold = max(sensor.hold for sensor in sensors)

    def _board(self) -> Board:
        return Board(POLICY, Show.NOTHING, self.clock.now, epoch=7)

    @property
    def true_time(self) -> datetime:
        """The time, wherever the clock was set to."""
        return self.clock.moment - self.clock_is_ahead

    @property
    def document(self) -> Shown:
        """What the subscriber has."""
        return shown(self.heard.statements[-1])

    # --- what happens ---

    def both(self, happen: Callable[[Board], object]) -> None:
        before = self.document
        happen(self.sensed)
        happen(self.plain)
        self.look(before)

    def time_passes(self, span: timedelta) -> None:
        until = self.clock.moment + span
        while (due := min(b.next_due or until for b in (self.sensed, self.plain))) < until:
            self.clock.moment = max(due, self.clock.moment)  # times that were replaced may have passed
            self.both(lambda board: board.judge_due())
            for board in (self.sensed, self.plain):
                assert board.next_due is None or board.next_due > self.clock.moment
        self.clock.moment = until
        self.both(lambda board: board.judge_due())

    def clock_is_set(self, by: timedelta) -> None:
        self.clock.moment += by
        self.clock_is_ahead += by

        def judge_again(board: Board) -> None:
            board.clock_was_set(by)
            board.judge_due()

        self.both(judge_again)

    def calendar_is_read(self, meetings: tuple[Meeting, ...]) -> None:
        read = Schedule(meetings, DAY - timedelta(days=2), DAY + timedelta(days=3), self.clock.moment)
        self.both(lambda board: board.learn("boardroom", read))

    def calendar_is_the_same(self) -> None:
        since, until = DAY - timedelta(days=2), DAY + timedelta(days=3)
        self.both(lambda board: board.confirm("boardroom", since, until, self.clock.moment))

    def calendar_fails(self) -> None:
        self.both(lambda board: board.fail("boardroom", Reason.UNAVAILABLE))

    def sensor_reports(self, sensor: Sensor, age: timedelta, count: int, *, retained: bool) -> None:
        reading = Reading(count > 0, self.clock.moment - age, count if sensor is COUNTER else None, retained)
        before = self.document
        statements, events = len(self.heard.statements), len(self.heard.events)
        ignored = self.sensed.sense("boardroom", sensor, reading)
        if ignored is None and not reading.present:
            self.false_at[sensor.name] = self.true_time - max(age, timedelta())
        if len(self.heard.statements) > statements and len(self.heard.events) == events:
            self.was_worth_a_statement(before)
        self.look(before)

    def sensor_is_there(self, sensor: Sensor, *, available: bool) -> None:
        before = self.document
        self.sensed.set_sensor_available("boardroom", sensor, available=available)
        self.look(before)

    # --- what has to hold ---

    def look(self, before: Shown) -> None:
        now = self.document
        assert now.presence
        if now.seq != before.seq:
            self.made_at = self.true_time
        assert now.valid_until > self.clock.moment, "a subscriber has no document any more"
        if now.presence.state != "unknown":
            assert now.presence.valid_until > self.clock.moment
            assert now.valid_until <= now.presence.valid_until
        assert now.presence.since <= self.clock.moment
        if now.presence.state == "empty":
            for sensor in self.sensors:
                assert self.true_time < self.false_at[sensor.name] + (sensor.stale_after or timedelta())
        assert now.use == USES.get((now.status, now.presence.state))
        assert now.calendar == shown(self.heard_plain.statements[-1]).calendar
        self.look_at_events(now)
        self.heard.events.clear()
        self.heard_plain.events.clear()

    def look_at_events(self, now: Shown) -> None:
        if now.use != self.use:
            self.use, self.used_so_since = now.use, self.true_time
        if self.use not in {"unbooked", None}:
            self.announced_unbooked = False
        assert [e for e in self.heard.events if e.happening not in OF_USE] == self.heard_plain.events
        for event in self.heard.events:
            if event.happening is EventKind.BOOKED_EMPTY:
                self.nobody_came(event, now)
            elif event.happening is EventKind.UNBOOKED_USE:
                assert now.use == "unbooked"
                assert self.true_time >= self.used_so_since + self.hold
                assert not self.announced_unbooked
                self.announced_unbooked = True

    def nobody_came(self, event: Event, now: Shown) -> None:
        assert event.meeting
        assert now.current
        assert datetime.fromisoformat(now.current["start"]) == event.meeting.start
        assert self.true_time >= self.used_so_since + self.hold
        meeting_of_it = event.meeting.key, event.meeting.start
        assert meeting_of_it not in self.announced
        self.announced.append(meeting_of_it)

    def was_worth_a_statement(self, before: Shown) -> None:
        """A statement after a reading shows something new, is valid for less long, or renews an older one."""
        now = self.document
        assert now.presence
        assert before.presence
        if now.sensed != before.sensed or now.presence.valid_until < before.presence.valid_until:
            return
        made_at = self.made_at + self.clock_is_ahead
        since = made_at if before.observed_at is None else min(made_at, before.observed_at)
        assert self.clock.moment - since >= (before.valid_until - since) / 3 - SECOND
