"""What a daemon needs to run: a simulated tenant, a broker and a configuration, on this machine."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from placed.domain.connection_health import ConnectionHealth, ConnectionState
from placed.runtime.daemon import Daemon, DaemonSurroundings
from placed.runtime.systemd import Supervisor
from placed.settings.loader import load
from placed.store import Journal
from placed_microsoft365.simulator import App, Simulator, Tenant
from tests.support.adjustable_clock import LeapingClock
from tests.support.deadlines import DEADLINE
from tests.support.followed_logs import followed_logs
from tests.support.mosquitto import Mosquitto, Subscriber
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Web
from tests.support.watched_requests import WatchedRequests

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
    from pathlib import Path

    from structlog.typing import EventDict

    from tests.support.followed_logs import FollowedLogs

ROLES = ("Calendars.Read", "Place.Read.All", "GroupMember.Read.All")
ROOMS = ("boardroom", "library")


class WatchedTenant(WatchedRequests, Simulator):
    """A simulated tenant whose requests can be waited for."""


class Deployment:
    """Tenant and broker run; a daemon is started with `daemon`, or as a process with `file`.

    Attributes:
        clock: that of the tenant and of daemons in this process.
        file: the configuration; `configure` writes it.
    """

    def __init__(self, folder: Path, tenant: Tenant, clock: LeapingClock) -> None:
        self.folder = folder
        self.tenant = tenant
        self.clock = clock
        self.file = folder / "placed.toml"
        self.state_directory = folder / "state"
        self.simulator = WatchedTenant(tenant)
        self.broker = Mosquitto(folder / "mosquitto")
        self.connections: list[str] = []
        self._app: App | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, tenant: Tenant | None = None) -> AsyncIterator[Self]:
        """With two rooms, or with the given tenant."""
        clock = LeapingClock()
        if tenant is None:
            tenant = Tenant(now=clock.now)
            for room in ROOMS:
                tenant.add_room(room)
        deployment = cls(folder, tenant, clock)
        await deployment.broker.start()
        try:
            async with deployment.simulator:
                yield deployment
        finally:
            await deployment.broker.kill()

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """The ports of login and Graph are closed."""
        async with self.simulator.outage():
            yield

    # --- the configuration ---

    def connect(
        self,
        name: str = "contoso",
        *,
        rooms: Iterable[str] | None = None,
        roles: Iterable[str] = ROLES,
        more: str = "",
        **settings: Any,
    ) -> App:
        """Registers an application with a secret, and configures a connection with it.

        Args:
            name: of the connection.
            rooms: their names; all of the tenant unless `room_group` or `room_list` is given.
            roles: what the administrator consented to.
            more: lines of TOML that follow the table.
            settings: as `Simulator.settings_toml` takes them.
        """
        secret, file = f"s3cret~of~{name}", self.folder / f"{name}.secret"
        write_secret(file, secret)
        app = self.tenant.register_app(secrets=[secret], roles=roles)
        if "certificate" not in settings:
            settings["client_secret_file"] = file
        if not {"room_group", "room_list"} & settings.keys():
            names = [room.address for room in self.tenant.rooms()] if rooms is None else rooms
            settings["rooms"] = [self.tenant.address(room) for room in names]
        self.connections.append(self.simulator.settings_toml(app, name=name, **settings) + more)
        return app

    def configure(self, **tables: Mapping[str, object] | None) -> Path:
        """Writes the configuration; a table that is None is left out.

        Without another word: all connections so far, or one to all rooms, and an interval of a second.
        """
        if not self.connections:
            self.connect()
        usual: dict[str, Mapping[str, object] | None] = {
            "polling": {"interval": "1s"},
            "mqtt": {"url": self.broker.url},
            "http": {"listen": "127.0.0.1:0"},
        }
        lines = [*self.connections]
        for name, table in (usual | tables).items():
            if table is not None:
                lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
        self.file.write_text("\n".join([*lines, ""]))
        return self.file

    # --- the daemon ---

    @asynccontextmanager
    async def daemon(
        self, *, ready: bool = True, supervisor: Supervisor | None = None, ready_within: float = DEADLINE
    ) -> AsyncIterator[Running]:
        """A daemon in this process; at the end it is stopped.

        Args:
            ready: waits until it reports that it is ready.
            supervisor: receives its state; nothing does, if not given.
            ready_within: seconds after which it is ready whatever the network does.
        """
        if not self.file.exists():
            self.configure()
        announced = asyncio.Event()
        journal = Journal(self.state_directory)
        surroundings = DaemonSurroundings(
            clock=self.clock,
            supervisor=supervisor or Supervisor(None),
            journal=journal,
            version="1.2.3",
            announce=lambda _daemon: announced.set(),
            ready_within=ready_within,
        )
        with followed_logs() as log:
            daemon = Daemon(load(self.file), surroundings)
            stop = asyncio.Event()
            task = asyncio.create_task(daemon.run(stop))
            running = Running(daemon, task, announced, log)
            try:
                if ready:
                    await running.ready()
                yield running
            finally:
                stop.set()
                async with asyncio.timeout(DEADLINE):
                    await asyncio.wait([task])
                journal.close()
            if not task.cancelled():
                task.result()

    def listener(self, *topics: str) -> Subscriber:
        """Hears what is published from the moment on at which it is entered, and what is retained."""
        return Subscriber(self.broker, *(topics or ("placed/#",)))

    @asynccontextmanager
    async def ways_out(self, running: Running) -> AsyncIterator[tuple[Subscriber, Web]]:
        """Both ways to hear of rooms."""
        async with self.listener() as panel, Web(running.url) as web:
            yield panel, web

    # --- what the service was asked ---

    @property
    def batches(self) -> list[tuple[str, ...]]:
        """The paths in each batch that was answered so far."""
        return [tuple(item.path for item in r.items) for r in self.simulator.requests if r.items]

    @property
    def logins(self) -> int:
        """How often a token was asked for."""
        return sum(record.path.endswith("/token") for record in self.simulator.requests)


class _Failure:
    """Listens to the board for a connection that fails."""

    def __init__(self) -> None:
        self.happened = asyncio.Event()

    def stated(self, *_: object, **__: object) -> None:
        """No matter."""

    def rooms_changed(self, *_: object) -> None:
        """No matter."""

    def connection_removed(self, connection: str) -> None:
        """No matter."""

    def health_changed(self, health: ConnectionHealth) -> None:
        if health.state is ConnectionState.FAILING:
            self.happened.set()


@dataclass(slots=True)
class Running:
    """A daemon that runs in this process, and what it has logged."""

    daemon: Daemon
    task: asyncio.Task[None]
    announced: asyncio.Event
    log: FollowedLogs

    @property
    def logs(self) -> Sequence[EventDict]:
        """What it has logged."""
        return self.log.entries

    @property
    def url(self) -> str:
        """Of its status endpoint."""
        assert self.daemon.server is not None
        return self.daemon.server.url

    @asynccontextmanager
    async def web(self) -> AsyncIterator[Web]:
        """Its status endpoint, as soon as it listens."""
        await self.has_logged("http.is_listening")
        assert self.daemon.server is not None
        async with asyncio.timeout(DEADLINE):
            await self.daemon.pollers[0].first.wait()
        async with Web(self.daemon.server.url) as web:
            yield web

    async def ready(self) -> None:
        """Waits until the daemon reports that it is ready; fails if it ends before."""
        waiting = asyncio.create_task(self.announced.wait())
        async with asyncio.timeout(DEADLINE):
            await asyncio.wait([waiting, self.task], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self.task.done():
            self.task.result()

    async def failing(self) -> None:
        """Waits until a connection has failed as a whole."""
        seen = _Failure()
        self.daemon.board.listeners.append(seen)
        for health in self.daemon.board.health.values():
            seen.health_changed(health)
        async with asyncio.timeout(DEADLINE):
            await seen.happened.wait()

    async def ends(self) -> None:
        """Waits until it has ended by itself."""
        async with asyncio.timeout(DEADLINE):
            await asyncio.wait([self.task])

    async def has_logged(self, *events: str) -> EventDict:
        """Waits until it has logged one of these, and gives the first."""
        return await self.log.until(*events)

    def logged(self, *events: str) -> list[EventDict]:
        """What it has logged by these names."""
        return self.log.of(*events)
