"""The board's rooms over time: what is known of each, when it is judged again, and who is notified.

If a room's judgement is new, a statement is made and every listener is notified, synchronously.
`placed.board.board` takes in what changes them.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from placed.board.due_times import DueTimes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime, timedelta

    from placed.board.check_in_book import CheckInBook
    from placed.board.judging import Judging
    from placed.board.room_entry import KnownRoom, RoomEntry
    from placed.board.room_sensors import RoomSensors
    from placed.domain.calendar_event_detection import Event
    from placed.domain.check_in_rules import RoomCheckIns
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.machine_clock_health import ClockHealth
    from placed.domain.model import Room, Schedule
    from placed.domain.occupancy import Policy
    from placed.domain.presence import Presence, Sensor, SensorState
    from placed.domain.privacy import Show
    from placed.domain.state_document import Statement

_LOOKS = 8  # looks at the age of a reading that take as long as to judge a room


class Listener(Protocol):
    """Is notified of what the board states. Every method returns at once; it queues the work."""

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:
        """A room has a new statement. Not urgent: the first one, a renewal, or one that is only stale now."""
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


class NotifyingBoard:
    """What is known of rooms and connections now; judges rooms, and notifies the listeners of what is new.

    Args:
        judging: the rules, and the numbers of the statements.
        sensors: the presence sensors of the rooms.
        check_ins: the check-ins of the rooms.
        now: the wall clock.

    Attributes:
        health: of every connection, by its name.
        clock: the state of the machine's clock; None before the first check.
        removed: removed rooms, with the seq of their removal.
        touched: rooms whose stored state differs from the known one: (connection, address) -> id.
        listeners: are notified, in this order.
        ended: how many statements had ended when they were judged again, and settings of the clock.
    """

    def __init__(
        self, judging: Judging, sensors: RoomSensors, check_ins: CheckInBook, now: Callable[[], datetime]
    ) -> None:
        self.health: dict[str, ConnectionHealth] = {}
        self.clock: ClockHealth | None = None
        self.removed: dict[str, int] = {}
        self.touched: dict[tuple[str, str], str] = {}
        self.listeners: list[Listener] = []
        self.ended = 0
        self._judging = judging
        self._sensors = sensors
        self._check_ins = check_ins
        self._entries: dict[str, RoomEntry] = {}
        self._now = now
        self._due = DueTimes()

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
    def time_is_known(self) -> bool:
        """Whether the time is known well enough to state anything; if not, every room is unknown."""
        return self._judging.believable()

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

    def has_schedule(self, room_id: str) -> bool:
        """Whether a room's meetings are known from now on, however long ago they were read."""
        entry = self._entries.get(room_id)
        return entry is not None and entry.schedule is not None and entry.schedule.since <= self._now()

    def known_of(self, room_id: str) -> KnownRoom | None:
        """What is known of a room; None if there is no such room."""
        entry = self._entries.get(room_id)
        return entry.known if entry else None

    def known(self) -> Iterator[KnownRoom]:
        """What is known of every room."""
        return (entry.known for entry in self._entries.values())

    def check_ins_of(self, room_id: str) -> RoomCheckIns | None:
        """The check-ins of a room, and their rules; None where check-in is off, or without such a room."""
        entry = self._entries.get(room_id)
        return entry.check_ins if entry else None

    def may_show_presence(self, room_id: str) -> bool:
        """Whether a presence of the room is published, or will be once a sensor reports."""
        entry = self._entries.get(room_id)
        return entry is not None and self._judging.may_show_presence(entry.room)

    def schedule(self, room_id: str) -> Schedule | None:
        """A room's meetings as they were last read, however old they are."""
        entry = self._entries.get(room_id)
        return entry.schedule if entry else None

    def presence(self, room_id: str) -> Presence | None:
        """The presence of a room by its sensors, whatever may be shown of it; for the program itself."""
        entry = self._entries.get(room_id)
        return entry.presence if entry else None

    def sensors_of(self, room_id: str) -> tuple[tuple[Sensor, SensorState], ...]:
        """The presence sensors of a room, and what is known of each."""
        return tuple(self._sensors.of(room_id).values())

    @property
    def rooms_with_sensors(self) -> tuple[str, ...]:
        """The ids of the rooms that have presence sensors."""
        return tuple(self._sensors.rooms)

    def may_have_sensors(self, room_id: str) -> bool:
        """Whether a room has a sensor, or one may still be found by its messages."""
        return self._sensors.may_be_in(room_id)

    @property
    def sensors(self) -> tuple[tuple[Sensor, SensorState], ...]:
        """All presence sensors, and what is known of each."""
        return tuple(self._sensors.sensors)

    # --- when it changes ---

    @property
    def next_due(self) -> datetime | None:
        """When `judge_due` has something to do next."""
        return self._due.next

    def judge_due(self, most: int = sys.maxsize) -> bool:
        """Judges rooms whose edge or renewal is due, `most` of them; returns whether more may be due."""
        moment = self._now()
        self._due.look_at_ages(self._entries, moment, self.policy, most * _LOOKS)
        for _ in range(most):
            if not self._due.is_due(moment):
                break
            entry = self._entries.get(self._due.take() or "")
            if entry is not None:
                self._judge_again(entry, moment)
        due = self._due.next
        return due is not None and due <= moment

    def is_due(self, room_id: str) -> bool:
        """Whether the edge or the renewal of a room has come, and it is not judged yet."""
        return self._due.has_come(room_id, self._now())

    def judge_if_due(self, room_id: str) -> None:
        """Judges a room if its edge or renewal is due, and no other."""
        entry, moment = self._entries.get(room_id), self._now()
        if entry is not None and self._due.is_room_due(entry, moment, self.policy):
            self._judge_again(entry, moment)

    def clock_was_set(self, by: timedelta) -> None:
        """Handles a step of the wall clock: readings keep their age, and every room is due now."""
        moment = self._now()
        self.ended += 1
        self._sensors.clock_was_set(by)
        for entry in self._entries.values():
            entry.clock_was_set(by, moment)
        self._due.set_all(self._entries, moment)

    # --- internals ---

    def _touch(self, entry: RoomEntry) -> None:
        self.touched[entry.room.connection, entry.room.address] = entry.room.id

    def _judge_again(self, entry: RoomEntry, moment: datetime) -> None:
        self.ended += entry.statement.occupancy.valid_until <= moment
        self._judge(entry, moment)

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
