"""Short runs with one fault each, written in advance; they return the violations that the oracle found."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from shutil import rmtree
from signal import SIGKILL
from typing import TYPE_CHECKING
from uuid import uuid4

from placed.domain.model import Status
from tests.fault_injection.action_oracle import Press
from tests.fault_injection.environment import World
from tests.fault_injection.http_panel import HttpPanel, ready
from tests.fault_injection.mqtt_panel import Screen, running
from tests.fault_injection.panel_hands import ROOMS as ACTING_ROOMS
from tests.fault_injection.presence_oracle import SLACK
from tests.fault_injection.sensor_fleet import STALE_AFTER
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST
from tests.support.page_reader import PageScreen, browser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from placed.panel.state_validity import Shown
    from tests.fault_injection.daemon_pace import Pace
    from tests.fault_injection.promise import Violation


@dataclass
class Play:
    """A world with one panel, whose boardroom is booked for an hour, and the violations found in it."""

    world: World
    screen: Screen
    violations: list[Violation] = field(default_factory=list)

    @property
    def broken(self) -> set[str]:
        """The rules that were broken."""
        return {violation.rule for violation in self.violations}

    @property
    def broken_of(self) -> set[str]:
        """The same, each with the room or the connection: `lie of room-1`."""
        return {f"{violation.rule} of {violation.room}" for violation in self.violations}

    @property
    def known(self) -> int:
        """How many rooms the panel shows."""
        return sum(shown.status is not Status.UNKNOWN for shown in self.screen.shows())

    def book_now(self, room: str) -> str:
        """Books the room for an hour from now on."""
        now = self.world.clock.now().replace(microsecond=0)
        meeting = self.world.tenant.book(room, now, now + timedelta(hours=1))
        self.world.note()
        return meeting

    async def calm(self) -> None:
        """Until all that a fault leaves behind is over, and looked at."""
        promise = self.world.pace.promise
        await self.world.pass_time(promise.recovery + promise.grace + 1.0)


def is_busy(room: str, shows: Iterable[Shown]) -> bool:
    """Whether a panel that shows this shows the room as busy."""
    return any(shown.room == room and shown.status is Status.BUSY for shown in shows)


@asynccontextmanager
async def play(  # noqa: PLR0913 - each is a thing that a world may be
    folder: Path,
    broken: str | None = None,
    *,
    persistence: bool = False,
    pace: Pace | None = None,
    sensors: bool = False,
    acting: bool = False,
    show: str = "nothing",
    prepare: Callable[[World], None] | None = None,
) -> AsyncIterator[Play]:
    """It begins when the daemon is ready and every room is on the panel that may be shown.

    Args:
        folder: of the world.
        broken: the rule that the daemon breaks on purpose.
        persistence: whether the broker remembers.
        pace: of the daemon.
        sensors: whether there are presence sensors.
        acting: whether there are rooms of which panels may change the bookings.
        show: what may be shown of meetings.
        prepare: what is there before the daemon; it may never be ready then, which is not waited for.
    """
    violations: list[Violation] = []
    async with World.open(
        folder,
        report=violations.append,
        pace=pace,
        broken=broken,
        persistence=persistence,
        sensors=sensors,
        acting=acting,
        show=show,
    ) as world:
        now = world.clock.now().replace(microsecond=0)
        world.tenant.book("room-1", now - timedelta(hours=1), now + timedelta(hours=1))
        world.note()
        if prepare is not None:
            prepare(world)
        screen = Screen("the panel", world.broker.port, world.clock, world.oracle)
        made = Play(world, screen, violations)
        world.weather.begins("the first start", gentle=False)
        daemon = asyncio.create_task(world.unit.run())
        try:
            async with running(screen), asyncio.timeout(600):
                if prepare is None:
                    await ready(world.unit)  # so that nothing of the first publication is still to come
                await screen.shows_all(len(world.truth.rooms))
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
    """For a moment; it ends when a later change is on the panel, which is connected all the time.

    The broker passes on a will that is not delayed before anything of the next connection. If the panel loses
    its own connection meanwhile, it cannot show that, so the line is cut again.
    """
    world = play.world
    world.weather.begins("the line is cut", gentle=True)
    for room in world.group_rooms[1:]:
        interruptions = play.screen.interruptions
        world.to_broker.cut()
        play.book_now(room)
        await play.screen.until(partial(is_busy, room))
        if interruptions == play.screen.interruptions:
            break
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
    """Of a quota, for a moment.

    If the daemon connects again meanwhile, it publishes the room in any case, so another change is refused.
    """
    world = play.world
    connections = None
    while connections != world.answers.connections:
        connections = world.answers.connections
        world.weather.begins("a change is refused", gentle=False)
        with world.answers.rule(0x97, "placed/rooms/room-2/state") as refusing:
            play.book_now("room-2")
            async with asyncio.timeout(DEADLINE), world.answers.changed:
                await world.answers.changed.wait_for(lambda: refusing.hits)
        world.weather.ends("a change is refused", world.clock.elapsed())
        await play.calm()


async def both_are_killed(play: Play) -> None:
    """The broker comes back with all that it held; nobody starts the daemon."""
    world = play.world
    world.weather.begins("both are killed", gentle=False)
    world.unit.hold()
    await world.broker.write_down()
    world.unit.send_signal(SIGKILL, -SIGKILL)
    await world.broker.kill()
    await world.unit.ended.wait()
    async with world.unreadable(*world.all_rooms):
        await world.broker.start()
        await world.pass_time(world.pace.promise.budget + 2.0)


async def nothing_is_remembered_and_the_clock_is_behind(play: Play) -> None:
    """A machine without a battery for its clock starts again, and its state directory is empty."""
    world = play.world
    world.weather.begins("the clock is behind", gentle=False)
    world.unit.hold()
    world.unit.send_signal(SIGKILL, -SIGKILL)
    await world.unit.ended.wait()
    rmtree(world.unit.state_directory)
    world.clock.step(-3600.0)
    world.note()
    world.unit.release()
    await world.unit.listening.wait()
    world.weather.ends("the clock is behind", world.clock.elapsed())
    await play.calm()
    await play.screen.shows_all(len(world.all_rooms))


async def the_clock_is_wrong(play: Play) -> None:
    """That of the daemon's machine alone, for longer than anything that was read may be believed."""
    world = play.world
    world.weather.begins("the clock is wrong", gentle=False)
    world.clock.put_wrong(7200.0)
    await world.pass_time(world.pace.promise.budget + world.pace.promise.owed)


async def the_endpoint_is_asked(play: Play) -> None:
    """While a room is booked for long, and then for some seconds, again and again."""
    world = play.world
    world.weather.begins("the endpoint is asked", gentle=False)
    panel = HttpPanel("over HTTP", world.unit, world.clock, world.oracle)
    async with running(panel):
        meeting = play.book_now("room-2")
        await panel.until(partial(is_busy, "room-2"))
        world.tenant.delete(meeting)
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
        world.unit.send_signal(SIGKILL, -SIGKILL)
        await world.unit.ended.wait()
        await world.pass_time(world.pace.promise.silence + 14.0)
        await page.look()  # at least once after that time, however long a look takes


async def the_sensors_fall_silent(play: Play) -> None:
    """All report for a while that nobody is there, and then nothing, for longer than they are believed."""
    world = play.world
    world.weather.begins("the sensors fall silent", gentle=False)
    reporting = asyncio.create_task(world.fleet.run(changes=0.0))
    panel = HttpPanel("over HTTP", world.unit, world.clock, world.oracle)
    async with running(panel):
        await play.screen.shows_presence("room-1", "empty")
        await panel.until(lambda shows: any(s.presence and s.presence.state == "empty" for s in shows))
        reporting.cancel()
        await asyncio.wait([reporting])
        await world.pass_time(STALE_AFTER + SLACK + 1.0)


async def panels_press(play: Play) -> None:
    """A command is late, one names another meeting, one is in a meeting's way, one asks for an odd reply."""
    world, hands = play.world, play.world.hands
    now = world.clock.now().replace(microsecond=0)
    for room in ACTING_ROOMS[1:]:
        world.tenant.book(room, now - timedelta(minutes=2), now + timedelta(minutes=4))
    world.note()
    soon = now + timedelta(minutes=2)
    late, named = "it was late", "it names another meeting"
    elapsed = world.clock.elapsed()
    presses = [
        Press(str(uuid4()), "book", ACTING_ROOMS[0], None, soon, late, elapsed),
        Press(str(uuid4()), "end", ACTING_ROOMS[1], now - timedelta(minutes=1), None, named, elapsed),
        Press(str(uuid4()), "book", ACTING_ROOMS[2], None, soon, "", elapsed),
        Press(str(uuid4()), "book", ACTING_ROOMS[2], None, soon, "", elapsed),
    ]
    listening = asyncio.create_task(world.sender.listen())
    await hands.press_over_mqtt(presses[0], issued_at=now - timedelta(minutes=10))
    await hands.press_over_mqtt(presses[1])
    await hands.press_over_mqtt(presses[2])
    await hands.press_over_mqtt(presses[3], response_topic=f"placed/rooms/{ACTING_ROOMS[0]}/elsewhere")
    async with asyncio.timeout(DEADLINE):
        while any(press.final is None for press in presses):  # noqa: ASYNC110 - replies are no events
            await asyncio.sleep(0.1)
    world.actions.settle()
    listening.cancel()
    await asyncio.wait([listening])
