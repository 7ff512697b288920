"""One campaign: storms of faults and the calm between them, for some minutes; and what came of it."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from tests.fault_injection import action_faults as of_actions
from tests.fault_injection import broker_faults as of_broker
from tests.fault_injection import calendar_faults as of_calendars
from tests.fault_injection import clock_faults as of_clock
from tests.fault_injection import daemon_faults as of_daemon
from tests.fault_injection import dav_faults as of_dav
from tests.fault_injection import directory_faults as of_directory
from tests.fault_injection import feed_faults as of_feeds
from tests.fault_injection import network_faults as of_network
from tests.fault_injection import operator_faults as of_operator
from tests.fault_injection import sensor_faults as of_sensors
from tests.fault_injection import tenant_faults as of_tenant
from tests.fault_injection import workspace_action_faults as of_workspace_actions
from tests.fault_injection import workspace_faults as of_workspace
from tests.fault_injection.environment import World
from tests.fault_injection.fault_catalogue import CATALOGUE
from tests.fault_injection.fault_schedule import storms
from tests.fault_injection.http_panel import HttpPanel
from tests.fault_injection.mqtt_panel import Screen, running
from tests.fault_injection.oracle import PAGE_RETURNS
from tests.fault_injection.shortened_timeouts import shortened
from tests.fault_injection.ways_out import WaysOut
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST
from tests.support.page_reader import PageScreen, browser

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.fault_injection.fault_catalogue import Entry
    from tests.fault_injection.fault_schedule import Planned
    from tests.fault_injection.promise import Violation

CALM = 4.0  # seconds for which calm is looked at
_BETWEEN_BOOKINGS = 0.4  # seconds, on average
_BETWEEN_COMMANDS = 3.0  # the same; a room takes six a minute
# To import them is to enter their faults into the catalogue.
_KINDS = (
    of_actions,
    of_broker,
    of_calendars,
    of_clock,
    of_daemon,
    of_dav,
    of_directory,
    of_feeds,
    of_network,
    of_operator,
    of_sensors,
    of_tenant,
    of_workspace,
    of_workspace_actions,
)


@dataclass(slots=True)
class Outcome:
    """What came of a campaign."""

    seed: int
    seconds: float = 0.0
    delay: float = 0.0  # seconds of these for which the machine had no processor
    overloaded: float = 0.0  # seconds in which it had so few that recovery was not judged
    faults: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    heard: int = 0
    answers: int = 0
    looks: int = 0
    booked: int = 0
    changes: int = 0
    reconnects: int = 0
    starts: int = 0
    sensed: int = 0
    pressed: int = 0
    written: int = 0
    commands: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)  # how often faults met a write, by name
    violations: list[dict[str, Any]] = field(default_factory=list)


class Campaign:
    """Runs it.

    Args:
        folder: where everything goes that is worth a look afterwards.
        seed: of the schedule, and of what people book.
        write_line: is called with a line for everything that happens.
        kinds: the names of the faults; all, if none is given.
        pages: the oracle looks at the board and at a panel in a real browser, too.
    """

    def __init__(
        self,
        folder: Path,
        seed: int,
        write_line: Callable[[str], None] = lambda _line: None,
        kinds: tuple[str, ...] = (),
        *,
        pages: bool = False,
    ) -> None:
        self.outcome = Outcome(seed)
        self._folder = folder
        self._write_line = write_line
        self._kinds = {name: CATALOGUE[name].kind for name in kinds or CATALOGUE}
        self._pages = pages
        self._lanes: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._open: list[PageScreen] = []
        self._began = 0.0
        self._world: World

    async def run(self, seconds: float, most: int | None = None) -> Outcome:
        """For about so long, or so many storms: the last one ends, and its calm is looked at."""
        loop = asyncio.get_running_loop()
        with shortened():
            async with World.open(
                self._folder,
                report=self._violated,
                seed=self.outcome.seed,
                sensors=True,
                acting=True,
                others=True,
                show="organizer",
            ) as world:
                self._world = world
                screens = [
                    Screen("at the broker", world.broker.port, world.clock, world.oracle, at_broker=True),
                    Screen("behind a line", world.to_panel.port, world.clock, world.oracle),
                ]
                http = HttpPanel("over HTTP", world.unit, world.clock, world.oracle)
                ways_out = WaysOut(world.unit, world.clock, world.secrecy)
                self._began = loop.time()
                world.weather.begins("the first start", gentle=False)
                others = [
                    asyncio.create_task(world.unit.run()),
                    asyncio.create_task(world.people.run(_BETWEEN_BOOKINGS)),
                    asyncio.create_task(world.fleet.run()),
                    asyncio.create_task(world.sender.listen()),
                    *(asyncio.create_task(service.run(_BETWEEN_BOOKINGS)) for service in world.others),
                    asyncio.create_task(world.hands.run(_BETWEEN_COMMANDS)),
                    asyncio.create_task(world.google_hands.run(_BETWEEN_COMMANDS)),
                ]
                try:
                    async with running(*screens, http, ways_out), AsyncExitStack() as open_pages:
                        await asyncio.wait_for(world.unit.listening.wait(), DEADLINE)
                        if self._pages:
                            await self._open_pages(open_pages)
                        world.weather.ends("the first start", world.clock.elapsed())
                        for storm in islice(storms(self._kinds, self.outcome.seed), most):
                            if loop.time() - self._began >= seconds:
                                break
                            await self._storm(storm)
                            await self._calm()
                finally:
                    for task in others:
                        task.cancel()
                    await asyncio.wait(others)
                self.outcome.answers = http.answers
                self._sum_up(screens, loop.time() - self._began)
        return self.outcome

    async def _open_pages(self, stack: AsyncExitStack) -> None:
        """The board, and the panel of a room, in a real browser."""
        world = self._world
        chromium = await stack.enter_async_context(browser())
        for name, room in (("the board", None), ("a panel page", world.group_rooms[0])):
            url = f"http://{HOST}:{world.endpoint_port}"
            page = await stack.enter_async_context(
                PageScreen.open(chromium, name, url, room, world.clock, world.oracle, world.unit)
            )
            self._open.append(page)
            await stack.enter_async_context(running(page))

    async def _storm(self, storm: tuple[Planned, ...]) -> None:
        async with asyncio.TaskGroup() as group:
            for planned in storm:
                group.create_task(self._happen(planned))

    async def _happen(self, planned: Planned) -> None:
        await asyncio.sleep(planned.at)
        entry = CATALOGUE[planned.name]
        async with AsyncExitStack() as lanes:
            # The schedule keeps them apart, but a fault may last longer than was planned.
            for lane in sorted(entry.kind.lanes):
                await lanes.enter_async_context(self._lanes[lane])
            await self._let_happen(planned, entry)

    async def _let_happen(self, planned: Planned, entry: Entry) -> None:
        world = self._world
        self._log(f"{planned.name} for {planned.seconds:.1f} s")
        world.weather.begins(planned.name, gentle=entry.kind.gentle)
        self.outcome.faults[planned.name] += 1
        chance = random.Random(planned.seed)  # noqa: S311 - a play, not a secret
        try:
            await entry.happen(world, chance, planned.seconds)
        except TimeoutError:
            world.complain(f"{planned.name}: the daemon did not start, or did not end, in time")
        finally:
            world.note()
            world.weather.ends(planned.name, world.clock.elapsed())

    async def _calm(self) -> None:
        later = PAGE_RETURNS if self._pages else 0.0
        await self._world.pass_time(self._world.pace.promise.recovery + later + CALM)

    def _log(self, text: str) -> None:
        self._write_line(f"{asyncio.get_running_loop().time() - self._began:7.1f} s  {text}")

    def _violated(self, violation: Violation) -> None:
        world = self._world
        faults = world.weather.report(world.clock.elapsed())
        lines = list(world.unit.last_lines)
        self.outcome.violations.append(
            {"seed": self.outcome.seed, **asdict(violation), "faults": faults, "log": lines}
        )
        self._log(
            "\n  ".join(
                [
                    f"VIOLATION of {violation.rule}: {violation.panel}, {violation.room}: {violation.shown}",
                    f"seed {self.outcome.seed}, at {world.clock.now():%Y-%m-%d %H:%M:%S.%f}",
                    f"faults: {', '.join(faults) or 'none'}",
                    *violation.story,
                    *(f"log: {line}" for line in lines),
                ]
            )
        )

    def _sum_up(self, screens: list[Screen], seconds: float) -> None:
        world, outcome = self._world, self.outcome
        outcome.seconds, outcome.delay = seconds, world.clock.delay()
        outcome.overloaded = world.machine.overloaded
        outcome.checked = world.oracle.checked
        outcome.looks = sum(page.heard for page in self._open)
        outcome.heard = sum(screen.heard for screen in screens)
        outcome.booked, outcome.changes = world.people.booked, world.people.changes
        outcome.changes += sum(service.changes for service in world.others)
        outcome.reconnects, outcome.starts = world.unit.reconnects, world.unit.starts
        outcome.sensed = world.fleet.sent
        world.actions.await_answers(world.clock.elapsed())
        world.actions.settle()
        outcome.pressed = world.hands.pressed + world.google_hands.pressed
        outcome.written = len(world.tenant.writes) + len(world.google.bookings.writes)
        outcome.commands, outcome.struck = world.actions.outcomes, world.struck
        outcome.checked += Counter({f"action_{rule}": n for rule, n in world.actions.checked.items()})
