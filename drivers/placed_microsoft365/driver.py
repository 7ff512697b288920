"""The driver as placed finds it: the parts of one connection put together."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from placed.driver import Refused
from placed_microsoft365 import directory, fence
from placed_microsoft365.calendars import Calendars
from placed_microsoft365.credential import load_credential
from placed_microsoft365.graph import Graph
from placed_microsoft365.login import Registration, sign_in
from placed_microsoft365.pace import Pace
from placed_microsoft365.settings import Microsoft365Settings
from placed_microsoft365.tokens import TokenSource
from placed_microsoft365.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from placed.driver import Answer, Fence, FoundRoom, Query, Surroundings


class Microsoft365:
    """One connection to Microsoft 365; implements `placed.driver.Driver`."""

    Settings = Microsoft365Settings

    def __init__(self, settings: Microsoft365Settings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._now = surroundings.now
        credential = load_credential(settings, surroundings.now())
        registration = Registration(
            login_url=settings.login_url,
            tenant=settings.tenant,
            client_id=settings.client_id,
            credential=credential,
            scope=f"{settings.graph_url}/.default",
            ca_file=settings.ca_file,
        )
        self._graph = Graph(
            settings.graph_url,
            TokenSource(partial(sign_in, registration), surroundings.now),
            ca_file=settings.ca_file,
            version=surroundings.version,
            now=surroundings.now,
        )
        self.pace = Pace(surroundings.concurrency)
        self._views = Views(self._graph, self.pace, details=surroundings.details)
        self._calendars = Calendars(self._graph, self.pace, self._views, surroundings.now)
        self.credential_expires_at = credential.expires_at

    @staticmethod
    def open(settings: Microsoft365Settings, surroundings: Surroundings) -> Microsoft365:
        """Opens a connection; see `placed.driver.DriverKind.open`."""
        return Microsoft365(settings, surroundings)

    async def find_rooms(self) -> Sequence[FoundRoom]:
        """See `placed.driver.Driver.find_rooms`."""
        with self._forgetting():
            rooms = await directory.find_rooms(self._graph, self._settings)
        self._views.keep({room.mailbox for room in rooms})
        return rooms

    async def read(self, queries: Sequence[Query], answer: Callable[[Answer], None]) -> None:
        """See `placed.driver.Driver.read`."""
        with self._forgetting():
            await self._calendars.read(queries, answer)

    async def try_fence(self) -> Fence:
        """See `placed.driver.Driver.try_fence`."""
        with self._forgetting():
            return await fence.try_fence(self._graph, self._settings.fence, self._now())

    async def close(self) -> None:
        """See `placed.driver.Driver.close`."""
        await self._graph.close()

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """After a refusal nobody believes what was read before, so `Unchanged` would be no answer."""
        try:
            yield
        except Refused:
            self._views.keep(frozenset())
            raise
