"""The driver as placed finds it: the parts of one connection put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed_microsoft365 import directory, fence
from placed_microsoft365.calendars import Calendars
from placed_microsoft365.credential import load_credential
from placed_microsoft365.graph import Graph
from placed_microsoft365.pace import Pace
from placed_microsoft365.settings import Microsoft365Settings
from placed_microsoft365.tokens import TokenSource
from placed_microsoft365.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placed.driver import Answer, Fence, FoundRoom, Query, Surroundings


class Microsoft365:
    """One connection to Microsoft 365; implements `placed.driver.Driver`."""

    Settings = Microsoft365Settings

    def __init__(self, settings: Microsoft365Settings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._now = surroundings.now
        credential = load_credential(settings, surroundings.now())
        tokens = TokenSource(
            login_url=settings.login_url,
            tenant=settings.tenant,
            client_id=settings.client_id,
            credential=credential,
            scope=f"{settings.graph_url}/.default",
            ca_file=settings.ca_file,
            now=surroundings.now,
        )
        self._graph = Graph(
            settings.graph_url,
            tokens,
            ca_file=settings.ca_file,
            version=surroundings.version,
            now=surroundings.now,
        )
        self.pace = Pace(surroundings.concurrency)
        views = Views(self._graph, self.pace, details=surroundings.details)
        self._calendars = Calendars(self._graph, self.pace, views, surroundings.now)
        self.credential_expires_at = credential.expires_at

    @staticmethod
    def open(settings: Microsoft365Settings, surroundings: Surroundings) -> Microsoft365:
        """Opens a connection; see `placed.driver.DriverKind.open`."""
        return Microsoft365(settings, surroundings)

    async def find_rooms(self) -> Sequence[FoundRoom]:
        """See `placed.driver.Driver.find_rooms`."""
        return await directory.find_rooms(self._graph, self._settings)

    async def read(self, queries: Sequence[Query], answer: Callable[[Answer], None]) -> None:
        """See `placed.driver.Driver.read`."""
        await self._calendars.read(queries, answer)

    async def try_fence(self) -> Fence:
        """See `placed.driver.Driver.try_fence`."""
        return await fence.try_fence(self._graph, self._settings.fence, self._now())

    async def close(self) -> None:
        """See `placed.driver.Driver.close`."""
        await self._graph.close()
