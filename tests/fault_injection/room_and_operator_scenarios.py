"""Short runs with one fault each: of rooms, fences, calendars, hidden texts and operators.

They go on from `single_fault_scenarios`.
"""

from __future__ import annotations

import asyncio
import random
import signal
from datetime import timedelta
from functools import partial
from shutil import rmtree
from typing import TYPE_CHECKING

from tests.fault_injection.daemon_settings import CANARY, ZONE
from tests.fault_injection.http_panel import HttpPanel
from tests.fault_injection.mqtt_panel import running
from tests.fault_injection.operator_faults import starts_a_second_daemon
from tests.fault_injection.single_fault_scenarios import is_busy
from tests.fault_injection.ways_out import WaysOut
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import free_port

if TYPE_CHECKING:
    from tests.fault_injection.environment import World
    from tests.fault_injection.single_fault_scenarios import Play


async def rooms_come_and_go(play: Play) -> None:
    """A list lacks a room once, another room changes its address, and a third is refused once."""
    world, faults = play.world, play.world.tenant.faults
    world.weather.begins("rooms come and go", gentle=True)
    room = world.tenant.mailbox("room-3").room
    assert room is not None
    world.tenant.change_address(room, "renamed")
    faults.lacking("room-2", times=1)
    faults.status(404, code="MailboxNotEnabledForRESTAPI", room="room-4", times=1)
    await _all_are_over(world)
    play.book_now("room-4")
    promise = world.pace.promise
    world.weather.ends("rooms come and go", world.clock.elapsed() - promise.recovery)  # none is to be felt
    await world.pass_time(promise.fresh + promise.grace + 1.0)


async def _all_are_over(world: World) -> None:
    """Waits until the daemon has met all faults of the tenant that happen once."""
    async with asyncio.timeout(DEADLINE):
        while world.tenant.faults.active():  # noqa: ASYNC110 - that a fault is over is no event
            await asyncio.sleep(0.05)


def nothing_is_fenced(world: World) -> None:
    """One connection may read everything, but a proxy refuses the canary; another may read nothing at all."""
    world.group_app.policies = []
    world.tenant.faults.html(status=403, room=CANARY)
    world.tenant.revoke(world.listed_app, *world.listed_app.roles)
    for room in world.listed_rooms:
        world.truth.close(room, world.clock.elapsed())
    world.note()


async def fences_are_reported(play: Play) -> None:
    """For as long as a fence is tried."""
    world = play.world
    world.weather.begins("nothing is fenced", gentle=False)
    panel = HttpPanel("over HTTP", world.unit, world.clock, world.oracle)
    async with running(panel):
        await world.pass_time(2.0)


async def calendars_are_odd(play: Play) -> None:
    """An all-day meeting ends at 23:59, and a private one is marked in another spelling."""
    world = play.world
    world.tenant.faults.odd_events("ends_at_23_59", room="room-2")
    world.tenant.faults.odd_events("odd_sensitivity", room="room-3")
    now = world.clock.now().replace(microsecond=0)
    today = now.astimezone(ZONE).date()
    world.tenant.book("room-2", today, today + timedelta(days=2), all_day=True)
    world.tenant.book("room-3", now, now + timedelta(hours=1), sensitivity="private")
    world.note()
    await play.screen.until(partial(is_busy, "room-3"))
    promise = world.pace.promise
    await world.pass_time(promise.fresh + promise.grace + 1.0)


async def texts_are_looked_for(play: Play) -> None:
    """On every way out, and on the disk, while meetings with titles are booked."""
    world = play.world
    ways = WaysOut(world.unit, world.clock, world.secrecy)
    async with running(ways):
        play.book_now("room-2")
        await play.screen.until(partial(is_busy, "room-2"))
        await world.pass_time(4.5)  # one look at everything


async def a_login_answers_without_end(play: Play) -> None:
    """Once, when a token is needed."""
    world = play.world
    world.weather.begins("a login answers without end", gentle=False)
    world.tenant.faults.bomb(times=1)
    world.tenant.expire_tokens(world.group_app)
    await _all_are_over(world)
    await world.pass_time(4.0)


async def operators_are_at_work(play: Play) -> None:
    """A second daemon, a reload with a broker that is not there, and a start while everything is away."""
    world = play.world
    await starts_a_second_daemon(world, random.Random(0), 0.0)  # noqa: S311 - it draws nothing
    world.weather.begins("operators are at work", gentle=True)
    good = world.configuration.read_text()
    port, refused = world.to_broker.port, world.unit.refused_reloads
    world.configuration.write_text(good.replace(f"localhost:{port}", f"localhost:{free_port()}"))
    world.unit.send_signal(signal.SIGHUP)
    async with asyncio.timeout(DEADLINE):
        while world.unit.refused_reloads == refused and play.known:  # noqa: ASYNC110 - a log is no event
            await asyncio.sleep(0.05)
    play.screen.look()
    world.configuration.write_text(good)
    world.weather.begins("everything is away", gentle=False)
    world.unit.hold()
    world.unit.send_signal(signal.SIGKILL, -signal.SIGKILL)
    await world.unit.ended.wait()
    rmtree(world.unit.state_directory)
    async with world.to_tenant.refused(), world.to_broker.refused(), world.unreadable(*world.all_rooms):
        world.unit.release()
        await world.unit.listening.wait()
        await world.starts.judged(world.unit.starts)
