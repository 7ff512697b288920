"""What it takes to tell of a whole site that changes at the same second, as at the top of an hour."""

from __future__ import annotations

import asyncio
import gc
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.domain.model import Meeting
from tests.benchmarks.child_process import Child
from tests.benchmarks.harness.aiomqtt_baseline import plain_client, publish_all
from tests.benchmarks.harness.publisher_setup import (
    PER_EDGE,
    TOPICS,
    ForwardClock,
    board_at,
    room,
    telling,
    wall,
)
from tests.benchmarks.harness.received_messages import heard
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row
from tests.benchmarks.servers import graph_responses
from tests.benchmarks.servers.mosquitto import mosquitto

if TYPE_CHECKING:
    from datetime import datetime

    import aiomqtt

    from tests.benchmarks.harness.mqtt_packets import Message
    from tests.benchmarks.harness.publisher_setup import Site
    from tests.benchmarks.workload_size import Effort

AT_MOST = 1.5  # floors
FIRST_AT_MOST = 50.0  # ms
_EVERY, _LENGTH = timedelta(minutes=10), timedelta(minutes=6)
_BEFORE = timedelta(minutes=1)  # an edge; then the rooms are read
_CALM = timedelta(seconds=0.5)  # before the edge itself


def the_day() -> tuple[Meeting, ...]:
    """The same meetings in every room, so that all of them change at once, and between that not at all.

    So short are the breaks that after a meeting the next one is said to be starting.
    """
    starts = [
        graph_responses.TODAY + graph_responses.FIRST + n * _EVERY for n in range(graph_responses.MEETINGS)
    ]
    return tuple(Meeting(f"m{n}", start, start + _LENGTH) for n, start in enumerate(starts))


async def burst(site: Site, panel: Child, rooms: list[str], at: datetime) -> tuple[float, float]:
    """Seconds from when all meetings begin, or end, to the first message that tells so, and to the last."""
    site.clock.put_forward(at - _BEFORE)
    site.read(rooms, the_day())
    await site.told()
    gc.collect()
    site.clock.put_forward(at - _CALM)
    panel.ask("begin")
    expected = PER_EDGE * len(rooms)
    panel.tell("until", messages=expected)
    came = await panel.hear()
    await site.told()
    found = len(panel.ask("until", messages=expected))
    if found != expected:
        raise RuntimeError(f"{found} messages came, and not {expected}")
    second = site.clock.on_the_wall(at)
    return came[0] - second, came[-1] - second


async def plain(client: aiomqtt.Client, panel: Child, told: list[Message]) -> float:
    """Seconds from when the same messages are published with aiomqtt alone to when the last has come."""
    panel.ask("begin")
    panel.tell("until", messages=len(told))
    gc.collect()
    begun = wall()
    await publish_all(client, told)
    came = await panel.hear()
    return float(came[-1]) - begun


async def _measure(port: int, panel: Child, rooms: int, times: int) -> tuple[float, float, float]:
    """The least seconds to the first message and to the last, and to the floor's last."""
    moments = [moment for meeting in the_day() for moment in (meeting.start, meeting.end)]
    clock = ForwardClock(moments[0] - 2 * _BEFORE)
    board = board_at(clock)
    board.enroll("contoso", [room(number) for number in range(rooms)])
    ids = [room.id for room in board.rooms]
    first = last = floor = float("inf")
    async with plain_client(port) as client, telling(board, clock, port) as site:
        for moment in moments[:times]:
            found = await burst(site, panel, ids, moment)
            first, last = min(first, found[0]), min(last, found[1])
            told = heard(panel)
            floor = min(floor, await plain(client, panel, told))
    return first, last, floor


def measure(effort: Effort) -> Result:
    """Has all rooms of a site change at once."""
    rooms = effort.choose(5500, 1000)
    with (
        mosquitto() as port,
        Child("tests.benchmarks.servers.mqtt_subscriber", f"--port={port}", f"--topic={TOPICS}") as panel,
    ):
        settle_on(0)
        first, last, floor = asyncio.run(_measure(port, panel, rooms, effort.choose(4, 2)))
    return Result(
        [
            Row(
                f"burst.last.{rooms}",
                f"{rooms:,} rooms change at the same second: to the last message at a subscriber",
                "s",
                last,
                floor,
                AT_MOST,
                note=f"{PER_EDGE * rooms:,} messages",
            ),
            Row(
                f"burst.first.{rooms}",
                f"{rooms:,} rooms change at the same second: to the first message at a subscriber",
                "ms",
                first * 1000,
                at_most=FIRST_AT_MOST,
            ),
        ]
    )
