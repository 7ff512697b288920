"""What becomes of the pace against a service that throttles: the round ends, and the rate settles (AIMD).

    .venv/bin/python -m tests.benchmarks.simulated_time.throttling

A building is read every five seconds by the poller with its real pace, on a simulated clock, from a service
that refuses batches as a whole beyond so many at once, or so many a second. `measure` gives the data of a
plot; as a command it prints them in short, of the second half of three minutes:

    service lets in          rounds  longest s  unread s  batches/s  of the limit  refused
    3 at once                    12       16.3        18        6.1           82%    14.2%
    15 a second                  26        8.1         8       14.1           94%     3.4%

`longest` is that of a round of 2,000 rooms, `unread` for how long a room was not read at the worst.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from placed.settings.polling_settings import Polling
from tests.benchmarks.simulated_time.event_loop import run
from tests.benchmarks.simulated_time.freshness import HOUR, Day
from tests.benchmarks.simulated_time.polled_connection import Polled
from tests.benchmarks.simulated_time.rate_limited_graph import LimitedGraph, Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import Answer, Query

TEN = 10 * HOUR  # after midnight
EVERY = 1.0  # seconds, from point to point of the plot


@dataclass(frozen=True, slots=True)
class Throttling:
    """What was seen, second by second. `rates` and `refusals` are of the second that begins at the time.

    Attributes:
        times: seconds since the begin.
        windows: how many batches may be under way, by our pace.
        rates: batches a second that were served.
        refusals: batches that were refused with 429.
        limit: how many batches a second the service lets in.
        rounds: seconds that each reading of all rooms took, from its begin to its end.
        unread: seconds for which a room was not read, at the longest, in the second half.
    """

    times: list[float]
    windows: list[float]
    rates: list[float]
    refusals: list[float]
    limit: float
    rounds: list[float]
    unread: float

    @property
    def settled(self) -> float:
        """Batches a second in the second half, as a share of what is let in."""
        half = self.rates[len(self.rates) // 2 :]
        return sum(half) / len(half) / self.limit

    @property
    def refused(self) -> float:
        """The share of batches that were refused in the second half."""
        half = len(self.rates) // 2
        served, refused = sum(self.rates[half:]), sum(self.refusals[half:])
        return refused / (served + refused)


def at_once(number: int) -> Limits:
    """A service that lets in so many batches at once."""
    return Limits(batches_at_once=number, retry_after=0.5, spread=0.25)


def a_second(rate: float) -> Limits:
    """A service that lets in so many batches a second."""
    return Limits(batches_a_second=rate, retry_after=0.5, spread=0.25)


def measure(
    limits: Limits, *, rooms: int = 2_000, seconds: float = 180.0, concurrency: int = 16
) -> Throttling:
    """Has a building read for so long, which wants to be read more often than the service lets it."""
    graph = LimitedGraph(Day(rooms, 1), limits, TEN)
    polling = Polling(interval=timedelta(seconds=5), concurrency=concurrency)
    house = _Timed(graph, rooms, polling)
    times: list[float] = []
    windows: list[float] = []

    async def look() -> None:
        while True:
            times.append(asyncio.get_running_loop().time())
            windows.append(house.driver.limit.window)
            await asyncio.sleep(EVERY)

    async def live() -> None:
        looking = asyncio.create_task(look())
        await house.live(seconds)
        looking.cancel()

    run(live())
    refusals = _by_second(graph.refusals, len(times))
    begun = _by_second(graph.batches, len(times))
    limit = limits.batches_a_second or (limits.batches_at_once or 0) / limits.takes
    rates = [both - refused for both, refused in zip(begun, refusals, strict=True)]
    unread = _longest_unread(graph, rooms, seconds)
    return Throttling(times, windows, rates, refusals, limit, house.rounds, unread)


class _Timed(Polled):
    """Notes how long the readings of most rooms take."""

    def __init__(self, graph: LimitedGraph, rooms: int, polling: Polling) -> None:
        super().__init__(graph, rooms, polling, TEN)
        self.rounds: list[float] = []
        read = self.driver.read

        async def timed(queries: Sequence[Query]) -> AsyncIterator[Answer]:
            clock = asyncio.get_running_loop().time
            begun = clock()
            try:
                async for answer in read(queries):
                    yield answer
            finally:
                if len(queries) > rooms / 2:
                    self.rounds.append(clock() - begun)

        self.driver.read = timed  # type: ignore[method-assign]


def _longest_unread(graph: LimitedGraph, rooms: int, seconds: float) -> float:
    """How long a room was not read, at the longest, in the second half."""
    last = dict.fromkeys(range(rooms), seconds / 2)
    longest = 0.0
    for moment, room in zip(graph.moments, graph.mailboxes, strict=True):
        if moment > seconds / 2:
            longest = max(longest, moment - last[room])
            last[room] = moment
    return max(longest, seconds - min(last.values()))


def _by_second(moments: Sequence[float], seconds: int) -> list[float]:
    counts = [0.0] * seconds
    for moment in moments:
        if int(moment / EVERY) < seconds:
            counts[int(moment / EVERY)] += 1
    return counts


def main() -> None:
    """Measures some services and prints the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(f"{'service lets in':24} rounds  longest s  unread s  batches/s  of the limit  refused")
    for name, limits in (
        ("3 at once", at_once(3)),
        ("6 at once", at_once(6)),
        ("5 a second", a_second(5.0)),
        ("15 a second", a_second(15.0)),
    ):
        seen = measure(limits)
        longest, rate = max(seen.rounds), seen.settled * seen.limit
        print(
            f"{name:24} {len(seen.rounds):6}  {longest:9.1f}  {seen.unread:8.0f}  {rate:9.1f}  "
            f"{seen.settled:12.0%}  {seen.refused:7.1%}"
        )


if __name__ == "__main__":
    main()
