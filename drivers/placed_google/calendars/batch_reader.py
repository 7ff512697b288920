"""Reads many calendars: up to 50 rooms per batch, several batches in parallel, one result per room."""

from __future__ import annotations

import random
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.domain.model import Reason
from placed.driver import DriverError, Failed, Problem, Throttled, Unavailable, UnexpectedAnswer
from placed.driver.parallel_reading import failure_of, in_parallel
from placed_google.api.reply import is_ok
from placed_google.calendars.batch_request import BATCH_PATH, BATCH_SIZE, CONTENT_TYPE, batch_request
from placed_google.calendars.multipart_answer import parts_of
from placed_google.calendars.room_calendar import FirstPage

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from placed.driver import Answer, Query
    from placed.driver.network.concurrency_limit import ConcurrencyLimit
    from placed.driver.parallel_reading import Report
    from placed_google.api.client import ApiClient
    from placed_google.api.reply import Reply
    from placed_google.calendars.request_budget import RequestBudget
    from placed_google.calendars.room_calendar import RoomCalendars

GIVE_UP_AFTER = 3  # consecutive failed requests
TRIES = 3  # attempts for a batch that is throttled as a whole
LONGEST_PAUSE = 10.0  # seconds; a longer Retry-After ends the reading
_SMALLEST = 5  # rooms in a batch, however often it is throttled


class BatchReader:
    """Reads the calendars of one connection's rooms.

    Args:
        client: the client.
        limit: how many requests may run in parallel.
        budget: how many requests may begin within a minute.
        calendars: makes the path for a room and decodes the answer.
        now: the wall clock.
    """

    def __init__(
        self,
        client: ApiClient,
        limit: ConcurrencyLimit,
        budget: RequestBudget,
        calendars: RoomCalendars,
        now: Callable[[], datetime],
    ) -> None:
        self.client = client
        self.limit = limit
        self.budget = budget
        self.calendars = calendars
        self.now = now
        self._size = BATCH_SIZE  # rooms in a batch, whose parts run side by side at Google's

    async def read(self, queries: Sequence[Query], report: Report) -> None:
        """Reads all rooms within both limits; see `placed.driver.Driver.read`.

        Args:
            queries: the rooms.
            report: receives the answers of a batch together, so that nothing else is done for each room.
        """
        if queries:
            await self.client.sign_in()  # without a token it is the connection that fails, and not each room
        size = min(self._size, self.budget.most)  # the budget counts parts, and no more than it has
        batches = [queries[n : n + size] for n in range(0, len(queries), size)]
        await in_parallel(batches, _ReadRun(self, report).batch, self.limit.most)

    def was_throttled(self, number: int, rest: float = 0.0) -> bool:
        """Notes a throttled request; returns whether the limit was lowered, as others may have done it."""
        lowered = self.limit.was_throttled(number, rest)
        if lowered:
            self._size = max(_SMALLEST, self._size // 2)
        return lowered

    def succeeded(self) -> None:
        """Notes a successful request."""
        self.limit.succeeded()
        self._size = min(BATCH_SIZE, self._size + _SMALLEST)


class _ReadRun:
    """One reading of many rooms: the state that its batches share."""

    def __init__(self, reader: BatchReader, report: Report) -> None:
        self._reader = reader
        self._client = reader.client
        self._calendars = reader.calendars
        self._report = report
        self._failures = 0

    async def batch(self, queries: Sequence[Query], *, again: bool = False, tries: int = TRIES) -> None:
        """Reads the rooms of one batch.

        Args:
            queries: the rooms.
            again: whether the token was renewed for them already.
            tries: how many attempts are left, including this one.

        Raises:
            DriverError: the connection as a whole fails.
        """
        body = batch_request([self._calendars.path(query) for query in queries])
        await self._reader.budget.take(len(queries))
        async with self._reader.limit.slot() as number:
            asked_at = self._reader.now()
            outer = await self._ask(body)
        if isinstance(outer, DriverError):
            await self._not_answered(queries, outer, again=again)
        elif is_ok(outer):
            await self._answered(queries, outer, asked_at, number, again=again)
        else:
            await self._outer_failed(queries, outer, number, again=again, tries=tries)

    async def _ask(self, body: bytes) -> Reply | DriverError:
        """Returns the answer to a batch, or the error that concerns its rooms."""
        try:
            return await self._client.ask("POST", BATCH_PATH, body, CONTENT_TYPE)
        except (Unavailable, UnexpectedAnswer) as error:
            return error

    async def _answered(
        self, queries: Sequence[Query], outer: Reply, asked_at: datetime, number: int, *, again: bool
    ) -> None:
        """Handles the answer to a batch, part by part."""
        try:
            answer = parts_of(outer, self._client.rest_in)
        except Unavailable as error:
            self._all_failed(queries, error)
            return
        self._failures = 0
        answers: list[Answer] = []
        paged: list[FirstPage] = []
        refused: list[Query] = []
        errors: list[tuple[Query, Reply]] = []
        decode = self._calendars.answer
        for place, query in enumerate(queries):
            part = answer.parts.get(place)
            if part is None:
                answers.append(_missing(query, whole=answer.whole))
            elif is_ok(part):
                found = decode(query, part.body, asked_at)
                if isinstance(found, FirstPage):
                    paged.append(found)
                else:
                    answers.append(found)
            elif part.status == HTTPStatus.UNAUTHORIZED and not again:
                refused.append(query)
                errors.append((query, part))
            else:
                errors.append((query, part))
        self._report(*answers)
        renewed = bool(refused) and self._client.refused(outer)
        self._report_errors([e for e in errors if not renewed or e[0] not in refused], number)
        if renewed:
            await self.batch(refused, again=True)
        for first in paged:  # last, so that the other rooms do not wait for the pages
            self._report(await self._calendars.follow(first))

    def _report_errors(self, errors: Sequence[tuple[Query, Reply]], number: int) -> None:
        """Reports what single rooms failed with.

        Raises:
            DriverError: one of the errors concerns the connection.
        """
        throttled = 0
        everywhere: DriverError | None = None
        failures: list[Answer] = []
        for query, part in errors:
            meaning = self._client.meaning(part)
            throttled += meaning.row.reason is Reason.THROTTLED
            if meaning.row.everywhere:
                everywhere = meaning.error
            else:
                failures.append(Failed(query, meaning.row.reason, meaning.problem))
        self._report(*failures)
        if throttled > 1:  # one may be the limit of its calendar; several are the account's limit
            self._reader.was_throttled(number)
        else:
            self._reader.succeeded()
        if everywhere is not None:
            raise everywhere

    async def _outer_failed(
        self, queries: Sequence[Query], outer: Reply, number: int, *, again: bool, tries: int
    ) -> None:
        """Handles a batch that failed as a whole: a throttled one is repeated within the lowered limit.

        Raises:
            DriverError: the connection as a whole fails.
        """
        error = self._client.meaning(outer).error
        if not isinstance(error, Throttled):
            await self._not_answered(queries, error, again=again)
            return
        rest = error.problem.retry_after
        if rest is None:
            # Google asks for truncated exponential backoff with jitter.
            rest = 2.0 ** (TRIES - tries) * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        if rest > LONGEST_PAUSE:
            raise error
        if self._reader.was_throttled(number, rest):
            self._failed_again(error)
        if tries > 1:
            await self.batch(queries, again=again, tries=tries - 1)
        else:
            self._fail(queries, error)

    async def _not_answered(self, queries: Sequence[Query], error: DriverError, *, again: bool) -> None:
        """Handles a batch without an answer; a malformed one is halved, since one room may be the cause.

        Raises:
            DriverError: the connection as a whole fails.
        """
        if isinstance(error, Unavailable):
            self._all_failed(queries, error)
        elif not isinstance(error, UnexpectedAnswer):
            raise error
        elif len(queries) == 1:
            self._all_failed(queries, error)
        else:
            half = len(queries) // 2
            await self.batch(queries[:half], again=again)
            await self.batch(queries[half:], again=again)

    def _all_failed(self, queries: Sequence[Query], error: DriverError) -> None:
        self._fail(queries, error)
        self._failed_again(error)

    def _fail(self, queries: Sequence[Query], error: DriverError) -> None:
        self._report(*[failure_of(query, error) for query in queries])

    def _failed_again(self, error: DriverError) -> None:
        self._failures += 1
        if self._failures >= GIVE_UP_AFTER:
            raise error


def _missing(query: Query, *, whole: bool) -> Failed:
    """Returns the failure of a room that the answer lacks, perhaps since it was cut off."""
    if whole:
        return Failed(query, Reason.MALFORMED, Problem("", "no answer in the batch"))
    return Failed(query, Reason.UNAVAILABLE, Problem("", "the answer to the batch was cut off"))
