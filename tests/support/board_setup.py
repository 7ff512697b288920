"""Boards made by hand, and a status endpoint over them, for the tests of `placed.http`."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from placed.board.board import Board
from placed.domain.connection_health import ConnectionHealth, ConnectionState
from placed.domain.model import Meeting, Room, Schedule
from placed.domain.mqtt_delivery_status import Refused, Undelivered
from placed.domain.occupancy import Policy
from placed.domain.presence import Reading, Sensor, SensorKind
from placed.domain.privacy import Show
from placed.domain.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placed.domain.sensor_traffic import MessageResult

NINE = datetime(2026, 1, 8, 9, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def undelivered(*, count: int = 1, state: bool = True) -> Undelivered:
    """What the broker refuses."""
    return Undelivered(
        topics="placed/rooms/+/state" if state else "placed/bridge/info",
        count=count,
        reason=Refused.NOT_AUTHORIZED,
        since=NINE,
        problem=Problem(
            "", "messages are refused by the broker: Not authorized (0x87)", "allow this login to write there"
        ),
        state=state,
    )


@dataclass
class HandBridge:
    """The MQTT side, as the test wants it."""

    configured: bool = True
    connected: bool = True
    messages_published: int = 0
    messages_refused: Mapping[str, int] = field(
        default_factory=lambda: {reason.value: 0 for reason in Refused}
    )
    undelivered: Sequence[Undelivered] = ()
    all_acknowledged: bool = True
    reconnects: int = 0
    was_connected: bool = True
    last_error: str | None = None


@dataclass
class HandSensors:
    """What sensors sent, as the test wants it."""

    configured: bool = True
    messages: dict[MessageResult, int] = field(default_factory=dict)
    brokers: dict[str, bool] = field(default_factory=dict)


@dataclass
class BoardSetup:
    """A board, its clock and methods to change its rooms."""

    moment: datetime = NINE
    show: Show = Show.NOTHING
    epoch: int = 7
    policy: Policy = field(default_factory=Policy)
    time_is_known: bool = True
    bridge: HandBridge = field(default_factory=HandBridge)
    sensors: HandSensors = field(default_factory=HandSensors)
    board: Board = field(init=False)
    enrolled: dict[str, dict[str, Room]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.board = Board(
            self.policy, self.show, self.now, self.epoch, believable=lambda: self.time_is_known
        )

    def now(self) -> datetime:
        return self.moment

    def add(self, *ids: str, connection: str = "contoso", **place: Any) -> None:
        """Rooms come to a connection."""
        rooms = self.enrolled.setdefault(connection, {})
        for room_id in ids:
            address = f"{room_id}@contoso.example"
            room = Room(room_id, connection, address, f"guid-of-{room_id}", room_id.title(), BERLIN)
            rooms[room_id] = replace(room, **place)
        self.board.enroll(connection, rooms.values())

    def drop(self, room_id: str, connection: str = "contoso") -> None:
        """A room goes."""
        del self.enrolled[connection][room_id]
        self.board.enroll(connection, self.enrolled[connection].values())

    def read(self, room_id: str, *meetings: Meeting) -> None:
        """A room's calendar is read now."""
        day = timedelta(days=1)
        self.board.learn(room_id, Schedule(meetings, self.moment - day, self.moment + day, self.moment))

    def wait(self, duration: timedelta) -> None:
        """Time passes, and due rooms are evaluated."""
        self.moment += duration
        self.board.judge_due()

    def sense(self, room_id: str, *, present: bool, count: int | None = None) -> None:
        """The room's radar reports presence now; it is stale after ten minutes."""
        radar = Sensor("radar", SensorKind.RADAR, minutes(1), minutes(10))
        self.board.sense(room_id, radar, Reading(present=present, at=self.moment, count=count))

    def report(self, name: str = "contoso", **health: Any) -> None:
        """A connection reports its health."""
        given: dict[str, Any] = {"state": ConnectionState.OK, "last_success": self.moment, **health}
        self.board.report(ConnectionHealth(name, "microsoft365", **given))


def meeting(start: float, end: float, **more: Any) -> Meeting:
    """A meeting from so many minutes after nine to so many after."""
    return Meeting(f"key-{start}", NINE + minutes(start), NINE + minutes(end), **more)
