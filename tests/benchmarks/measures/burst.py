"""The cost of publishing a whole site that changes at the same second, as at the top of an hour."""

from __future__ import annotations

import asyncio
import gc
import math
import time
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from placed.domain.model import Meeting
from tests.benchmarks.child_process import Child
from tests.benchmarks.harness.aiomqtt_baseline import (
    publish_all,
    publish_in_turn,
    tuned_client,
    usual_client,
)
from tests.benchmarks.harness.codec_baseline import codec_client, publishes
from tests.benchmarks.harness.publisher_setup import (
    PER_EDGE,
    TOPICS,
    ForwardClock,
    board_at,
    publishing,
    room,
    wall,
)
from tests.benchmarks.harness.received_messages import heard
from tests.benchmarks.processor_time import settle_on
from tests.benchmarks.results import Result, Row
from tests.benchmarks.servers import graph_responses
from tests.benchmarks.servers.mosquitto import mosquitto

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from datetime import datetime

    from tests.benchmarks.harness.publisher_setup import Site
    from tests.benchmarks.workload_size import Effort

AT_MOST = 2.0  # floors
OF_AIOMQTT = 0.25  # of what aiomqtt takes where each message is awaited
OF_TUNED_AIOMQTT = 0.6  # of what it takes with as many messages under way as placed has
FIRST_AT_MOST = 20.0  # ms
_LARGE = 5500  # rooms; for more, to await each message would take minutes
_EVERY, _LENGTH = timedelta(minutes=10), timedelta(minutes=6)
_BEFORE = timedelta(minutes=1)  # an edge; then the rooms are read
_CALM = timedelta(seconds=0.5)  # before the edge itself


def the_day() -> tuple[Meeting, ...]:
    """The same meetings in every room, so that all of them change at once, and between that not at all.

    The breaks are so short that after a meeting the status is `starting`.
    """
    starts = [
        graph_responses.TODAY + graph_responses.FIRST + n * _EVERY for n in range(graph_responses.MEETINGS)
    ]
    return tuple(Meeting(f"m{n}", start, start + _LENGTH) for n, start in enumerate(starts))


async def burst(site: Site, panel: Child, rooms: list[str], at: datetime) -> tuple[float, float]:
    """Seconds from when all meetings begin, or end, to the first message about it, and to the last."""
    site.clock.put_forward(at - _BEFORE)
    site.read(rooms, the_day())
    await site.published()
    gc.collect()
    site.clock.put_forward(at - _CALM)
    panel.ask("begin")
    expected = PER_EDGE * len(rooms)
    panel.send("until", messages=expected)
    came = await panel.hear()
    await site.published()
    found = len(panel.ask("until", messages=expected))
    if found != expected:
        raise RuntimeError(f"{found} messages came, and not {expected}")
    second = site.clock.on_the_wall(at)
    return came[0] - second, came[-1] - second


async def plain(panel: Child, messages: int, publish: Awaitable[None]) -> float:
    """Seconds from when the same messages are published to when the last has come."""
    panel.ask("begin")
    panel.send("until", messages=messages)
    gc.collect()
    begun = wall()
    await publish
    came = await panel.hear()
    return float(came[-1]) - begun


class _Least(NamedTuple):
    """The least seconds.

    Attributes:
        first: to the first message.
        last: to the last one.
        codec: to the last one with the codec alone.
        tuned: the same with aiomqtt alone, with as many messages under way.
        aiomqtt: the same with aiomqtt alone, where each message is awaited.
        cpu: of the processor, for all messages.
    """

    first: float
    last: float
    codec: float
    tuned: float
    aiomqtt: float
    cpu: float


async def _measure(port: int, panel: Child, rooms: int, times: int) -> _Least:
    moments = [moment for meeting in the_day() for moment in (meeting.start, meeting.end)]
    clock = ForwardClock(moments[0] - 2 * _BEFORE)
    board = board_at(clock)
    board.enroll("contoso", [room(number) for number in range(rooms)])
    ids = [room.id for room in board.rooms]
    rounds = []
    async with (
        usual_client(port) as usual,
        tuned_client(port) as client,
        publishing(board, clock, port) as site,
    ):
        bare = await codec_client(port)
        for moment in moments[:times]:
            cpu = time.process_time()
            first, last = await burst(site, panel, ids, moment)
            cpu = time.process_time() - cpu
            messages = heard(panel)
            ready = publishes(messages)
            codec = await plain(panel, len(messages), bare.publish_all(ready))
            tuned = await plain(panel, len(messages), publish_all(client, messages))
            aiomqtt = math.inf
            if rooms <= _LARGE:
                aiomqtt = await plain(panel, len(messages), publish_in_turn(usual, messages))
            rounds.append((first, last, codec, tuned, aiomqtt, cpu))
        bare.transport.close()
    return _Least(*map(min, zip(*rounds, strict=True)))


def measure(effort: Effort) -> Result:
    """Has all rooms of a site change at once."""
    rows = [*_rows(effort.choose(5500, 1000), effort.choose(4, 2))]
    if not effort.short:
        rows += _rows(50_000, 2)
    return Result(rows)


def _rows(rooms: int, times: int) -> list[Row]:
    with (
        mosquitto() as port,
        Child("tests.benchmarks.servers.mqtt_subscriber", f"--port={port}", f"--topic={TOPICS}") as panel,
    ):
        settle_on(0)
        least = asyncio.run(_measure(port, panel, rooms, times))
    messages = PER_EDGE * rooms
    aiomqtt = f"aiomqtt {version('aiomqtt')}"
    peers = {aiomqtt: least.aiomqtt} if least.aiomqtt < math.inf else {}
    return [
        Row(
            f"burst.last.{rooms}",
            f"{rooms:,} rooms change at the same second: to the last message at a subscriber",
            "s",
            least.last,
            least.codec,
            AT_MOST,
            peers={**peers, f"{aiomqtt}, tuned": least.tuned},
            peers_at_most={aiomqtt: OF_AIOMQTT, f"{aiomqtt}, tuned": OF_TUNED_AIOMQTT},
            note=f"{messages:,} messages, {least.cpu / messages * 1e6:.0f} us of the processor each",
        ),
        Row(
            f"burst.first.{rooms}",
            f"{rooms:,} rooms change at the same second: to the first message at a subscriber",
            "ms",
            least.first * 1000,
            at_most=FIRST_AT_MOST,
        ),
    ]
