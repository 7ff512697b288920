"""Checks people in whom a sensor notices, where the sensor's settings want that."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from placed.actions.meeting_of_presence import meeting_of_presence
from placed.domain.model import Status

if TYPE_CHECKING:
    from placed.board.board import Board
    from placed.domain.clock import Clock
    from placed.domain.model import Meeting

_LOOK = 5.0  # seconds between looks at the rooms; sensors hold a presence for a minute or more


class CheckInTaker(Protocol):
    """Takes check-ins."""

    def check_in(self, room_id: str, meeting: Meeting) -> None:
        """Checks in to a meeting of a room."""
        ...


class SensorCheckIns:
    """Looks at the rooms with sensors that may check in.

    Args:
        board: the rooms and their sensors.
        clock: what time it is.
        taker: takes the check-ins.
    """

    def __init__(self, board: Board, clock: Clock, taker: CheckInTaker) -> None:
        self._board = board
        self._clock = clock
        self._taker = taker

    async def run(self) -> None:
        """Looks until it is cancelled."""
        while True:
            self.look()
            await self._clock.sleep(_LOOK)

    def look(self) -> None:
        """Checks in to the meetings of rooms in which somebody is."""
        for room_id in self._board.rooms_with_sensors:
            sensors = self._board.sensors_of(room_id)
            check_ins = self._board.check_ins_of(room_id)
            if check_ins is None or not any(sensor.check_in for sensor, _ in sensors):
                continue
            statement, schedule = self._board.statement(room_id), self._board.schedule(room_id)
            if statement is None or schedule is None or statement.occupancy.status is Status.UNKNOWN:
                continue
            meeting = meeting_of_presence(
                schedule.meetings,
                self._board.presence(room_id),
                sensors,
                moment=self._clock.now(),
                after=check_ins.rules.after - timedelta(microseconds=1),
                policy=self._board.policy,
            )
            if meeting is not None and not check_ins.has(meeting):
                self._taker.check_in(room_id, meeting)
