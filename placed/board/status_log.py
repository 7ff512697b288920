"""Logs every change of a room's status; the lines contain no titles and no names."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import structlog

from placed.domain.calendar_event_detection import EventKind
from placed.domain.model import Reason, Status
from placed.domain.timestamps import timestamp_or_none

if TYPE_CHECKING:
    from placed.domain.calendar_event_detection import Event
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.state_document import Statement

log = structlog.get_logger("placed.board.status_log")

_EVENTS = {
    Status.FREE: "room.became_free",
    Status.STARTING: "room.became_starting",
    Status.BUSY: "room.became_busy",
    Status.PENDING: "room.became_pending",
    Status.UNKNOWN: "room.became_unknown",
}
# What is kept of a room is one of these few objects.
_SHARED = {state: state for state in product(Status, (False, True))}


class StatusLog:
    """A listener of the board that logs every change of a status."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Status, bool]] = {}

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:
        """Logs the status if it differs from the one before, and a release that nobody here has asked for."""
        del urgent
        for event in events:
            if event.happening is EventKind.RELEASED_BY_SERVICE:
                log.warning(
                    "room.was_released_by_service",
                    room=statement.room.id,
                    problem="a meeting that somebody has checked in to is gone from the calendar",
                    remedy="switch off that the calendar service releases rooms: it knows no check-in here",
                )
        occupancy = statement.occupancy
        text = _SHARED[occupancy.status, occupancy.stale]
        if self._last.get(statement.room.id) == text or occupancy.reason is Reason.NOT_READ_YET:
            return
        self._last[statement.room.id] = text
        until = occupancy.busy_until or occupancy.free_until
        log.debug(
            _EVENTS[occupancy.status],
            room=statement.room.id,
            until=timestamp_or_none(until),
            stale=occupancy.stale or None,
            reason=occupancy.reason.value if occupancy.reason else None,
        )

    def rooms_changed(self, removed: frozenset[str]) -> None:
        """Forgets removed rooms."""
        for room_id in removed:
            self._last.pop(room_id, None)

    def health_changed(self, health: ConnectionHealth) -> None:
        """Does nothing, because the poller logs it."""

    def connection_removed(self, connection: str) -> None:
        """Does nothing, because the reload logs it."""
