"""Asks for free/busy of many rooms, which costs one request for fifty of them.

The answer is 200 even if a calendar failed: then its `busy` is empty, which does not mean that it is free.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from placed.driver import Throttled, Unavailable, UnexpectedAnswer
from placed.driver.parallel_reading import in_parallel
from placed.driver.unchanged_answer import digest_of
from placed_google.api.json_structs import FreeBusy, FreeBusyCalendar, FreeBusyItem, FreeBusyRequest
from placed_google.api.reply import decode
from placed_google.calendars.pace import FREE_BUSY_SIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from placed.driver import DriverError, Query
    from placed.driver.network.concurrency_limit import ConcurrencyLimit
    from placed_google.api.client import ApiClient
    from placed_google.calendars.request_budget import RequestBudget

LONGEST_PAUSE = 10.0  # seconds
FREE_BUSY_PATH = "/calendar/v3/freeBusy?prettyPrint=false"
_encode = msgspec.json.encode


class Look(NamedTuple):
    """The free/busy of one room.

    Attributes:
        asked_at: when the request left.
        digest: of its blocks; None if the service reports none of it.
        error: the reason for that, by the service; or the error of the request.
    """

    asked_at: datetime
    digest: bytes | None
    error: str | DriverError = ""


class FreeBusyReader:
    """Asks for free/busy.

    Args:
        client: of the scope that free/busy needs.
        limit: how many requests may run in parallel.
        budget: how many requests may begin within a minute.
        now: the wall clock.
    """

    def __init__(
        self,
        client: ApiClient,
        limit: ConcurrencyLimit,
        budget: RequestBudget,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._limit = limit
        self._budget = budget
        self._now = now

    async def look(self, queries: Sequence[Query]) -> dict[str, Look]:
        """Returns the free/busy of the rooms, by their calendars.

        Raises:
            DriverError: free/busy is not permitted, or the account is refused.
        """
        found: dict[str, Look] = {}
        windows: defaultdict[tuple[datetime, datetime], list[str]] = defaultdict(list)
        for query in queries:
            windows[query.since, query.until].append(query.room.mailbox)

        async def read(batch: tuple[datetime, datetime, Sequence[str]]) -> None:
            try:
                found.update(await self._ask(*batch))
            except (Unavailable, UnexpectedAnswer) as error:
                found.update(dict.fromkeys(batch[2], Look(self._now(), None, error)))

        batches = [
            (since, until, calendars[n : n + FREE_BUSY_SIZE])
            for (since, until), calendars in windows.items()
            for n in range(0, len(calendars), FREE_BUSY_SIZE)
        ]
        await in_parallel(batches, read, self._limit.most)
        return found

    async def _ask(self, since: datetime, until: datetime, calendars: Sequence[str]) -> dict[str, Look]:
        question = FreeBusyRequest(
            f"{since:%Y-%m-%dT%H:%M:%SZ}",
            f"{until:%Y-%m-%dT%H:%M:%SZ}",
            [FreeBusyItem(calendar) for calendar in calendars],
        )
        await self._budget.take(1)
        async with self._limit.slot() as number:
            asked_at = self._now()
            reply = await self._client.ask("POST", FREE_BUSY_PATH, _encode(question), "application/json")
        try:
            answer = decode(self._client.checked(reply).body, FreeBusy)
        except Throttled as error:
            self._limit.was_throttled(number, min(error.problem.retry_after or 0.0, LONGEST_PAUSE))
            raise
        self._limit.succeeded()
        lowered = {calendar.lower(): one for calendar, one in answer.calendars.items()}
        return {calendar: _look(asked_at, lowered.get(calendar.lower())) for calendar in calendars}


def _look(asked_at: datetime, calendar: FreeBusyCalendar | None) -> Look:
    if calendar is None:
        return Look(asked_at, None, "missing")
    if calendar.errors:
        return Look(asked_at, None, calendar.errors[0].reason or "unknown")
    if calendar.busy is None:
        return Look(asked_at, None, "missing")
    return Look(asked_at, digest_of(_encode(calendar.busy)))
