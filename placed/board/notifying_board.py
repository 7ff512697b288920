"""The board's rooms over time: each is judged when it changes and when it is due, and listeners are notified.

If a room's judgement is new, a statement is made and every listener is notified, synchronously.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from placed.board.board_state import BoardState
from placed.board.due_times import DueTimes

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from placed.board.check_in_book import CheckInBook
    from placed.board.judging import Judging
    from placed.board.listener import Listener
    from placed.board.room_entry import RoomEntry
    from placed.board.room_sensors import RoomSensors
    from placed.domain.calendar_event_detection import Event

_LOOKS = 8  # looks at the age of a reading that take as long as to judge a room


class NotifyingBoard(BoardState):
    """Judges rooms, and notifies the listeners of what is new.

    Args:
        judging: the rules, and the numbers of the statements.
        sensors: the presence sensors of the rooms.
        check_ins: the check-ins of the rooms.
        now: the wall clock.

    Attributes:
        listeners: are notified, in this order.
        ended: how many statements had ended when they were judged again, and settings of the clock.
    """

    def __init__(
        self, judging: Judging, sensors: RoomSensors, check_ins: CheckInBook, now: Callable[[], datetime]
    ) -> None:
        super().__init__(judging, sensors, check_ins)
        self.listeners: list[Listener] = []
        self.ended = 0
        self._now = now
        self._due = DueTimes()

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
