"""One request for a feed: it goes on while nobody waits for it any more, within its time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed.driver import DriverError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.driver.network.http_session import HttpResponse
    from placed_icalendar.feeds.answer_errors import RoomTrouble
    from placed_icalendar.feeds.feed import Feed
    from placed_icalendar.feeds.feed_client import FeedClient
    from placed_icalendar.feeds.host_turns import HostTurns
    from placed_icalendar.feeds.last_reading import LastReading


class Download:
    """The request.

    Args:
        feed: what is asked for.
        since: the reading since which it may not have changed; None if it is asked for as a whole.
        client: asks.
        turns: of the hosts.
        now: the program's clock.
        hindrance: is asked when it is the request's turn; if there is one, nothing is sent.
        heard: is called with the answer, before the turn ends.

    Attributes:
        asked_at: when the request left; None if it has not, or was not sent at all.
        overtaken: whether it took long.
    """

    def __init__(  # noqa: PLR0913 - what a request needs
        self,
        feed: Feed,
        since: LastReading | None,
        client: FeedClient,
        turns: HostTurns,
        *,
        now: Callable[[], datetime],
        hindrance: Callable[[], RoomTrouble | None],
        heard: Callable[[HttpResponse], None],
    ) -> None:
        self.since = since
        self.asked_at: datetime | None = None
        self.overtaken = False
        self._feed = feed
        self._client = client
        self._turns = turns
        self._now = now
        self._hindrance = hindrance
        self._heard = heard
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(lambda _: self._news.set())

    @property
    def done(self) -> bool:
        """Whether there is an answer, or an error."""
        return self._task.done()

    async def wait(self, *, patient: bool) -> bool:
        """Waits for the end; returns whether it has come.

        Args:
            patient: whether it is waited for although it takes long, unless the host is stuck.
        """
        while not self.done:
            if self.overtaken and (not patient or self._turns.is_stuck(self._feed.url.host)):
                return False
            self._news.clear()
            await self._news.wait()
        return True

    def result(self) -> HttpResponse | DriverError | RoomTrouble:
        """The answer, or why there is none; only if it is done."""
        return self._task.result()

    def abort(self) -> None:
        """Nobody wants the answer any more."""
        self._task.cancel()

    async def cancel(self) -> None:
        """Ends it, and waits for the end."""
        self.abort()
        await asyncio.wait([self._task])

    async def _run(self) -> HttpResponse | DriverError | RoomTrouble:
        async with self._turns.turn(self._feed.url.host, self._overtake):
            hindrance = self._hindrance()
            if hindrance is not None:
                return hindrance
            self.asked_at = self._now()
            headers = {} if self.since is None else self.since.validators.headers
            try:
                answer = await self._client.get(self._feed.url, self._feed.login, headers)
            except DriverError as error:
                return error
            self._heard(answer)
            return answer

    def _overtake(self) -> None:
        self.overtaken = True
        self._news.set()
