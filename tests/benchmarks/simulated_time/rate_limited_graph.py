"""A Graph without a network that keeps to its limits: who asks for too much gets a 429, as from the real one.

The limits are those of Microsoft's page "Microsoft Graph service-specific throttling limits": Outlook
serves an app 4 requests of a mailbox at once, and 10,000 in ten minutes; an app gets 130,000 answers in ten
seconds in all. A request in a batch counts like one by itself.
"""

from __future__ import annotations

import asyncio
import random
import re
from array import array
from collections import Counter, defaultdict, deque
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed_microsoft365.graph.client import GraphClient
from placed_microsoft365.graph.response import Answer
from tests.benchmarks.simulated_time.freshness import MIDNIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.benchmarks.simulated_time.freshness import Booking, Change, Day

_MAILBOX = re.compile(r"/users/(\d+)/")
_THROTTLED = b'{"error":{"code":"TooManyRequests","message":"slow down"}}'
_WHOLE = b'{"error":{"code":"TooManyRequests","message":"slow down, all of you"}}'
_EVENT = (
    '{{"id":"{key}","start":{{"dateTime":"{start:%Y-%m-%dT%H:%M:%S}.0000000","timeZone":"UTC"}},'
    '"end":{{"dateTime":"{end:%Y-%m-%dT%H:%M:%S}.0000000","timeZone":"UTC"}},"isAllDay":false,'
    '"isCancelled":false,"showAs":"busy","sensitivity":"normal","responseStatus":{{"response":"accepted"}}}}'
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What it allows, and how long an answer takes. Batches that are None are without limit."""

    of_mailbox_at_once: int = 4
    of_mailbox: int = 10_000
    of_mailbox_within: float = 600.0
    of_app: int = 130_000
    of_app_within: float = 10.0
    batches_at_once: int | None = None
    batches_a_second: float | None = None
    retry_after: float | None = None  # seconds, where a batch as a whole is refused
    takes: float = 0.4  # seconds
    spread: float = 0.0  # by which part of that an answer may come earlier or later


class LimitedGraph(GraphClient):
    """The calendars of a day's rooms, whose mailboxes are numbers.

    Args:
        day: what is in them, and when it changes.
        limits: what it allows.
        begin: seconds after midnight that the loop's time begins with.
    """

    def __init__(self, day: Day, limits: Limits, begin: float = 0.0) -> None:
        self._limits = limits
        self._begin = begin
        self._random = random.Random(1)  # noqa: S311 - the same each time
        self._rooms = {room: dict(bookings) for room, bookings in day.begin.items()}
        self._bodies = {room: _body(bookings) for room, bookings in self._rooms.items()}
        self._coming: Iterator[Change] = iter(day.changes)
        self._next = next(self._coming, None)
        self._at_once: Counter[int] = Counter()
        self._of_mailbox: defaultdict[int, deque[float]] = defaultdict(deque)
        self._of_app: deque[float] = deque()
        self._allowed = 1.0  # batches that are allowed now, where they are counted by the second
        self._allowed_at = 0.0
        self.under_way = 0
        # The log: when every request came and of which mailbox, every batch, and every one that was refused.
        self.moments = array("d")
        self.mailboxes = array("L")
        self.batches = array("d")
        self.refusals = array("d")
        self.throttled = 0  # requests

    async def batch(self, urls: Sequence[str]) -> Answer:
        """Answers a batch."""
        moment = asyncio.get_running_loop().time()
        rooms = [int(found[1]) for url in urls if (found := _MAILBOX.match(url))]
        self.batches.append(moment)
        if not self._lets_batch_in(moment):
            self.refusals.append(moment)
            return Answer(HTTPStatus.TOO_MANY_REQUESTS, self._limits.retry_after, _WHOLE, "token")
        self._go_on(self._begin + moment)
        admitted = [self._lets_in(room, moment) for room in rooms]
        self.under_way += 1
        spread = self._limits.spread * self._random.uniform(-1, 1)
        await asyncio.sleep(self._limits.takes * (1 + spread))
        self.under_way -= 1
        answers = []
        for place, (room, well) in enumerate(zip(rooms, admitted, strict=True)):
            status = HTTPStatus.OK if well else HTTPStatus.TOO_MANY_REQUESTS
            body = self._bodies[room] if well else _THROTTLED
            answers.append(b'{"id":"%d","status":%d,"body":%b}' % (place, status, body))
            if well:
                self._at_once[room] -= 1
        return Answer(HTTPStatus.OK, None, b'{"responses":[%b]}' % b",".join(answers), "token")

    async def ask(
        self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Nobody has to ask for a single thing."""
        raise NotImplementedError((method, url, body, headers))

    def refused(self, answer: Answer) -> bool:
        """It refuses no token."""
        raise NotImplementedError(answer)

    def _lets_batch_in(self, moment: float) -> bool:
        most, rate = self._limits.batches_at_once, self._limits.batches_a_second
        if most is not None and self.under_way >= most:
            return False
        if rate is None:
            return True
        self._allowed = min(max(1.0, rate / 2), self._allowed + (moment - self._allowed_at) * rate)
        self._allowed_at = moment
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True

    def _lets_in(self, room: int, moment: float) -> bool:
        limits = self._limits
        self.moments.append(moment)
        self.mailboxes.append(room)
        of_mailbox = _recent(self._of_mailbox[room], moment - limits.of_mailbox_within)
        of_app = _recent(self._of_app, moment - limits.of_app_within)
        if (
            len(of_mailbox) >= limits.of_mailbox
            or len(of_app) >= limits.of_app
            or self._at_once[room] >= limits.of_mailbox_at_once
        ):
            self.throttled += 1
            return False
        of_mailbox.append(moment)
        of_app.append(moment)
        self._at_once[room] += 1
        return True

    def _go_on(self, moment: float) -> None:
        """What people did until now."""
        while self._next is not None and self._next.moment <= moment:
            change = self._next
            if change.booking is None:
                self._rooms[change.room].pop(change.key, None)
            else:
                self._rooms[change.room][change.key] = change.booking
            self._bodies[change.room] = _body(self._rooms[change.room])
            self._next = next(self._coming, None)


def _recent(moments: deque[float], since: float) -> deque[float]:
    while moments and moments[0] <= since:
        moments.popleft()
    return moments


def _body(bookings: Mapping[str, Booking]) -> bytes:
    events = (
        _EVENT.format(
            key=key,
            start=MIDNIGHT + timedelta(seconds=booking.start),
            end=MIDNIGHT + timedelta(seconds=booking.end),
        )
        for key, booking in bookings.items()
    )
    return f'{{"value":[{",".join(events)}]}}'.encode()
