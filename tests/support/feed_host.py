"""A simulated host of feeds beside a deployment, and a connection to it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from placed_icalendar.simulator.feed_host import FeedHost, Publisher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime


@asynccontextmanager
async def simulated_feeds(now: Callable[[], datetime], *rooms: str) -> AsyncIterator[FeedHost]:
    """A host that publishes these rooms; `feed_building.settings_toml` leads to it."""
    publisher = Publisher(now)
    for room in rooms:
        publisher.add_room(room)
    async with FeedHost(publisher) as host:
        yield host
