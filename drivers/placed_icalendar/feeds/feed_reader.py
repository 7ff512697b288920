"""Reads all feeds of a connection side by side; a host is asked for one at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed.domain.model import Reason
from placed.driver import DriverError, Failed, NotPermitted, Problem, Refused
from placed_icalendar.feeds.answer_errors import NEW_LINK
from placed_icalendar.feeds.room_feed import RoomFeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from placed.driver import Answer, Query
    from placed_icalendar.feeds.feed import Feed
    from placed_icalendar.feeds.room_feed import Means

_FEWEST = 2  # feeds; of a single one that is not found the link has changed
_OF_ALL = frozenset({Reason.REFUSED, Reason.NOT_FOUND})  # the connection's, if every feed answers so


class FeedReader:
    """The feeds of one connection.

    Args:
        feeds: all of them.
        means: what they are read with.
    """

    def __init__(self, feeds: Iterable[Feed], means: Means) -> None:
        self._feeds = {feed.mailbox: RoomFeed(feed, means) for feed in feeds}

    @property
    def readable(self) -> bool:
        """Whether one of them could be read when it was asked last."""
        return any(feed.was_read for feed in self._feeds.values())

    def zone_of(self, mailbox: str) -> str | None:
        """Returns the time zone that a feed states as its own, if it was read and stated one."""
        feed = self._feeds.get(mailbox)
        return None if feed is None else feed.zone

    def forget(self) -> None:
        """What was read is not known any more."""
        for feed in self._feeds.values():
            feed.forget()

    async def close(self) -> None:
        """Ends what is under way."""
        for feed in self._feeds.values():
            await feed.close()

    async def read(self, queries: Sequence[Query], answer: Callable[[Answer], None]) -> None:
        """Reads the rooms; see `placed.driver.Driver.read`.

        What may be the fault of the connection as a whole is held back until every room has answered.

        Raises:
            Refused: no feed accepts its login.
            NotPermitted: no feed is found.
        """
        held: list[Failed] = []

        async def read(query: Query) -> None:
            found = await self._read(query)
            if isinstance(found, Failed) and found.reason in _OF_ALL:
                held.append(found)
            else:
                answer(found)

        async with asyncio.TaskGroup() as group:
            for query in queries:
                group.create_task(read(query))
        if held and len(held) == len(queries) and (error := self._error(held[0].problem)) is not None:
            self.forget()
            raise error
        for failed in held:
            answer(failed)

    async def _read(self, query: Query) -> Answer:
        feed = self._feeds.get(query.room.mailbox)
        if feed is None:
            problem = Problem("", "no feed of the settings is of this room", "add it to the feeds")
            return Failed(query, Reason.NOT_FOUND, problem)
        return await feed.read(query)

    def _error(self, problem: Problem) -> DriverError | None:
        """The error of the connection, if all feeds failed alike when they were asked last."""
        reasons = {feed.reason for feed in self._feeds.values()}
        number = len(self._feeds)
        if reasons == {Reason.REFUSED}:
            return Refused(problem.text, remedy=problem.remedy, retry_after=problem.retry_after)
        if reasons == {Reason.NOT_FOUND} and number >= _FEWEST:
            return NotPermitted(f"none of the {number} feeds is found: {problem.text}", remedy=NEW_LINK)
        return None
