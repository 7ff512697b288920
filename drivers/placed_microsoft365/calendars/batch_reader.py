"""Reads many calendars: 20 rooms per batch, several batches in parallel, one result per room."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.domain.model import Reason
from placed.driver import DriverError, Failed, Problem, Unavailable, Unchanged, UnexpectedAnswer
from placed.driver.network.retry_after import parse_retry_after
from placed.driver.parallel_reading import failure_of, in_parallel
from placed_microsoft365.calendars.calendar_view import FirstPage
from placed_microsoft365.graph.client import BATCH_SIZE
from placed_microsoft365.graph.error_codes import error_meaning, reason_of
from placed_microsoft365.graph.response import error_code, error_of, items_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import msgspec

    from placed.driver import Answer, Query
    from placed.driver.network.concurrency_limit import ConcurrencyLimit
    from placed_microsoft365.calendars.calendar_view import CalendarViews
    from placed_microsoft365.graph.client import GraphClient
    from placed_microsoft365.graph.json_structs import BatchItem
    from placed_microsoft365.graph.response import Answer as GraphAnswer

GIVE_UP_AFTER = 3  # consecutive failed requests
TRIES = 3  # attempts for a batch that is throttled as a whole
LONGEST_PAUSE = 10.0  # seconds; a longer Retry-After ends the reading


class CalendarReader:
    """Reads the calendars of one connection's rooms.

    Args:
        graph: the client.
        limit: how many requests may run in parallel.
        views: builds the URL for a room and decodes the response.
        now: the wall clock.
    """

    def __init__(
        self, graph: GraphClient, limit: ConcurrencyLimit, views: CalendarViews, now: Callable[[], datetime]
    ) -> None:
        self._graph = graph
        self._limit = limit
        self._views = views
        self._now = now

    async def read(self, queries: Sequence[Query], answer: Callable[[Answer], None]) -> None:
        """Reads all rooms within the concurrency limit; see `placed.driver.Driver.read`."""
        waiting = [queries[n : n + BATCH_SIZE] for n in range(0, len(queries), BATCH_SIZE)]
        reading = _ReadRun(self._graph, self._limit, self._views, self._now, answer)

        await in_parallel(waiting, reading.batch, self._limit.most)


class _ReadRun:
    """One reading of many rooms: the state that its batches share."""

    def __init__(
        self,
        graph: GraphClient,
        limit: ConcurrencyLimit,
        views: CalendarViews,
        now: Callable[[], datetime],
        answer: Callable[[Answer], None],
    ) -> None:
        self._graph = graph
        self._limit = limit
        self._views = views
        self._now = now
        self._answer = answer
        self._failures = 0

    async def batch(self, queries: Sequence[Query], *, again: bool = False, tries: int = TRIES) -> None:
        """Reads up to 20 rooms.

        Args:
            queries: the rooms.
            again: whether the token was renewed for them already.
            tries: how many attempts are left, including this one.

        Raises:
            DriverError: the connection as a whole fails.
        """
        urls = [self._views.url(query) for query in queries]
        async with self._limit.slot() as number:
            asked_at = self._now()
            try:
                outer = await self._graph.batch(urls)
            except Unavailable as error:
                self._all_failed(queries, error)
                return
        if outer.status == HTTPStatus.OK:
            await self._answered(queries, outer, asked_at, number, again=again)
        elif _asks_for_patience(outer):
            await self._throttled(queries, outer, number, again=again, tries=tries)
        else:
            await self._outer_failed(queries, outer, number)

    async def _answered(
        self, queries: Sequence[Query], outer: GraphAnswer, asked_at: datetime, number: int, *, again: bool
    ) -> None:
        """Handles a batch response: at once if it is unchanged, else item by item."""
        if self._views.all_unchanged(queries, outer.body):
            self._limit.succeeded()
            self._failures = 0
            for query in queries:
                self._answer(Unchanged(query, asked_at))
            return
        try:
            items = items_of(outer.body)
        except UnexpectedAnswer:
            await self._one_by_one(queries)
            return
        failed = [item for item in items.values() if item.status != HTTPStatus.OK]
        throttled = sum(reason_of(item.status) is Reason.THROTTLED for item in failed)
        if throttled > 1:  # one may be the limit of its mailbox; several are the application's limit
            self._limit.was_throttled(number)
        else:
            self._limit.succeeded()
        self._failures = 0
        refused = await self._report_items(queries, items, asked_at, again=again)
        if not refused:
            return
        if self._graph.refused(outer):
            await self.batch([query for query, _ in refused], again=True)
        else:
            for query, item in refused:
                self._answer(self._failed(query, item))

    async def _report_items(
        self, queries: Sequence[Query], items: Mapping[str, BatchItem], asked_at: datetime, *, again: bool
    ) -> list[tuple[Query, BatchItem]]:
        """Reports all items except those with a refused token, which it returns unless the token is new."""
        refused: list[tuple[Query, BatchItem]] = []
        paged: list[FirstPage] = []
        for place, query in enumerate(queries):
            item = items.get(str(place))
            if item is None:
                self._answer(Failed(query, Reason.MALFORMED, Problem("", "no answer in the batch")))
            elif item.status == HTTPStatus.OK:
                result = self._views.answer(query, item.body, asked_at)
                if isinstance(result, FirstPage):
                    paged.append(result)
                else:
                    self._answer(result)
            elif item.status == HTTPStatus.UNAUTHORIZED and not again:
                refused.append((query, item))
            else:
                self._answer(self._failed(query, item))
        for first in paged:  # last, so that the other rooms do not wait for the pages
            self._answer(await self._views.follow(first))
        return refused

    def _failed(self, query: Query, item: BatchItem) -> Failed:
        headers = {name.lower(): value for name, value in (item.headers or {}).items()}
        rest = parse_retry_after(headers.get("retry-after"), self._now())
        return _failed(query, item.status, item.body, rest)

    async def _throttled(
        self, queries: Sequence[Query], outer: GraphAnswer, number: int, *, again: bool, tries: int
    ) -> None:
        """Repeats a batch that was throttled as a whole, within the lowered limit.

        Raises:
            Unavailable: it was throttled three times in a row at lower limits, or the pause is too long.
        """
        problem, rest = error_of(outer), outer.retry_after or 0.0
        if rest > LONGEST_PAUSE:
            raise problem
        if self._limit.was_throttled(number, rest):
            self._failed_again(problem)
        if tries > 1:
            await self.batch(queries, again=again, tries=tries - 1)
        else:
            self._fail(queries, problem)

    async def _outer_failed(self, queries: Sequence[Query], outer: GraphAnswer, number: int) -> None:
        problem = error_of(outer)
        if outer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            self._limit.was_throttled(number)
        if isinstance(problem, UnexpectedAnswer):
            await self._one_by_one(queries)  # a single room may be what Graph rejects in the batch
        elif isinstance(problem, Unavailable):
            self._all_failed(queries, problem)
        else:
            raise problem

    async def _one_by_one(self, queries: Sequence[Query]) -> None:
        """Reads the rooms one by one after a malformed batch, so that one room does not affect the others."""
        understood = False
        for query in queries:
            async with self._limit.slot() as number:
                asked_at = self._now()
                try:
                    answer = await self._graph.ask("GET", self._views.url(query))
                except Unavailable as error:
                    self._all_failed([query], error)
                    continue
            if answer.status == HTTPStatus.OK:
                found = self._views.answer(query, answer.body, asked_at)
                result = await self._views.follow(found) if isinstance(found, FirstPage) else found
            else:
                if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
                    self._limit.was_throttled(number)
                result = _failed(query, answer.status, answer.body, answer.retry_after)
            understood = understood or not isinstance(result, Failed) or result.reason is not Reason.MALFORMED
            self._answer(result)
        if understood:
            self._failures = 0
        else:
            self._failed_again(UnexpectedAnswer("no response from Graph can be understood"))

    def _all_failed(self, queries: Sequence[Query], error: DriverError) -> None:
        self._fail(queries, error)
        self._failed_again(error)

    def _fail(self, queries: Sequence[Query], error: DriverError) -> None:
        for query in queries:
            self._answer(failure_of(query, error))

    def _failed_again(self, error: DriverError) -> None:
        self._failures += 1
        if self._failures >= GIVE_UP_AFTER:
            raise error


def _asks_for_patience(outer: GraphAnswer) -> bool:
    if outer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return outer.retry_after is not None
    return outer.status == HTTPStatus.TOO_MANY_REQUESTS


def _failed(query: Query, status: int, body: bytes | msgspec.Raw, rest: float | None) -> Failed:
    meaning = error_meaning(status, error_code(body))
    return Failed(query, meaning.reason, replace(meaning.problem, retry_after=rest))
