"""Small makers of values, so that a test shows only what matters to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from placed.domain.model import Meeting, Room, Schedule
from placed.domain.occupancy import Policy

if TYPE_CHECKING:
    from placed.domain.calendar_event_detection import Event
    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.state_document import Statement

DAY = datetime(2026, 10, 6, tzinfo=UTC)
POLICY = Policy()


def at(text: str) -> datetime:
    """The time of day on 6 October 2026, UTC; "9:30" or "9:30:01.5"."""
    parts = [float(part) for part in text.split(":")]
    hours, minutes, seconds = [*parts, 0.0][:3]
    return DAY + timedelta(hours=hours, minutes=minutes, seconds=seconds)


def meeting(start: str, end: str, **more: Any) -> Meeting:
    """A meeting of that day; its key is its times unless one is given."""
    return Meeting(more.pop("key", f"{start}-{end}"), at(start), at(end), **more)


def schedule(*meetings: Meeting, read_at: str = "9:00") -> Schedule:
    """What was read of the day before to the end of the day after."""
    return Schedule(meetings, DAY - timedelta(days=1), DAY + timedelta(days=2), at(read_at))


def room(room_id: str = "boardroom", **more: Any) -> Room:
    """A room of the connection contoso."""
    address = f"{room_id}@contoso.example"
    values: dict[str, Any] = {
        "connection": "contoso",
        "address": address,
        "mailbox": address,
        "name": room_id.title(),
        "time_zone": ZoneInfo("UTC"),
    }
    return Room(id=room_id, **(values | more))


class FakeClock:
    """Two clocks that only the test moves."""

    def __init__(self, now: datetime) -> None:
        self.moment = now
        self.elapsed = 1000.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.moment

    def steady(self) -> float:
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        """Time passes at once."""
        self.slept.append(seconds)
        self.pass_(seconds)

    def pass_(self, seconds: float) -> None:
        """Time passes on both clocks."""
        self.elapsed += seconds
        self.moment += timedelta(seconds=seconds)

    def step(self, seconds: float) -> None:
        """Somebody sets the clock on the wall."""
        self.moment += timedelta(seconds=seconds)


class Recorder:
    """A listener of the board that keeps what it received."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []
        self.urgent: list[bool] = []
        self.events: list[Event] = []
        self.removed: list[frozenset[str]] = []
        self.removed_connections: list[str] = []
        self.health: list[ConnectionHealth] = []

    def stated(self, statement: Statement, *, urgent: bool, events: tuple[Event, ...]) -> None:
        self.statements.append(statement)
        self.urgent.append(urgent)
        self.events += events

    def rooms_changed(self, removed: frozenset[str]) -> None:
        self.removed.append(removed)

    def health_changed(self, health: ConnectionHealth) -> None:
        self.health.append(health)

    def connection_removed(self, connection: str) -> None:
        self.removed_connections.append(connection)
