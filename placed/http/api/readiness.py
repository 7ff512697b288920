"""Readiness: whether the calendars are fresh and the broker holds the states. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.domain.clock_health import ClockState
from placed.domain.connection_health import ConnectionState
from placed.domain.model import Status
from placed.http.api.room_filters import status_at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.publisher_status import PublisherStatus
    from placed.domain.state_document import Statement

_LATE = timedelta(seconds=10)  # an edge this late is lost; a shorter delay is normal under load
_STATES = {
    ConnectionState.STARTING: "nothing was read yet",
    ConnectionState.FAILING: "the last round read no room",
    ConnectionState.REFUSED: "it is refused for good: a person has to change the configuration",
    ConnectionState.BREACHED: "the fence does not hold",
}


@dataclass(frozen=True, slots=True)
class Unready:
    """A part with a problem. `part` is mqtt, board, clock, connections or connection:<name>."""

    part: str
    detail: str


def unready(board: Board, publisher: PublisherStatus, moment: datetime) -> list[Unready]:
    """The parts that are not ready."""
    found: list[Unready] = []
    rooms: dict[str, list[Statement]] = {name: [] for name in board.health}
    for statement in board.statements:
        rooms.setdefault(statement.room.connection, []).append(statement)
    if not rooms:
        found.append(Unready("connections", "no connection was tried yet"))
    for name in sorted(rooms):
        detail = _connection(board.health.get(name), rooms[name], moment)
        if detail:
            found.append(Unready(f"connection:{name}", detail))
    if board.next_due is not None and moment - board.next_due > _LATE:
        found.append(Unready("board", "rooms are not judged in time"))
    clock = board.clock
    if clock is not None and not clock.state.is_believable:
        found.append(Unready("clock", f"{clock.problem}; {clock.remedy}"))
    found += _mqtt(publisher)
    return found


def warnings(board: Board, publisher: PublisherStatus) -> list[Unready]:
    """Problems that do not affect the states of rooms."""
    clock = board.clock
    optional = [group for group in publisher.undelivered if not group.state]
    found = [Unready("mqtt", group.problem.line) for group in optional]
    if clock is not None and clock.state is ClockState.CORRECTED:
        found.append(Unready("clock", f"{clock.problem}; {clock.remedy}"))
    return found


def _mqtt(publisher: PublisherStatus) -> Iterator[Unready]:
    """What prevents the broker from holding the current states, which panels read."""
    if not publisher.configured:
        return
    if not publisher.connected:
        yield Unready("mqtt", "the broker is not connected")
    elif not publisher.all_acknowledged:
        yield Unready("mqtt", "the broker has not yet acknowledged the states of all rooms")
    for group in publisher.undelivered:
        if group.state:
            yield Unready("mqtt", group.problem.line)


def _connection(health: ConnectionHealth | None, statements: list[Statement], moment: datetime) -> str | None:
    if health is None:
        return _STATES[ConnectionState.STARTING]
    if health.state is not ConnectionState.OK:
        return health.problem.text if health.problem else _STATES[health.state]
    if statements and not any(_fresh(statement, moment) for statement in statements):
        return "no room was read in time"
    return None


def _fresh(statement: Statement, moment: datetime) -> bool:
    return not statement.occupancy.stale and status_at(statement, moment) is not Status.UNKNOWN
