"""The connections that are polled: begun, ended and replaced one by one while the others go on."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from placed.domain.connection_health import ConnectionState
from placed.domain.exit_errors import CannotStart
from placed.driver import Refused
from placed.runtime.connections import breach, refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed.board.board import Board
    from placed.domain.task_heartbeat import TaskHeartbeat
    from placed.polling.poller import Poller
    from placed.runtime.connections import Connection, Origin
    from placed.runtime.prepared_configuration import Prepared
    from placed.runtime.replaceable_tasks import ReplaceableTasks
    from placed.settings.schema import Settings


class PolledConnections:
    """All connections of the settings.

    Args:
        make: makes a connection by its name, with a poller that has not begun.
        board: where readings go.
        heartbeats: of all tasks; those of pollers that end are taken out.
        prepared: what it begins with.
        last_words: waits until it is published that everything is unknown.

    Attributes:
        by_name: the connections.
        pollers: theirs, always in the same list.
        let_in: set while the first round is over and not every connection was refused.
    """

    def __init__(
        self,
        make: Callable[[str, Prepared], Connection],
        board: Board,
        heartbeats: list[TaskHeartbeat],
        prepared: Prepared,
        last_words: Callable[[], Awaitable[None]],
    ) -> None:
        self._make = make
        self._board = board
        self._heartbeats = heartbeats
        self._last_words = last_words
        self.by_name = {name: make(name, prepared) for name in prepared.origins}
        self.pollers: list[Poller] = [connection.poller for connection in self.by_name.values()]
        self.let_in = asyncio.Event()

    @property
    def read(self) -> dict[str, Origin]:
        """What the connections that are read now were opened from, by name."""
        return {
            name: connection.origin
            for name, connection in self.by_name.items()
            if connection.poller.health.state is ConnectionState.OK
        }

    def recall(self, *, believable: bool) -> bool:
        """States what the run before knew of the rooms; whether something was known of every connection."""
        recalled = [poller.recall(believable=believable) for poller in self.pollers]
        return all(recalled)

    def hurry(self) -> None:
        """Tries at once what failed."""
        for poller in self.pollers:
            poller.hurry()

    def read_again(self) -> None:
        """Reads all rooms at once."""
        for poller in self.pollers:
            poller.read_again()

    async def close(self) -> None:
        """Closes every driver and every writer."""
        for connection in self.by_name.values():
            await connection.close()

    # --- polling ---

    def start(self, tasks: ReplaceableTasks, progress: Callable[[int, int], None]) -> None:
        """Polls from now on; `progress` is called with the answers and rooms of the first round."""

        def report() -> None:
            progress(sum(p.answered for p in self.pollers), sum(p.rooms for p in self.pollers))

        for connection in self.by_name.values():
            connection.poller.progress = report
            self._begin(connection, tasks)
        tasks.begin("first round", self._require_one)

    async def change(
        self, before: Settings, to: Prepared, tasks: ReplaceableTasks, *, patient: bool, believable: bool
    ) -> None:
        """Polls by other settings: ends, begins and replaces connections that differ, and only those."""
        settings = to.settings
        gone = self.by_name.keys() - to.origins.keys()
        for name in (gone | to.drivers.keys()) & self.by_name.keys():
            connection = self.by_name.pop(name)
            await tasks.end(connection.heartbeat.name)
            await tasks.end(_fence_task(connection))
            self._heartbeats.remove(connection.heartbeat)
            await connection.close()
            if name in gone:
                self._board.drop_connection(name)
        if _polling(before) != _polling(settings) or before.rooms != settings.rooms:
            for connection in self.by_name.values():
                connection.poller.change(settings.polling, settings.longest_interval)
        for name in to.drivers:
            self.by_name[name] = connection = self._make(name, to)
            connection.poller.recall(believable=believable)
            self._begin(connection, tasks)
        self.by_name = {name: self.by_name[name] for name in to.origins}
        self.pollers[:] = [connection.poller for connection in self.by_name.values()]
        if gone or to.drivers:
            self.let_in.clear()
            await tasks.end("first round")
            tasks.begin("first round", partial(self._require_one, patient=patient))

    def _begin(self, connection: Connection, tasks: ReplaceableTasks) -> None:
        tasks.begin(connection.heartbeat.name, partial(self._poll, connection))
        fence = connection.actions.fence
        if fence is not None:
            tasks.begin(_fence_task(connection), fence.run)

    async def _poll(self, connection: Connection) -> None:
        """Polls until the fence is breached.

        Raises:
            CannotStart: the fence of every connection is breached.
        """
        await connection.poller.run()
        if all(poller.health.state is ConnectionState.BREACHED for poller in self.pollers):
            await self._last_words()
            raise CannotStart(*(breach(p.health.name, p.health.fence) for p in self.pollers))

    async def _require_one(self, *, patient: bool = False) -> None:
        """After the first round: where every connection is refused for good, only a person can help.

        Args:
            patient: whether that is waited out.

        Raises:
            CannotStart: every connection is refused.
        """
        pollers = list(self.pollers)
        for poller in pollers:
            await poller.first.wait()
        for poller in pollers:
            poller.progress = None
        refused = [refusal(p.health.name, p.problem) for p in pollers if isinstance(p.problem, Refused)]
        if len(refused) == len(pollers) and not patient:
            raise CannotStart(*refused)
        self.let_in.set()


def _polling(settings: Settings) -> tuple[object, ...]:
    """What pollers go by."""
    return settings.polling, settings.longest_interval if settings.polling.budget is not None else None


def _fence_task(connection: Connection) -> str:
    return f"fence of what writes to {connection.origin.settings.name}"
