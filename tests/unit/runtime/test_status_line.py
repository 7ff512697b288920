"""The line that `systemctl status` shows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.domain.connection_health import ConnectionHealth, ConnectionState
from placed.domain.machine_clock_health import ClockHealth, ClockState
from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure
from placed.driver import Fence, FenceState
from placed.runtime.status_line import StatusLine
from placed.runtime.systemd import Supervisor
from tests.support.domain_builders import at
from tests.support.notify_socket import Manager

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from placed.domain.mqtt_delivery_status import Undelivered

VERIFIED = Fence(FenceState.VERIFIED)
NOON = at("12:00")


@dataclass
class Clock:
    """The time, how the machine's clock is, and one sleeper that wakes when the test sets it."""

    health: ClockHealth = field(default_factory=lambda: ClockHealth(ClockState.RIGHT, NOON))
    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, _seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass
class Bridge:
    """The publisher."""

    configured: bool = True
    connected: bool = True
    was_connected: bool = True
    last_error: str | None = None
    messages_published: int = 0
    messages_refused: Mapping[str, int] = field(default_factory=dict)
    undelivered: Sequence[Undelivered] = ()
    all_acknowledged: bool = True
    reconnects: int = 0


@dataclass
class Poller:
    """A connection."""

    health: ConnectionHealth
    answered: int = 0
    rooms: int = 12


def connection(state: ConnectionState = ConnectionState.OK, **more: object) -> ConnectionHealth:
    reported = {"rooms": 12, "fence": VERIFIED} | more
    return ConnectionHealth("contoso", "microsoft365", state=state, **reported)  # type: ignore[arg-type]


@dataclass
class Daemon:
    """All that the line is about."""

    manager: Manager
    clock: Clock = field(default_factory=Clock)
    bridge: Bridge = field(default_factory=Bridge)
    pollers: list[Poller] = field(default_factory=lambda: [Poller(connection())])

    def __post_init__(self) -> None:
        supervisor = Supervisor(self.manager.address)
        self.line = StatusLine(supervisor, self.pollers, lambda: self.bridge, self.clock)  # type: ignore[arg-type]

    @property
    def text(self) -> str:
        return self.line.text()


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Manager.listening(tmp_path) as manager:
        yield Daemon(manager)


def test_where_all_is_well_it_counts_rooms(daemon: Daemon) -> None:
    assert daemon.text == "12 rooms in 1 connection(s)"


def test_it_reports_since_when_and_why_the_broker_is_unreachable(daemon: Daemon) -> None:
    daemon.bridge.connected = False
    daemon.bridge.last_error = "Connection refused"
    away = "12 rooms in 1 connection(s); broker away since 2026-06-15 12:00:00Z: Connection refused"
    away = away.replace("2026-06-15", f"{NOON:%Y-%m-%d}").replace("12:00:00Z", f"{NOON:%H:%M:%S}Z")
    assert daemon.text == away
    daemon.clock.moment += timedelta(hours=1)
    assert daemon.text == away
    daemon.bridge.connected, daemon.bridge.last_error = True, None
    assert daemon.text == "12 rooms in 1 connection(s)"
    daemon.bridge.connected = False
    assert "away since" in daemon.text
    assert daemon.text != away


def test_a_broker_that_never_was_there_is_waited_for(daemon: Daemon) -> None:
    daemon.bridge = Bridge(connected=False, was_connected=False)
    assert daemon.text == "12 rooms in 1 connection(s); waiting for the broker"
    daemon.bridge = Bridge(configured=False, connected=False, was_connected=False)
    assert daemon.text == "12 rooms in 1 connection(s)"


def test_it_shows_what_the_broker_refuses(daemon: Daemon) -> None:
    daemon.bridge.last_error = "the broker refuses messages"
    assert daemon.text == "12 rooms in 1 connection(s); broker: the broker refuses messages"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (ConnectionState.FAILING, "contoso failing since"),
        (ConnectionState.REFUSED, "contoso refused since"),
        (ConnectionState.BREACHED, "contoso fence breached, not read any more since"),
    ],
)
def test_it_names_a_connection_that_fails(daemon: Daemon, state: ConnectionState, words: str) -> None:
    failing = {"boardroom": ReadFailure(Reason.UNAVAILABLE, NOON, Problem("", ""))}
    daemon.pollers[0] = Poller(
        connection(state, since=NOON, problem=Problem("", "no way\nin " * 100), failing=failing)
    )
    assert daemon.text.startswith("12 rooms in 1 connection(s), 1 not readable; ")
    assert words in daemon.text
    assert "\n" not in daemon.text
    assert len(daemon.text) < 400


def test_it_counts_the_first_round(daemon: Daemon) -> None:
    daemon.pollers[0] = Poller(connection(ConnectionState.STARTING), answered=400, rooms=5500)
    assert daemon.text.endswith("contoso: reading the rooms for the first time: 400 of 5500")


def test_it_names_a_fence_that_is_not_proven(daemon: Daemon) -> None:
    daemon.pollers[0] = Poller(connection(fence=Fence(FenceState.UNPROVEN)))
    assert daemon.text == "12 rooms in 1 connection(s); fence contoso unproven"


def test_it_reports_that_the_clock_is_wrong(daemon: Daemon) -> None:
    daemon.clock.health = ClockHealth(ClockState.CORRECTED, NOON, -720.0)
    assert "this machine's clock is 12 min behind the calendar services" in daemon.text


def test_a_refused_reload_is_there_with_its_first_problem(daemon: Daemon) -> None:
    daemon.line.refuse_reload([Problem("mqtt.url", "wrong"), Problem("http.listen", "wrong")])
    (heard,) = daemon.manager.heard
    assert heard.startswith("STATUS=12 rooms in 1 connection(s); reload at ")
    assert heard.endswith("Z refused: mqtt.url: wrong (and 1 more)")


async def test_systemd_is_notified_only_of_changes(daemon: Daemon) -> None:
    running = asyncio.create_task(daemon.line.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert daemon.manager.heard == ["STATUS=12 rooms in 1 connection(s)"]
    daemon.bridge.last_error = "no"
    for _ in range(20):
        await asyncio.sleep(0)
    assert daemon.manager.heard == ["STATUS=12 rooms in 1 connection(s); broker: no"]
    running.cancel()
    await asyncio.wait([running])


def test_a_line_that_systemd_did_not_take_is_shown_with_the_next_look(daemon: Daemon) -> None:
    other = Supervisor(daemon.manager.address)
    while other.status("of another service"):
        pass
    daemon.line.show()
    assert "STATUS=12 rooms in 1 connection(s)" not in daemon.manager.heard
    daemon.line.show()
    assert daemon.manager.heard == ["STATUS=12 rooms in 1 connection(s)"]
