"""Presence on the board: what a subscriber sees while sensors, calendars and clocks do what they do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

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


sensors = st.sampled_from(SENSORS)
seconds = st.integers(0, 900).map(lambda drawn: timedelta(seconds=drawn))
Step = tuple[str, tuple[Any, ...]]
steps: st.SearchStrategy[Step] = st.one_of(
    st.tuples(st.just("pass"), st.tuples(seconds)),
    st.tuples(st.just("pass"), st.tuples(st.integers(0, 8).map(lambda drawn: drawn * 10 * MINUTE))),
    st.tuples(
        st.just("report"),
        st.tuples(
            sensors,
            st.sampled_from((timedelta(), timedelta(), timedelta(), -MINUTE, 5 * MINUTE, 70 * MINUTE)),
            st.sampled_from((0, 0, 1, 3)),
            st.sampled_from((False, False, False, True)),
        ),
    ),
    st.tuples(st.just("available"), st.tuples(sensors, st.booleans())),
    st.tuples(st.just("read"), st.tuples(st.sampled_from(CALENDARS))),
    st.tuples(st.just("same"), st.tuples()),
    st.tuples(st.just("fails"), st.tuples()),
    st.tuples(st.just("set"), st.tuples(st.integers(-300, 300).map(lambda drawn: drawn * MINUTE))),
)


def happen(building: Building, step: Step) -> None:
    """Has one step happen in the building; sensors that it does not have report nothing."""
    kind, given_ = step
    match kind:
        case "pass":
            building.time_passes(*given_)
        case "report":
            sensor, age, count, retained = given_
            if sensor in building.sensors:
                building.sensor_reports(sensor, age, count, retained=retained)
        case "available":
            sensor, available = given_
            if sensor in building.sensors:
                building.sensor_is_there(sensor, available=available)
        case "read":
            building.calendar_is_read(*given_)
        case "same":
            building.calendar_is_the_same()
        case "fails":
            building.calendar_fails()
        case "set":
            building.clock_is_set(*given_)


@given(
    st.sampled_from(((RADAR,), (PIR,), (COUNTER,), (RADAR, PIR), SENSORS)),
    st.sampled_from((ShowPresence.STATE, ShowPresence.COUNT)),
    st.lists(steps, max_size=40),
)
def test_no_subscriber_sees_a_presence_that_does_not_hold(
    of_room: tuple[Sensor, ...], presence: ShowPresence, happenings: list[Step]
) -> None:
    building = Building(of_room, presence)
    for step in happenings:
        happen(building, step)


def building_with(*sensors: Sensor) -> Building:
    """A building whose calendar is read; nobody has been in the room for a while."""
    building = Building(sensors, ShowPresence.STATE)
    building.calendar_is_read(CALENDARS[0])
    return building


def minutes_pass(building: Building, minutes: int, reported: int | None = None) -> list[EventKind]:
    """Has time pass, with a reading of the calendar and perhaps of the sensors each minute.

    Returns the events of presence.
    """
    events = Recorder()
    building.sensed.listeners.append(events)
    for _ in range(minutes):
        building.time_passes(MINUTE)
        building.calendar_is_the_same()
        for sensor in building.sensors if reported is not None else ():
            building.sensor_reports(sensor, timedelta(), reported or 0, retained=False)
    building.sensed.listeners.remove(events)
    return [event.happening for event in events.events if event.happening in OF_USE]


def test_a_presence_keeps_its_age_when_the_clock_is_set() -> None:
    building = building_with(RADAR)
    minutes_pass(building, 10, reported=1)
    assert building.document.presence
    age = building.clock.moment - building.document.presence.since
    building.clock_is_set(timedelta(hours=-3))
    assert building.clock.moment - building.document.presence.since == age
    assert age == 9 * MINUTE


def test_use_without_a_booking_is_an_event_after_the_hold_wherever_the_clock_was_set_to() -> None:
    building = building_with(RADAR)
    building.sensor_reports(RADAR, timedelta(), 1, retained=False)
    building.clock_is_set(timedelta(hours=3))
    building.calendar_is_the_same()
    assert building.document.use == "unbooked"
    assert minutes_pass(building, 1) == [EventKind.UNBOOKED_USE]


def test_a_meeting_that_nobody_attends_is_one_event_though_somebody_looks_in() -> None:
    building = building_with(RADAR)
    building.calendar_is_read(CALENDARS[3])
    assert minutes_pass(building, 10, reported=0) == [EventKind.BOOKED_EMPTY]
    assert minutes_pass(building, 3, reported=1) == []
    assert minutes_pass(building, 10, reported=0) == []
    assert building.document.use == "booked_empty"


def test_use_without_a_booking_is_one_event_though_the_sensor_is_lost_for_a_while() -> None:
    building = building_with(RADAR)
    assert minutes_pass(building, 10, reported=1) == [EventKind.UNBOOKED_USE]
    building.sensor_is_there(RADAR, available=False)
    assert minutes_pass(building, 3) == []
    assert minutes_pass(building, 10, reported=1) == []
    assert minutes_pass(building, 10, reported=0) == []
    assert minutes_pass(building, 10, reported=1) == [EventKind.UNBOOKED_USE]


def test_an_event_of_presence_comes_with_a_statement_of_its_own() -> None:
    building = building_with(RADAR)
    assert minutes_pass(building, 10, reported=1) == [EventKind.UNBOOKED_USE]
    seqs = [statement.seq for statement in building.heard.statements]
    assert len(set(seqs)) == len(seqs)


def test_presence_alone_does_not_go_before_the_edges_of_the_calendar() -> None:
    building = building_with(RADAR)
    minutes_pass(building, 1)
    stated = len(building.heard.statements)
    building.sensor_reports(RADAR, timedelta(), 1, retained=False)
    assert building.heard.urgent[stated:] == [False]


def test_readings_that_change_nothing_are_published_only_to_renew_the_document() -> None:
    building = building_with(RADAR)
    minutes_pass(building, 10, reported=1)
    before = len(building.heard.statements)
    minutes_pass(building, 60, reported=1)
    assert 4 <= len(building.heard.statements) - before <= 12  # as the calendar alone has it: 15 min of life


def test_while_the_time_is_not_known_a_presence_is_unknown_and_not_absent() -> None:
    """Without any presence, a panel and Home Assistant would take the sensor for removed."""
    times = [True]
    board = Board(POLICY, Show.NOTHING, lambda: at("9:00"), epoch=7, believable=lambda: times[-1])
    board.set_sensors({"boardroom": (RADAR,)})
    board.enroll("contoso", [room()])
    board.sense("boardroom", RADAR, Reading(present=True, at=at("9:00")))
    times.append(False)
    board.clock_was_set(timedelta())
    board.judge_due()
    statement = board.statement("boardroom")
    assert statement is not None
    presence = shown(statement).presence
    assert presence is not None
    assert presence.state == "unknown"
