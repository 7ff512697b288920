"""Reads many calendars: 20 rooms a batch, batches side by side, each room's answer judged by itself."""

from __future__ import annotations

import asyncio
from collections import deque
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec

from placed.driver import DriverError, Failed, Unavailable
from placed.model import Reason
from placed_microsoft365.graph import (
    BATCH_SIZE,
    UnexpectedAnswer,
    error_code,
    error_of,
    parse_retry_after,
    reason_of,
)
from placed_microsoft365.wire import BatchAnswer, BatchItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from placed.driver import Answer, Query
    from placed_microsoft365.graph import Graph
    from placed_microsoft365.pace import Pace
    from placed_microsoft365.views import Views

GIVE_UP_AFTER = 3  # failed requests in a row, with none between that came back well

_batch_decoder = msgspec.json.Decoder(BatchAnswer)
_item_decoder = msgspec.json.Decoder(BatchItem)
_BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Calendars:
    """Reads the calendars of one connection's rooms.

    Args:
        graph: the client.
        pace: how many requests may be under way.
        views: how a room's calendar is asked for, and what the answer says.
        now: the clock on the wall.
    """

    def __init__(self, graph: Graph, pace: Pace, views: Views, now: Callable[[], datetime]) -> None:
        self._graph = graph
        self._pace = pace
        self._views = views
        self._now = now

    async def read(self, queries: Sequence[Query], answer: Callable[[Answer], None]) -> None:
        """Reads all of them, as the pace allows; see `placed.driver.Driver.read`."""
        waiting = deque(queries[n : n + BATCH_SIZE] for n in range(0, len(queries), BATCH_SIZE))
        reading = _Reading(self._graph, self._pace, self._views, self._now, answer)

        async def work() -> None:
            while waiting:
                await reading.batch(waiting.popleft())

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(len(waiting), self._pace.most)):
                    group.create_task(work())
        except* DriverError as failures:
            raise failures.exceptions[0] from None


class _Reading:
    """One reading of many rooms: what its batches share."""

    def __init__(
        self,
        graph: Graph,
        pace: Pace,
        views: Views,
        now: Callable[[], datetime],
        answer: Callable[[Answer], None],
    ) -> None:
        self._graph = graph
        self._pace = pace
        self._views = views
        self._now = now
        self._answer = answer
        self._failures = 0
        self._token_renewed = False

    async def batch(self, queries: Sequence[Query]) -> None:
        """Reads up to 20 rooms.

        Raises:
            DriverError: the connection as a whole fails.
        """
        urls = [self._views.url(query) for query in queries]
        async with self._pace.turn():
            asked_at = self._now()
            try:
                outer = await self._graph.batch(urls)
            except Unavailable as error:
                self._all_failed(queries, Reason.UNAVAILABLE, error)
                return
        if outer.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            self._pace.was_throttled(outer.retry_after or 0.0)
        if outer.status == HTTPStatus.OK:
            try:
                answers = _batch_decoder.decode(outer.body)
            except _BAD_JSON:
                await self._one_by_one(queries)
            else:
                await self._take(queries, urls, _items(answers), asked_at)
            return
        problem = error_of(outer)
        if isinstance(problem, UnexpectedAnswer):
            await self._one_by_one(queries)  # one of them may be what Graph does not like about the batch
        elif isinstance(problem, Unavailable):
            self._all_failed(queries, reason_of(outer.status), problem)
        else:
            raise problem

    async def _take(
        self, queries: Sequence[Query], urls: Sequence[str], items: dict[str, BatchItem], asked_at: datetime
    ) -> None:
        throttled = sum(item.status == HTTPStatus.TOO_MANY_REQUESTS for item in items.values())
        if throttled > 1:  # one alone may be its own mailbox's limit; several are ours
            self._pace.was_throttled()
        else:
            self._pace.succeeded()
        self._failures = 0
        refused: list[Query] = []
        for place, (query, url) in enumerate(zip(queries, urls, strict=True)):
            item = items.get(str(place))
            if item is None:
                self._answer(Failed(query, Reason.MALFORMED, "no answer in the batch"))
            elif item.status == HTTPStatus.OK:
                self._answer(await self._views.answer(query, url, item.body, asked_at))
            elif item.status == HTTPStatus.UNAUTHORIZED and not self._token_renewed:
                refused.append(query)
            else:
                headers = {name.lower(): value for name, value in (item.headers or {}).items()}
                rest = parse_retry_after(headers.get("retry-after"), self._now())
                self._answer(_failed(query, item.status, item.body, rest))
        if refused:
            self._token_renewed = True
            await self._graph.renew_token()
            await self.batch(refused)

    async def _one_by_one(self, queries: Sequence[Query]) -> None:
        """After a batch that makes no sense as a whole, so that one room does not spoil nineteen others."""
        for query in queries:
            url = self._views.url(query)
            async with self._pace.turn():
                asked_at = self._now()
                try:
                    answer = await self._graph.ask("GET", self._graph.whole(url))
                except Unavailable as error:
                    self._all_failed([query], Reason.UNAVAILABLE, error)
                    continue
            if answer.status == HTTPStatus.OK:
                self._answer(await self._views.answer(query, url, answer.body, asked_at))
            else:
                self._answer(_failed(query, answer.status, answer.body, answer.retry_after))

    def _all_failed(self, queries: Sequence[Query], reason: Reason, error: DriverError) -> None:
        for query in queries:
            self._answer(Failed(query, reason, str(error), error.retry_after))
        self._failures += 1
        if self._failures >= GIVE_UP_AFTER:
            raise error


def _items(answer: BatchAnswer) -> dict[str, BatchItem]:
    """The answers by the id of their question; one that is malformed is passed over."""
    items: dict[str, BatchItem] = {}
    for raw in answer.responses:
        try:
            item = _item_decoder.decode(raw)
        except _BAD_JSON:
            continue
        items.setdefault(item.id, item)
    return items


def _failed(query: Query, status: int, body: bytes | msgspec.Raw, rest: float | None) -> Failed:
    return Failed(query, reason_of(status), f"{status} {error_code(body)}".rstrip(), rest)
