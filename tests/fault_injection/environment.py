"""All that faults happen to: a tenant, a broker, lines, clocks, and a daemon that is a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import random
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from zoneinfo import ZoneInfo

from placed_microsoft365.simulator import Simulator, Tenant, fence_toml
from placed_microsoft365.simulator.graph.service import Graph
from placed_microsoft365.simulator.login.service import LoginHost
from placed_microsoft365.simulator.tenant.app_access import LONG_AGO, AccessPolicy
from tests.fault_injection.calendar_changes import People
from tests.fault_injection.ground_truth import Truth
from tests.fault_injection.machine_delay import MachineDelay
from tests.fault_injection.network_link import Line
from tests.fault_injection.oracle import Oracle, Promise, Violation, Weather
from tests.fault_injection.process_supervisor import Unit
from tests.fault_injection.shared_clock import SharedClock
from tests.fault_injection.shortened_timeouts import ANSWER, LONGEST_PAUSE, LONGEST_REST
from tests.support.free_ports import HOST, free_port
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator
    from pathlib import Path

    from placed_microsoft365.simulator import App

ZONE = ZoneInfo("Europe/Berlin")
GROUP_ROOMS = tuple(f"room-{number}" for number in range(1, 9))  # of the connection `group`
LISTED_ROOMS = tuple(f"listed-{number}" for number in range(1, 5))  # of the connection `listed`
ROLES = ("Calendars.Read", "GroupMember.Read.All")
_TICK = 0.1  # seconds


@dataclass(frozen=True, slots=True)
class Pace:
    """What the daemon is set to; seconds."""

    interval: float = 1.0
    rediscover: float = 2.0
    lead: float = 4.0
    stale_after: float = 3.0
    expire_after: float = 10.0

    @property
    def promise(self) -> Promise:
        """What follows from it.

        A state is believed for `expire_after`, and MQTT counts an expiry in whole seconds; a second more is
        for machines with much to do. Recovery takes at most an answer that never comes, after it the longest
        rest (of a tenth more by chance) or the longest pause and the broker's answer, whichever is longer,
        then a poll, the reading of the group, and two seconds for a daemon to start.
        """
        trouble = ANSWER + max(1.1 * LONGEST_REST, LONGEST_PAUSE + ANSWER)
        return Promise(
            budget=self.expire_after + 2.0,
            fresh=self.interval + 3.0,
            recovery=trouble + self.interval + self.rediscover + 2.0,
        )


class Simulated(Simulator):
    """A tenant that says that it is where the line to it is."""

    def move_behind(self, line: Line) -> None:
        """From now on."""
        self.url = f"https://localhost:{line.port}"
        self._graph = Graph(self.tenant, self.url, self._sleep)
        self._login = LoginHost(self.tenant, self.url, self._sleep)


class World:
    """Begin it with `World.open`."""

    group_rooms = GROUP_ROOMS
    listed_rooms = LISTED_ROOMS

    def __init__(
        self, folder: Path, pace: Pace, seed: int, tell: Callable[[Violation], None], *, persistence: bool
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.pace = pace
        self.clock = SharedClock(folder / "clock")
        self.truth = Truth(ZONE, pace.lead, slack=1.5)
        self.weather = Weather(pace.promise.recovery)
        self.oracle = Oracle(self.truth, self.weather, pace.promise, tell)
        self.tenant = Tenant(now=self.clock.now)
        for room in (*GROUP_ROOMS, *LISTED_ROOMS):
            self.tenant.add_room(room)
        self.tenant.add_person("ada")
        self.tenant.add_group("placed-rooms", members=GROUP_ROOMS)
        self.tenant.add_group("listed-rooms", members=LISTED_ROOMS)
        self.simulator = Simulated(self.tenant)
        self.broker = Mosquitto(folder / "mosquitto", persistence=persistence)
        self.people = People(self.tenant, random.Random(seed), self.note)  # noqa: S311 - a play, not a secret
        self.clock.delay = MachineDelay(self._processes).seconds
        self._tell = tell
        self._versions: dict[str, int] = {}
        self._ids: dict[str, str] = {}  # of rooms, by object id
        self._connections: list[str] = []

    @classmethod
    @asynccontextmanager
    async def open(  # noqa: PLR0913 - each is a thing that a world may be
        cls,
        folder: Path,
        *,
        tell: Callable[[Violation], None],
        pace: Pace | None = None,
        seed: int = 0,
        broken: str | None = None,
        persistence: bool = False,
    ) -> AsyncIterator[Self]:
        """Everything is there but the daemon, which is started by whoever runs `world.unit`."""
        world = cls(folder, pace or Pace(), seed, tell, persistence=persistence)
        async with AsyncExitStack() as stack:
            await world.broker.start()
            stack.push_async_callback(world.broker.kill)
            await stack.enter_async_context(world.simulator)
            tenant_port = int(world.simulator.url.rpartition(":")[2])
            world.to_tenant = await stack.enter_async_context(Line(tenant_port))
            world.answers = await stack.enter_async_context(Proxy(world.broker.port))
            world.to_broker = await stack.enter_async_context(Line(world.answers.port))
            world.to_panel = await stack.enter_async_context(Line(world.broker.port))
            world.simulator.move_behind(world.to_tenant)
            world.group_app = world._connect(
                "group", "placed-rooms", room_group="placed-rooms@contoso.example"
            )
            listed = [world.tenant.address(room) for room in LISTED_ROOMS]
            world.listed_app = world._connect("listed", "listed-rooms", rooms=listed)
            world.endpoint_port = free_port()  # the same over restarts, for pages that are open
            world.configuration = world._configure("placed", world.endpoint_port)
            world.unit = world.make_unit("unit", broken)
            world.note()
            keeping_time = asyncio.create_task(world._keep_time())
            try:
                yield world
            finally:
                keeping_time.cancel()
                await asyncio.wait([keeping_time])

    to_tenant: Line
    to_broker: Line  # of the daemon, by way of `answers`
    answers: Proxy  # may answer in the broker's place
    to_panel: Line  # of a panel, to the broker
    group_app: App
    listed_app: App
    endpoint_port: int
    configuration: Path
    unit: Unit

    def make_unit(self, name: str, broken: str | None = None) -> Unit:
        """The daemon of this world."""
        return self._unit(name, self.configuration, broken)

    def make_rival(self, name: str) -> Unit:
        """A second daemon with the same settings, a state directory and a port of its own."""
        return self._unit(name, self._configure(name, 0))

    def _unit(self, name: str, configuration: Path, broken: str | None = None) -> Unit:
        arguments = ["--clock", str(self.folder / "clock"), "--config", str(configuration)]
        if broken is not None:
            arguments += ["--break", broken]
        return Unit(self.folder / name, arguments, self.complain)

    # --- what is true ---

    def note(self) -> None:
        """Whatever has changed of calendars and clocks is noted for the oracle."""
        elapsed = self.clock.elapsed()
        self.truth.tick(elapsed, self.clock.now().timestamp(), self.clock.steady())
        for room in self.tenant.rooms():
            mailbox = self.tenant.mailbox(room)
            if self._versions.get(room.user_id) != mailbox.version:
                self._versions[room.user_id] = mailbox.version
                room_id = self._ids.setdefault(room.user_id, _id(room.address))  # whatever its address is now
                self.truth.note(room_id, mailbox.meetings.values(), elapsed)

    async def pass_time(self, seconds: float) -> None:
        """So much of it as the oracle counts."""
        end = self.clock.elapsed() + seconds
        while (left := end - self.clock.elapsed()) > 0:  # noqa: ASYNC110 - no event: it is time itself
            await asyncio.sleep(left)

    async def _keep_time(self) -> None:
        """For ever: the oracle's clock runs unevenly."""
        while True:
            self.note()
            await asyncio.sleep(_TICK)

    def _processes(self) -> Iterator[int]:
        """Those on the way from a calendar to a panel."""
        yield os.getpid()
        yield from filter(None, (self.broker.pid, self.unit.pid if hasattr(self, "unit") else None))

    @asynccontextmanager
    async def unreadable(self, *rooms: str) -> AsyncIterator[None]:
        """Of these rooms nothing may be read meanwhile: they may be shown for the budget and no longer."""
        elapsed = self.clock.elapsed()
        for room in rooms:
            self.truth.close(room, elapsed)
        try:
            yield
        finally:
            elapsed = self.clock.elapsed()
            for room in rooms:
                self.truth.open(room, elapsed)

    @property
    def all_rooms(self) -> tuple[str, ...]:
        """Those of both connections, but for new ones."""
        return self.group_rooms + self.listed_rooms

    # --- the daemon ---

    @property
    def sign_ins(self) -> int:
        """How often a token was asked for."""
        return sum(record.path.endswith("/token") for record in self.simulator.requests)

    def complain(self, text: str) -> None:
        self._tell(Violation("daemon", self.clock.elapsed(), "-", "-", text, []))

    def _connect(
        self, name: str, group: str, *, room_group: str | None = None, rooms: Iterable[str] = ()
    ) -> App:
        secret = self.folder / f"{name}.secret"
        secret.write_text(f"s3cret~of~{name}")
        secret.chmod(0o600)
        app = self.tenant.register_app(secrets=[secret.read_text()], roles=ROLES)
        app.policies = [
            AccessPolicy("RestrictAccess", self.tenant.address(group), LONG_AGO)
        ]  # whatever the clock
        table = self.simulator.settings_toml(
            app,
            name=name,
            client_secret_file=secret,
            rooms=rooms,
            room_group=room_group,
            time_zone=ZONE.key,
        )
        self._connections.append(table + fence_toml("access-policy", ["ada@contoso.example"]))
        return app

    def _configure(self, name: str, port: int) -> Path:
        pace = self.pace
        tables = {
            "polling": {"interval": f"{pace.interval}s", "rediscover": f"{pace.rediscover}s"},
            "occupancy": {
                "lead": f"{pace.lead}s",
                "stale_after": f"{pace.stale_after}s",
                "expire_after": f"{pace.expire_after}s",
            },
            "mqtt": {"url": f"mqtt://localhost:{self.to_broker.port}"},
            "http": {"listen": f"{HOST}:{port}"},
        }
        file = self.folder / f"{name}.toml"
        file.write_text("\n".join([*self._connections, *_toml(tables)]))
        return file


def _toml(tables: dict[str, dict[str, str]]) -> Iterator[str]:
    for name, table in tables.items():
        yield f"[{name}]"
        yield from (f"{key} = {json.dumps(value)}" for key, value in table.items())


def _id(address: str) -> str:
    return address.partition("@")[0]
