"""Health and readiness: whether the calendars are fresh and the broker holds the states.

The key of a problem is the part that has it: mqtt, board, clock, connections or connection:<name>.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from aiohttp import web

from placed.domain.connection_health import ConnectionState
from placed.domain.fence_result import FenceState
from placed.domain.machine_clock_health import ClockState
from placed.domain.model import Status
from placed.domain.problem import Problem
from placed.http.api.room_filters import status_at
from placed.http.errors import HttpError
from placed.http.responses import JSON

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from placed.board.board import Board
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.mqtt_delivery_status import DeliveryStatus
    from placed.domain.state_document import Statement

_LATE = timedelta(seconds=10)  # an edge this late is lost; a shorter delay is normal under load
_STATES = {
    ConnectionState.STARTING: "nothing was read yet",
    ConnectionState.FAILING: "the last round read no room",
    ConnectionState.REFUSED: "it is refused for good: a person has to change the configuration",
    ConnectionState.BREACHED: "the fence does not hold",
}


class HealthApi:
    """Answers /healthz and /readyz."""

    def __init__(self, board: Board, publisher: DeliveryStatus, now: Callable[[], datetime]) -> None:
        self._board = board
        self._publisher = publisher
        self._now = now

    async def healthz(self, _request: web.Request) -> web.Response:
        """Whether the event loop answers."""
        return _uncached({"status": "ok"})

    async def readyz(self, _request: web.Request) -> web.Response:
        """Whether all parts are ready; else 503, with those that are not."""
        found = unready(self._board, self._publisher, self._now())
        doubtful = warnings(self._board, self._publisher)
        if found:
            raise HttpError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                *found,
                *doubtful,
                listed=[_part(problem) for problem in (*found, *doubtful)],
                lead="Not ready: ",
            )
        document: dict[str, object] = {"status": "ready"}
        if doubtful:
            document["warnings"] = [_part(problem) for problem in doubtful]
        return _uncached(document)


def _part(problem: Problem) -> dict[str, str]:
    return {"part": problem.key, "detail": problem.at("").line}


def _uncached(document: Mapping[str, object]) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(document), headers={"Content-Type": JSON, "Cache-Control": "no-store"}
    )


def unready(board: Board, publisher: DeliveryStatus, moment: datetime) -> list[Problem]:
    """The parts that are not ready."""
    found: list[Problem] = []
    rooms: dict[str, list[Statement]] = {name: [] for name in board.health}
    for statement in board.statements:
        rooms.setdefault(statement.room.connection, []).append(statement)
    if not rooms:
        found.append(Problem("connections", "no connection was tried yet"))
    for name in sorted(rooms):
        detail = _connection(board.health.get(name), rooms[name], moment)
        if detail:
            found.append(Problem(f"connection:{name}", detail))
    if board.next_due is not None and moment - board.next_due > _LATE:
        found.append(Problem("board", "rooms are not judged in time"))
    clock = board.clock
    if clock is not None and clock.problem is not None and not clock.state.is_believable:
        found.append(clock.problem.at("clock"))
    found += _mqtt(publisher)
    return found


def warnings(board: Board, publisher: DeliveryStatus) -> list[Problem]:
    """Problems that do not affect the states of rooms."""
    clock = board.clock
    optional = [group for group in publisher.undelivered if not group.state]
    found = [group.problem.at("mqtt") for group in optional]
    for name, health in sorted(board.health.items()):
        fence = health.writer_fence
        if fence is not None and fence.state is FenceState.BREACHED:
            ending = ", so nothing is written" if fence.enforce else ""
            text = f"the fence of what writes does not hold{ending}"
            found.append(Problem(f"actions:{name}", text, fence.limit))
    if clock is not None and clock.problem is not None and clock.state is ClockState.CORRECTED:
        found.append(clock.problem.at("clock"))
    return found


def _mqtt(publisher: DeliveryStatus) -> Iterator[Problem]:
    """What prevents the broker from holding the current states, which panels read."""
    if not publisher.configured:
        return
    if not publisher.connected:
        yield Problem("mqtt", "the broker is not connected")
    elif not publisher.all_acknowledged:
        yield Problem("mqtt", "the broker has not yet acknowledged the states of all rooms")
    for group in publisher.undelivered:
        if group.state:
            yield group.problem.at("mqtt")


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
