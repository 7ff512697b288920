"""How soon a change of a calendar is read: by need, against fixed intervals with as many readings.

    .venv/bin/python -m tests.benchmarks.simulated_time.freshness                        200 rooms, a day
    .venv/bin/python -m tests.benchmarks.simulated_time.freshness --rooms 100 --seed 2

It is the poller itself, with its rota and a board; the calendar service is a list of what people do, and
the day passes as fast as it can be worked through. A first run reads by need; a second one reads all rooms
at once, at the interval with which that makes as many readings over the day. Both read the same calendars.
From being read to being published takes milliseconds more, which are not counted. It prints, for example:

    200 rooms, 775 changes, 2% outside of working hours, 301,664 readings by need and 301,800 fixed
    from the change to its reading   p50 s  p90 s  p99 s  mean s
    fixed intervals                     29     52     57      29
    by need                             15     34     77      18

The last percent is what people book in the evening, when rooms are read seldom: of what changes in working
hours, the p99 is no worse than at fixed intervals.

What people do. These numbers are assumed: they are not from a building, and no source was asked for them. The
weights of `placed.polling.reading_urgency` were chosen with an eye on days of seeds 1 to 3; other seeds are
days that they have not seen.

- Half of a day's meetings are booked within the hour before they start, evenly; a fifth of these at the
  door, at any minute, to start at once. The other half is booked a day before, on average, with an
  exponential tail. Of what is booked that early, 8 % are booked from 19:00 to 23:00 or from 6:00 to 7:00,
  all else between 7:00 and 19:00.
- Rooms are not alike: the demand for the room of rank n is proportional to n ** -0.7.
- Meetings start at full and half hours from 8:00 to 17:30, and twice as many from 9:00 to 11:00 and from
  13:00 to 15:00 as at other times; they take half an hour (50 %), one (35 %), one and a half (10 %) or two
  (5 %).
- 8 % are called off, one half of them in the last half hour before they start, the other at any time since
  they were booked. 10 % are prolonged by a quarter or half an hour, within the last five minutes, where the
  room is free then. 12 % end early, and are shortened in the calendar at that moment.
- Yesterday's, today's and tomorrow's meetings are read, so what is booked today for tomorrow counts, too.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
from bisect import insort
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import fmean, quantiles
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog

from placed.board.board import Board
from placed.domain.model import Meeting
from placed.domain.occupancy import Policy
from placed.domain.privacy import Show
from placed.driver import ConnectionSettings, Fence, FenceState, FoundRoom, Read, Unchanged
from placed.polling.poller import Poller
from placed.polling.room_ids import RoomIds
from placed.settings.polling_settings import Polling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from placed.driver import Answer, Query

ZONE = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 10, 6, tzinfo=ZONE).astimezone(UTC)  # the begin of a Tuesday
MINUTE = 60.0
HOUR = 3600.0
DAY = 24 * HOUR
MEETINGS_A_DAY = 5.0  # a room, on average
_AT_SHORT_NOTICE = 0.5
_AT_THE_DOOR = 0.2  # of these
_IN_THE_EVENING = 0.08  # of the others
_BUSY_SLOTS = frozenset((*range(18, 22), *range(26, 30)))
_CALLED_OFF, _PROLONGED, _ENDED_EARLY = 0.08, 0.10, 0.12
_LATE = 0.5  # of those called off
INTERVAL = 30.0  # seconds, as by default


# --- what people do: all times are seconds since midnight ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Booking:
    """A meeting, as somebody wants it."""

    key: str
    start: float
    end: float

    @property
    def meeting(self) -> Meeting:
        """As a calendar has it."""
        start, end = (MIDNIGHT + timedelta(seconds=moment) for moment in (self.start, self.end))
        return Meeting(self.key, start, end)


@dataclass(frozen=True, slots=True)
class Change:
    """At a moment, a booking of a room comes to be, changes, or goes if it is None."""

    moment: float
    room: int
    key: str
    booking: Booking | None = None


class Day:
    """A day of a building: what is in its calendars at its begin, and every change of them in their order."""

    def __init__(self, rooms: int, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a seed makes the same day again
        self.begin: dict[int, dict[str, Booking]] = {room: {} for room in range(rooms)}
        self.changes: list[Change] = []
        self._taken: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
        demand = [(rank + 1) ** -0.7 for rank in range(rooms)]
        self._random.shuffle(demand)
        asked_for = round(3 * MEETINGS_A_DAY * rooms)  # in the three days that are read
        for number, room in enumerate(self._random.choices(range(rooms), demand, k=asked_for)):
            self._book(room, f"{number}")
        self.changes.sort(key=lambda change: change.moment)

    def outside(self) -> float:
        """The share of changes outside of working hours."""
        return fmean(not 7 * HOUR <= change.moment < 19 * HOUR for change in self.changes)

    def _book(self, room: int, key: str) -> None:
        draw = self._random
        midnight = draw.choice((-DAY, 0.0, DAY))
        length = HOUR / 2 * draw.choices((1, 2, 3, 4), (50, 35, 10, 5))[0]
        slots = range(16, 36)  # half hours: 8:00 to 17:30
        busy = [2 if slot in _BUSY_SLOTS else 1 for slot in slots]
        start = midnight + draw.choices(slots, busy)[0] * HOUR / 2
        if draw.random() < _AT_SHORT_NOTICE:
            if draw.random() < _AT_THE_DOOR:
                start += draw.uniform(0, HOUR / 2)
                made = start
            else:
                made = start - draw.uniform(0, HOUR)
        else:
            made = min(self._at_a_decent_hour(start - HOUR - draw.expovariate(1 / DAY)), start - HOUR)
        booking = Booking(key, start, start + length)
        if not self._free(room, booking.start, booking.end) or made >= DAY:
            return
        insort(self._taken[room], (booking.start, booking.end))
        self._change(made, room, key, booking)
        self._live(max(made, 0.0), room, booking)

    def _at_a_decent_hour(self, moment: float) -> float:
        draw = self._random
        midnight = moment // DAY * DAY
        if draw.random() < _IN_THE_EVENING:
            return midnight + draw.choice((6, 19, 20, 21, 22)) * HOUR + draw.uniform(0, HOUR)
        return midnight + draw.uniform(7, 19) * HOUR

    def _live(self, made: float, room: int, booking: Booking) -> None:
        """What becomes of a booking."""
        draw = self._random
        fate = draw.random()
        start, end, key = booking.start, booking.end, booking.key
        if fate < _CALLED_OFF:
            since = max(made, start - HOUR / 2) if draw.random() < _LATE else made
            self._change(draw.uniform(since, start), room, key, None)
        elif fate < _CALLED_OFF + _PROLONGED:
            longer = replace(booking, end=end + draw.choice((15, 30)) * MINUTE)
            if self._free(room, end, longer.end):
                insort(self._taken[room], (end, longer.end))
                self._change(end - draw.uniform(0, 5 * MINUTE), room, key, longer)
        elif fate < _CALLED_OFF + _PROLONGED + _ENDED_EARLY:
            now = start + (end - start) * draw.uniform(0.5, 0.95)
            self._change(now, room, key, replace(booking, end=now))

    def _change(self, moment: float, room: int, key: str, booking: Booking | None) -> None:
        if moment >= DAY:
            return
        if moment > 0:
            self.changes.append(Change(moment, room, key, booking))
        elif booking is not None:
            self.begin[room][key] = booking

    def _free(self, room: int, start: float, end: float) -> bool:
        return all(end <= other or until <= start for other, until in self._taken[room])


# --- a calendar service and a clock -------------------------------------------------------------------------


class HandClock:
    """Two clocks that only the simulation moves."""

    def __init__(self) -> None:
        self.elapsed = 0.0

    def now(self) -> datetime:
        """The clock on the wall."""
        return MIDNIGHT + timedelta(seconds=self.elapsed)

    def steady(self) -> float:
        """The steady clock."""
        return self.elapsed

    async def sleep(self, seconds: float) -> None:
        """It is later at once."""
        self.elapsed += seconds


class Service:
    """A driver whose calendars change as the day goes, and which notes how late each change is read."""

    credential_expires_at = None

    def __init__(self, day: Day, clock: HandClock) -> None:
        self._clock = clock
        self._rooms = {str(room): dict(bookings) for room, bookings in day.begin.items()}
        self._coming: Iterator[Change] = iter(day.changes)
        self._next = next(self._coming, None)
        self._unread: defaultdict[str, list[float]] = defaultdict(list)
        self._read_once: set[str] = set()
        self.delays: list[float] = []
        self.readings = 0
        self.requests = 0

    async def find_rooms(self) -> list[FoundRoom]:
        """All rooms."""
        return [FoundRoom(f"{room}@contoso.example", room) for room in self._rooms]

    async def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        """Reads calendars as they are now."""
        moment = self._clock.elapsed
        self._go_on(moment)
        self.readings += len(queries)
        self.requests += -(-len(queries) // 20)
        now = self._clock.now()
        for query in queries:
            room = query.room.mailbox
            unread = self._unread.pop(room, ())
            self.delays += [moment - change for change in unread]
            if unread or room not in self._read_once:
                self._read_once.add(room)
                yield Read(query, now, tuple(b.meeting for b in self._rooms[room].values()))
            else:
                yield Unchanged(query, now)

    async def try_fence(self) -> Fence:
        """There is none."""
        return Fence(FenceState.UNPROVEN)

    async def close(self) -> None:
        """Nothing is open."""

    def _go_on(self, moment: float) -> None:
        while self._next is not None and self._next.moment <= moment:
            change, room = self._next, str(self._next.room)
            self._unread[room].append(change.moment)
            if change.booking is None:
                self._rooms[room].pop(change.key, None)
            else:
                self._rooms[room][change.key] = change.booking
            self._next = next(self._coming, None)


# --- the measurement ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from a change to its reading, over a day; and what that took."""

    p50: float
    p90: float
    p99: float
    mean: float
    readings: int
    requests: int
    interval: float  # seconds, the mean of all rooms
    all: list[float]

    @classmethod
    def of(cls, service: Service, rooms: int) -> Delays:
        """What a day came to."""
        cuts = quantiles(service.delays, n=100)
        mean = rooms * DAY / service.readings
        return cls(
            p50=cuts[49],
            p90=cuts[89],
            p99=cuts[98],
            mean=fmean(service.delays),
            readings=service.readings,
            requests=service.requests,
            interval=mean,
            all=service.delays,
        )


@dataclass(frozen=True, slots=True)
class Freshness:
    """The same day, read in two ways."""

    rooms: int
    changes: int
    outside: float  # share of changes outside of working hours
    by_need: Delays
    fixed: Delays


def measure(*, rooms: int = 200, seed: int = 7, interval: float = INTERVAL) -> Freshness:
    """Has the day read by need, with the budget of that interval, then at a fixed one that costs as much."""
    day = Day(rooms, seed)
    budget = round(rooms * MINUTE / interval)
    polling = Polling(interval=timedelta(seconds=interval), budget=budget)
    by_need = Delays.of(_live_through(day, polling), rooms)
    polling = Polling(interval=timedelta(seconds=by_need.interval))
    fixed = Delays.of(_live_through(day, polling), rooms)
    return Freshness(rooms, len(day.changes), day.outside(), by_need, fixed)


def _live_through(day: Day, polling: Polling) -> Service:
    clock = HandClock()
    service = Service(day, clock)
    jitter = random.Random(0).random if polling.budget else lambda: 0.0  # noqa: S311 - the same each time
    poller = Poller(
        connection=ConnectionSettings(name="contoso", driver="freshness", time_zone=ZONE),
        driver=service,
        board=Board(Policy(), Show.NOTHING, clock.now, epoch=1),
        book=RoomIds({}),
        polling=polling,
        clock=clock,
        jitter=jitter,
    )

    async def live() -> None:
        while clock.elapsed < DAY:
            await clock.sleep(await poller.step())

    asyncio.run(live())
    return service


def table(found: Freshness) -> Iterable[str]:
    """The lines that are printed."""
    yield (
        f"{found.rooms} rooms, {found.changes} changes, {found.outside:.0%} outside of working hours, "
        f"{found.by_need.readings:,} readings by need and {found.fixed.readings:,} fixed"
    )
    yield f"{'from the change to its reading':32} p50 s  p90 s  p99 s  mean s"
    for name, delays in (("fixed intervals", found.fixed), ("by need", found.by_need)):
        yield f"{name:32} {delays.p50:5.1f}  {delays.p90:5.1f}  {delays.p99:5.1f}  {delays.mean:6.1f}"


def main() -> None:
    """Measures a day and prints the table."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rooms", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    for line in table(measure(rooms=options.rooms, seed=options.seed)):
        print(line)


if __name__ == "__main__":
    main()
