"""Short plays with one fault each, told in advance; what the oracle has to say of them comes back."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from shutil import rmtree
from signal import SIGKILL
from typing import TYPE_CHECKING

from placed.domain.model import Status
from tests.fault_injection.environment import Pace, World
from tests.fault_injection.http_panel import HttpPanel
from tests.fault_injection.mqtt_panel import Screen, running
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST
from tests.support.page_reader import PageScreen, browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.fault_injection.oracle import Violation


@dataclass
class Play:
    """A world with one panel, whose boardroom is booked for an hour, and what the oracle said of it."""

    world: World
    screen: Screen
    violations: list[Violation] = field(default_factory=list)

    @property
    def broken(self) -> set[str]:
        """The rules that were broken."""
        return {violation.rule for violation in self.violations}

    @property
    def known(self) -> int:
        """How many rooms the panel shows."""
        return sum(shown.status is not Status.UNKNOWN for shown in self.screen.shows())

    async def calm(self) -> None:
        """Until all that a fault leaves behind is over, and looked at."""
        promise = self.world.pace.promise
        await self.world.pass_time(promise.recovery + promise.grace + 1.0)


@asynccontextmanager
async def play(
    folder: Path, broken: str | None = None, *, persistence: bool = False, pace: Pace | None = None
) -> AsyncIterator[Play]:
    """It begins when every room is on the panel. `broken`: the rule that the daemon breaks on purpose."""
    violations: list[Violation] = []
    async with World.open(
        folder, tell=violations.append, pace=pace, broken=broken, persistence=persistence
    ) as world:
        now = world.clock.now().replace(microsecond=0)
        world.tenant.book("room-1", now - timedelta(hours=1), now + timedelta(hours=1))
        world.note()
        screen = Screen("the panel", world.broker.port, world.clock, world.oracle)
        made = Play(world, screen, violations)
        world.weather.begins("the first start", gentle=False)
        daemon = asyncio.create_task(world.unit.run())
        try:
            async with running(screen), asyncio.timeout(600):
                async with asyncio.timeout(DEADLINE):
                    await screen.shows_all(len(world.all_rooms))
                world.weather.ends("the first start", world.clock.elapsed() - world.pace.promise.recovery)
                yield made
        finally:
            daemon.cancel()
            await asyncio.wait([daemon])


async def graph_goes_away(play: Play) -> None:
    """For longer than anything that was read may be believed."""
    world = play.world
    async with world.to_tenant.refused(), world.unreadable(*world.all_rooms):
        world.weather.begins("graph goes away", gentle=False)
        await world.pass_time(world.pace.promise.budget + 2.0)
    world.weather.ends("graph goes away", world.clock.elapsed())


async def the_line_is_cut(play: Play) -> None:
    """For a moment; the panel is connected all the time."""
    world = play.world
    world.weather.begins("the line is cut", gentle=True)
    world.to_broker.cut()
    await world.pass_time(1.0)
    world.weather.ends("the line is cut", world.clock.elapsed())


async def the_broker_forgets(play: Play) -> None:
    """Kill -9, without persistence."""
    world = play.world
    world.weather.begins("the broker forgets", gentle=False)
    await world.broker.kill()
    await world.broker.start()
    world.weather.ends("the broker forgets", world.clock.elapsed())
    await play.calm()


async def a_change_is_refused(play: Play) -> None:
    """Of a quota, for a moment."""
    world = play.world
    world.weather.begins("a change is refused", gentle=False)
    with world.answers.rule(0x97, "placed/rooms/room-2/#") as refusing:
        now = world.clock.now().replace(microsecond=0)
        world.tenant.book("room-2", now, now + timedelta(hours=1))
        world.note()
        while not refusing.hits:  # noqa: ASYNC110 - the proxy has no event for it
            await asyncio.sleep(0.05)
    world.weather.ends("a change is refused", world.clock.elapsed())
    await play.calm()


async def both_are_killed(play: Play) -> None:
    """The broker comes back with all that it held; nobody starts the daemon."""
    world = play.world
    world.weather.begins("both are killed", gentle=False)
    world.unit.hold()
    await world.broker.write_down()
    world.unit.tell(SIGKILL, -SIGKILL)
    await world.broker.kill()
    await world.unit.ended.wait()
    async with world.unreadable(*world.all_rooms):
        await world.broker.start()
        await world.pass_time(world.pace.promise.budget + 2.0)


async def nothing_is_remembered_and_the_clock_is_behind(play: Play) -> None:
    """A machine without a battery for its clock starts anew, and its state directory is empty."""
    world = play.world
    world.weather.begins("the clock is behind", gentle=False)
    world.unit.hold()
    world.unit.tell(SIGKILL, -SIGKILL)
    await world.unit.ended.wait()
    rmtree(world.unit.state_directory)
    world.clock.step(-3600.0)
    world.note()
    world.unit.release()
    await world.unit.listening.wait()
    world.weather.ends("the clock is behind", world.clock.elapsed())
    await play.calm()


async def the_clock_is_wrong(play: Play) -> None:
    """That of the daemon's machine alone, for longer than anything that was read may be believed."""
    world = play.world
    world.weather.begins("the clock is wrong", gentle=False)
    world.clock.put_wrong(7200.0)
    await world.pass_time(world.pace.promise.budget + world.pace.promise.owed)


async def the_endpoint_is_asked(play: Play) -> None:
    """While a room is booked for some seconds, again and again."""
    world = play.world
    world.weather.begins("the endpoint is asked", gentle=False)
    async with running(HttpPanel("over HTTP", world.unit, world.clock, world.oracle)):
        for _ in range(6):
            now = world.clock.now().replace(microsecond=0)
            world.tenant.book("room-2", now + timedelta(seconds=3), now + timedelta(seconds=5))
            world.note()
            await world.pass_time(5.0)


async def the_daemon_dies_before_a_page(play: Play) -> None:
    """Kill -9, and nobody starts it; the panel of a room is open in a browser."""
    world = play.world
    world.weather.begins("the daemon dies", gentle=False)
    url = f"http://{HOST}:{world.endpoint_port}"
    async with (
        browser() as chromium,
        PageScreen.open(chromium, "a page", url, "room-1", world.clock, world.oracle, world.unit) as page,
        running(page),
    ):
        await page.page.locator('body[data-status="busy"]').wait_for(state="attached")
        world.unit.hold()
        world.unit.tell(SIGKILL, -SIGKILL)
        await world.unit.ended.wait()
        await world.pass_time(world.pace.promise.silence + 14.0)
