"""Logs every change of a room's status; the lines contain no titles and no names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from placed.domain.model import Reason, Status
from placed.domain.timestamps import timestamp_or_none

if TYPE_CHECKING:
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.room_event_detection import Event
    from placed.domain.state_document import Statement

log = structlog.get_logger("placed.board.status_log")

_EVENTS = {
    Status.FREE: "room.became_free",
    Status.STARTING: "room.became_starting",
    Status.BUSY: "room.became_busy",
    Status.PENDING: "room.became_pending",
    Status.UNKNOWN: "room.became_unknown",
}


class StatusLog:
    """A listener of the board that logs every change of a status."""

    def __init__(self) -> None:
        self._last: dict[str, tuple[Status, bool]] = {}

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:
        """Logs the status if it differs from the one before."""
        del urgent, events
        occupancy = statement.occupancy
        text = (occupancy.status, occupancy.stale)
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
