"""What the board knows, for those who read it: statements and schedules of rooms, health of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placed.board.check_in_book import CheckInBook
    from placed.board.judging import Judging
    from placed.board.room_entry import KnownRoom, RoomEntry
    from placed.board.room_sensors import RoomSensors
    from placed.domain.check_in import RoomCheckIns
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.machine_clock_health import ClockHealth
    from placed.domain.model import Room, Schedule
    from placed.domain.occupancy import Policy
    from placed.domain.presence import Presence, Sensor, SensorState
    from placed.domain.privacy import Show
    from placed.domain.state_document import Statement


class BoardState:
    """What is known of rooms and connections now. `placed.board.board.Board` changes it.

    Args:
        judging: the rules, and the numbers of the statements.
        sensors: the presence sensors of the rooms.
        check_ins: the check-ins of the rooms.

    Attributes:
        health: of every connection, by its name.
        clock: the state of the machine's clock; None before the first check.
        removed: removed rooms, with the seq of their removal.
        touched: rooms whose stored state differs from the known one: (connection, address) -> id.
    """

    def __init__(self, judging: Judging, sensors: RoomSensors, check_ins: CheckInBook) -> None:
        self.health: dict[str, ConnectionHealth] = {}
        self.clock: ClockHealth | None = None
        self.removed: dict[str, int] = {}
        self.touched: dict[tuple[str, str], str] = {}
        self._judging = judging
        self._sensors = sensors
        self._check_ins = check_ins
        self._entries: dict[str, RoomEntry] = {}

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
