"""Reads within the budget: in full where it suffices, else free/busy first and then what has to be read."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from placed.driver import DriverError, Failed, NotPermitted, Refused, StillHolds
from placed.driver.parallel_reading import failure_of
from placed_google.api.reply import Reply
from placed_google.calendars.pace import free_busy_reading, full_reading
from placed_google.calendars.request_budget import MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from placed.driver import Answer, Query
    from placed.driver.parallel_reading import Report
    from placed_google.calendars.batch_reader import BatchReader
    from placed_google.calendars.change_detector import ChangeDetector
    from placed_google.calendars.free_busy_reader import FreeBusyReader, Look

PATIENCE = 10.0  # seconds; a longer wait for the budget shows that full readings exceed it
_MANY = 0.4  # of the budget in one reading: full readings exceed it twice a minute
_SHORT_FOR = 10 * MINUTE  # seconds for which free/busy is asked for after the budget was too small
_REFUSED_FOR = 3600.0  # seconds
_NOT_FOUND = "notFound"
_NOT_FOUND_REPLY = Reply(
    HTTPStatus.NOT_FOUND, None, json.dumps({"error": {"errors": [{"reason": _NOT_FOUND}]}}).encode()
)

log = logging.getLogger(__name__)


class PacedReader:
    """Reads the calendars of one connection's rooms.

    Args:
        full: reads calendars in full.
        free_busy: asks for free/busy.
        detector: knows which free/busy belongs to which reading.
        time: seconds of a monotonic clock.
    """

    def __init__(
        self,
        full: BatchReader,
        free_busy: FreeBusyReader,
        detector: ChangeDetector,
        time: Callable[[], float],
    ) -> None:
        self._full = full
        self._free_busy = free_busy
        self._detector = detector
        self._time = time
        self._short_until = 0.0
        self._refused_until = 0.0  # free/busy

    def shortest_interval(self, rooms: int) -> float:
        """Returns the seconds in which so many rooms can be read."""
        most = self._full.budget.most
        full = full_reading(rooms, most)
        return full if self._time() < self._refused_until else min(full, free_busy_reading(rooms, most))

    def keep(self, mailboxes: AbstractSet[str]) -> None:
        """Forgets all other calendars."""
        self._detector.keep(mailboxes)

    def forget(self) -> None:
        """Every calendar has to be read in full."""
        self._detector.forget()

    async def read(self, queries: Sequence[Query], report: Report) -> None:
        """Reads all rooms; see `BatchReader.read`."""
        looks = await self._looks(queries) if self._is_short(len(queries)) else {}

        def take(*answers: Answer) -> None:
            self._detector.were_read(answers, looks)
            report(*answers)

        if not looks:
            await self._full.read(queries, take)
            return
        failures = [self._failure(query, looks[query.room.mailbox]) for query in queries]
        report(*[failed for failed in failures if failed is not None])
        rest = [query for query, failed in zip(queries, failures, strict=True) if failed is None]
        choice = self._detector.choose(rest, looks, self._full.budget.left)
        report(*[StillHolds(query, looks[query.room.mailbox].asked_at) for query in choice.same])
        await self._full.read(choice.full, take)

    def _is_short(self, rooms: int) -> bool:
        """Returns whether the budget is too small for full readings."""
        if self._time() < self._refused_until:
            return False
        budget = self._full.budget
        if rooms > budget.most * _MANY or budget.wait_for(rooms) > PATIENCE:
            self._short_until = self._time() + _SHORT_FOR
        return self._time() < self._short_until

    async def _looks(self, queries: Sequence[Query]) -> Mapping[str, Look]:
        """Returns free/busy; none if it is refused, so that only full readings are left."""
        try:
            return await self._free_busy.look(queries)
        except (NotPermitted, Refused) as error:
            log.warning("free/busy is refused, so every calendar is read in full: %s", error)
            self._refused_until = self._time() + _REFUSED_FOR
            return {}

    def _failure(self, query: Query, look: Look) -> Failed | None:
        """Returns the failure of a room whose calendar is not shared, or was not answered for."""
        if isinstance(look.error, DriverError):
            return failure_of(query, look.error)
        if look.error == _NOT_FOUND:
            meaning = self._full.client.meaning(_NOT_FOUND_REPLY)
            return Failed(query, meaning.row.reason, meaning.problem)
        return None
