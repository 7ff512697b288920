"""All that faults happen to: a tenant, a broker, lines, clocks, and a daemon that is a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import random
import time
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from placed_microsoft365.simulator import Simulator
from placed_microsoft365.simulator.graph.service import Graph
from placed_microsoft365.simulator.login.service import LoginHost
from placed_microsoft365.simulator.tenant.mailboxes import UNTOUCHED
from tests.fault_injection.action_oracle import ActionOracle
from tests.fault_injection.calendar_changes import People
from tests.fault_injection.command_sender import CommandSender
from tests.fault_injection.daemon_pace import Pace
from tests.fault_injection.daemon_settings import CANARY, ZONE, DaemonSettings
from tests.fault_injection.dav_calendars import DavCalendars
from tests.fault_injection.feed_calendars import FeedCalendars
from tests.fault_injection.ground_truth import Truth
from tests.fault_injection.http_panel import fences_in
from tests.fault_injection.memory_oracle import MemoryOracle
from tests.fault_injection.network_link import Line
from tests.fault_injection.oracle import Oracle
from tests.fault_injection.panel_hands import ACTING, Hands
from tests.fault_injection.panel_hands import ROOMS as ACTING_ROOMS
from tests.fault_injection.process_supervisor import Unit
from tests.fault_injection.promise import Violation
from tests.fault_injection.secrecy_oracle import SecrecyOracle
from tests.fault_injection.sensor_fleet import Fleet
from tests.fault_injection.sensor_fleet import settings as settings_of_sensors
from tests.fault_injection.shared_clock import SharedClock
from tests.fault_injection.start_oracle import NotificationSocket, StartOracle
from tests.fault_injection.tenant_ledger import RecordingTenant
from tests.fault_injection.weather import Weather
from tests.fault_injection.workspace_bookings import ACTING as GOOGLE_ACTING
from tests.fault_injection.workspace_calendars import WorkspaceCalendars
from tests.support.free_ports import free_port
from tests.support.machine_delay import MachineDelay
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from placed_microsoft365.simulator import App
    from placed_microsoft365.simulator.tenant.mailboxes import Meeting
    from tests.fault_injection.calendar_service import CalendarService

GROUP_ROOMS = tuple(f"room-{number}" for number in range(1, 9))  # of the connection `group`
LISTED_ROOMS = tuple(f"listed-{number}" for number in range(1, 5))  # of the connection `listed`
LARGEST = 400 * 2**20  # bytes of the daemon
_TICK = 0.1  # seconds
ANSWERED = 90.0  # seconds within which a command that was accepted has its outcome, whatever happens


class Simulated(Simulator):
    """A tenant that gives the address of the line to it as its own."""

    def move_behind(self, line: Line) -> None:
        """From now on."""
        self.url = f"https://localhost:{line.port}"
        self._graph = Graph(self.tenant, self.url, self._sleep)
        self._login = LoginHost(self.tenant, self.url, self._sleep)


class World:
    """Begin it with `World.open`."""

    group_rooms = GROUP_ROOMS
    listed_rooms = LISTED_ROOMS

    def __init__(  # noqa: PLR0913 - each is a thing that a world may be
        self,
        folder: Path,
        pace: Pace,
        seed: int,
        report: Callable[[Violation], None],
        *,
        persistence: bool,
        sensors: bool,
        acting: bool,
        others: bool,
        show: str,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.pace = pace
        self.clock = SharedClock(folder / "clock")
        self.truth = Truth(ZONE, pace.lead, slack=1.5)
        self.weather = Weather(pace.promise.recovery)
        self.tenant = RecordingTenant(now=self.clock.now)
        self.acting_rooms = ACTING_ROOMS if acting else ()
        # Calendar services of other kinds; their rooms are no rooms of the tenant.
        self.google = WorkspaceCalendars(self.clock.now, random.Random(seed), self.note)  # noqa: S311 - a play, not a secret
        self.feeds = FeedCalendars(self.clock.now, random.Random(seed + 1), self.note)  # noqa: S311 - the same
        self.dav = DavCalendars(self.clock.now, random.Random(seed + 2), self.note)  # noqa: S311 - the same
        self.others: tuple[CalendarService, ...] = (self.google, self.feeds, self.dav) if others else ()
        self.other_rooms = tuple(name for service in self.others for name in service.names)
        for room in self.all_rooms:
            self.tenant.add_room(room, processing=UNTOUCHED)  # titles stay, and what is private
        self.tenant.add_person("ada")
        self.tenant.add_group("placed-rooms", members=GROUP_ROOMS)
        self.tenant.add_group("listed-rooms", members=LISTED_ROOMS)
        self.simulator = Simulated(self.tenant)
        self.broker = Mosquitto(folder / "mosquitto", persistence=persistence)
        self.people = People(self.tenant, random.Random(seed), self.note)  # noqa: S311 - a play, not a secret
        self.sensor_broker = Mosquitto(folder / "mosquitto-of-sensors")
        self.fleet = Fleet(self.sensor_broker.port, self.clock, random.Random(seed))  # noqa: S311 - the same
        reported = self.fleet.truth if sensors else None
        self.oracle = Oracle(self.truth, self.weather, pace.promise, report, reported)
        self.actions = ActionOracle(self._report_action, self._runs, self._holds, ANSWERED)
        self.secrecy = SecrecyOracle(self.oracle.checked, report)
        self.starts = StartOracle(pace.promise.start, self.oracle.checked, self._report_start)
        self._memory = MemoryOracle(LARGEST, self.oracle.checked, self._report_size)
        self._settings = DaemonSettings(folder, pace, self.simulator, show)
        self.machine = MachineDelay(self._processes)
        self.clock.delay = self.machine.seconds
        self._excuses_overload = False
        self.struck: Counter[str] = Counter()  # how often a fault met a write, by its name
        self._report = report
        self._versions: dict[str, object] = {}
        self._ids: dict[str, str] = {}  # of rooms, by object id

    @classmethod
    @asynccontextmanager
    async def open(  # noqa: PLR0913 - each is a thing that a world may be
        cls,
        folder: Path,
        *,
        report: Callable[[Violation], None],
        pace: Pace | None = None,
        seed: int = 0,
        broken: str | None = None,
        persistence: bool = False,
        sensors: bool = False,
        acting: bool = False,
        others: bool = False,
        show: str = "nothing",
    ) -> AsyncIterator[Self]:
        """Everything is there but the daemon, which is started by running `world.unit`.

        With `sensors` the daemon has presence sensors, which report for as long as `world.fleet` is run. With
        `acting` there are rooms of which panels may change the bookings, for as long as `world.hands` is run.
        With `others` there are calendar services of other kinds, for whose people `world.others` are run.
        `show` is what may be shown of meetings: nothing, or the organizer.
        """
        world = cls(
            folder,
            pace or Pace(),
            seed,
            report,
            persistence=persistence,
            sensors=sensors,
            acting=acting,
            others=others,
            show=show,
        )
        async with AsyncExitStack() as stack:
            world._notified = stack.enter_context(NotificationSocket())
            await world.broker.start()
            stack.push_async_callback(world.broker.kill)
            if sensors:
                await world.sensor_broker.start()
                stack.push_async_callback(world.sensor_broker.kill)
                world.to_sensors = await stack.enter_async_context(Line(world.sensor_broker.port))
                world._settings.tables.append(settings_of_sensors(world.to_sensors.port))
            await stack.enter_async_context(world.simulator)
            tenant_port = int(world.simulator.url.rpartition(":")[2])
            world.to_tenant = await stack.enter_async_context(Line(tenant_port))
            world.answers = await stack.enter_async_context(Proxy(world.broker.port))
            world.to_broker = await stack.enter_async_context(Line(world.answers.port))
            world.to_panel = await stack.enter_async_context(Line(world.broker.port))
            world.answers.saw = world._see_message
            world.simulator.move_behind(world.to_tenant)
            settings = world._settings
            world.group_app = settings.connect(
                "group", "placed-rooms", room_group="placed-rooms@contoso.example"
            )
            listed = [world.tenant.address(room) for room in LISTED_ROOMS]
            world.listed_app = settings.connect("listed", "listed-rooms", rooms=listed)
            world._fenced = (
                ("group", world.group_app, GROUP_ROOMS),
                ("listed", world.listed_app, LISTED_ROOMS),
            )
            for service in world.others:
                settings.tables.append(await stack.enter_async_context(service.served(folder)))
            world.endpoint_port = free_port()  # the same over restarts, for pages that are open
            if acting:
                world.acting_app, world.writing_app = settings.connect_acting()
                world._let_press(seed)
            world.configuration = settings.write(
                "placed", endpoint=world.endpoint_port, broker=world.to_broker.port
            )
            world.unit = world.make_unit("unit", broken)
            world._excuses_overload = broken is None  # else what is broken might not be noticed
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
    to_sensors: Line  # of the daemon, to the broker of sensors
    group_app: App
    listed_app: App
    acting_app: App
    writing_app: App
    sender: CommandSender
    hands: Hands
    google_hands: Hands  # at the rooms of Google
    endpoint_port: int
    configuration: Path
    unit: Unit
    _notified: NotificationSocket
    _fenced: tuple[tuple[str, App, tuple[str, ...]], ...]  # connections, registrations and rooms

    def make_unit(self, name: str, broken: str | None = None) -> Unit:
        """The daemon of this world."""
        return self._unit(name, self.configuration, broken, {"NOTIFY_SOCKET": self._notified.address})

    def make_rival(self, name: str) -> Unit:
        """A second daemon with the same settings, a state directory and a port of its own."""
        return self._unit(name, self._settings.write(name, endpoint=0, broker=self.to_broker.port))

    def _unit(
        self,
        name: str,
        configuration: Path,
        broken: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Unit:
        arguments = ["--clock", str(self.folder / "clock"), "--config", str(configuration)]
        if broken is not None:
            arguments += ["--break", broken]
        return Unit(self.folder / name, arguments, self.complain, environment=environment)

    # --- what is true ---

    def note(self) -> None:
        """Whatever has changed of calendars and clocks is noted for the oracle."""
        elapsed = self.clock.elapsed()
        self.truth.tick(elapsed, self.clock.now().timestamp(), self.clock.steady())
        self.fleet.truth.note_sleep(self.clock.slept, elapsed)
        self.oracle.fences.note_sleep(self.clock.slept)
        for name, app, rooms in self._fenced if self.unit.starts else ():  # before, nobody tried any
            self.oracle.fences.note(name, elapsed, provable=self.tenant.fences(app, CANARY, rooms))
        self.actions.look(self.tenant.writes)
        self.actions.look(self.google.bookings.writes, "google")
        for room in self.tenant.rooms():
            mailbox = self.tenant.mailbox(room)
            if self._versions.get(room.user_id) != mailbox.version:
                self._versions[room.user_id] = mailbox.version
                room_id = self._ids.setdefault(room.user_id, _id(room.address))  # whatever its address is now
                self.truth.note(room_id, mailbox.meetings.values(), elapsed)
                # Without a journal, and in a list without names, it is known by nothing else.
                self.truth.also_called(room.user_id, room_id)

        for service in self.others:
            for name, version, booked in service.calendars():
                if self._versions.get(name) != version:
                    self._versions[name] = version
                    self.truth.note(name, booked, elapsed)

    def _see_message(self, topic: str, payload: bytes) -> None:
        """What the daemon publishes."""
        elapsed = self.clock.elapsed()
        self.secrecy.look("messages", topic, payload, elapsed)
        if topic == "placed/bridge/health" and payload:
            for connection, state in fences_in(json.loads(payload)).items():
                self.oracle.fences.see("over MQTT", connection, state, elapsed)

    async def pass_time(self, seconds: float) -> None:
        """So much of it as the oracle counts."""
        end = self.clock.elapsed() + seconds
        while (left := end - self.clock.elapsed()) > 0:  # noqa: ASYNC110 - no event: it is time itself
            await asyncio.sleep(left)

    async def _keep_time(self) -> None:
        """For ever: the oracle's clock runs unevenly."""
        while True:
            self.note()
            awake = time.monotonic() - self.machine.seconds()
            runs = self.unit.pid is not None and not self.unit.stands_still
            self.starts.look(self.unit.starts, self._notified.received(), awake, runs=runs)
            self._memory.look(self.unit.pid)
            if self._excuses_overload and self.machine.is_overloaded:
                self.weather.is_overloaded(self.clock.elapsed())
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

    @asynccontextmanager
    async def late(self, seconds: float, *rooms: str) -> AsyncIterator[None]:
        """Of these rooms nobody could know for so long that something changed."""
        elapsed = self.clock.elapsed()
        for room in rooms:
            self.truth.postpone(room, seconds, elapsed)
        try:
            yield
        finally:
            elapsed = self.clock.elapsed()
            for room in rooms:
                self.truth.postpone(room, 0.0, elapsed)

    @property
    def all_rooms(self) -> tuple[str, ...]:
        """Those of both connections, but for new ones."""
        return self.group_rooms + self.listed_rooms + self.acting_rooms

    # --- the daemon ---

    @property
    def sign_ins(self) -> int:
        """How often a token was asked for."""
        return sum(record.path.endswith("/token") for record in self.simulator.requests)

    def complain(self, text: str) -> None:
        self._report(Violation("daemon", self.clock.elapsed(), "-", "-", text, []))

    def _report_start(self, seconds: float) -> None:
        text = f"systemd was not notified of the end of a start for {seconds:.0f} s"
        self._report(Violation("start", self.clock.elapsed(), "-", "-", text, list(self.unit.last_lines)))

    def _report_size(self, size: int) -> None:
        text = f"the daemon has become as large as {size >> 20} MiB"
        self._report(Violation("memory", self.clock.elapsed(), "-", "-", text, list(self.unit.last_lines)))

    def _report_action(self, rule: str, room: str, text: str) -> None:
        self._report(Violation(f"action_{rule}", self.clock.elapsed(), "-", room, text, []))

    def _runs(self, room: str, start: datetime) -> bool:
        """Whether a meeting with that start still runs for more than a minute."""
        later = self.clock.now() + timedelta(minutes=1)
        if room in GOOGLE_ACTING.all:
            return self.google.bookings.runs(room, start, later)
        return any(m.start == start and m.end > later for m in self.tenant.meetings(room) if _occupies(m))

    def _holds(self, room: str, key: str) -> bool:
        """Whether a room is occupied by what was booked with such a key."""
        if room in GOOGLE_ACTING.all:
            return self.google.bookings.holds(room, key)
        meetings = [m for m in self.tenant.meetings(room) if _occupies(m)]
        return any(key in (value for _, value in m.properties) for m in meetings)

    def _let_press(self, seed: int) -> None:
        """People stand at the panels; with what chance, does not depend on the other service."""
        chance, other = random.Random(seed), random.Random(seed + 1)  # noqa: S311 - a play, not a secret
        self.sender = CommandSender(self.broker.port, self.endpoint_port, self.clock, self.actions, chance)
        self.hands = Hands(self.tenant, ACTING, self.sender, self.clock, self.actions, chance, self.note)
        bookings = self.google.bookings
        self.google_hands = Hands(
            bookings, GOOGLE_ACTING, self.sender, self.clock, self.actions, other, self.note
        )
        self.tenant.changed = bookings.changed = self.note


def _occupies(meeting: Meeting) -> bool:
    """Whether nobody has cancelled or declined it, or left nothing of it."""
    gone = meeting.cancelled or meeting.response == "declined" or meeting.show_as == "free"
    return not gone and meeting.start < meeting.end


def _id(address: str) -> str:
    return address.partition("@")[0]
