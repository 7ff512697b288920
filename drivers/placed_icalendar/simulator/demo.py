"""The simulated host of feeds for a demonstration: a living building, and the settings that lead to it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from placed_icalendar.simulator.feed_host.feed_building import build, building_of, life, settings_toml
from placed_icalendar.simulator.feed_host.feed_server import FeedHost
from placed_simulator.building_file import load_scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def demo(directory: Path, rooms: int | None = None) -> AsyncIterator[str]:
    """A host that lives while this is open; gives the `[[connections]]` table that leads to it.

    Args:
        directory: where the links and the CA file are put.
        rooms: a big, quiet building of so many rooms in place of the small and lively one.
    """
    scenario = load_scenario() if rooms is None else None
    publisher = building_of(rooms or 0) if scenario is None else build(scenario)
    async with FeedHost(publisher, directory=directory) as host:
        living = asyncio.create_task(life(publisher))
        try:
            yield settings_toml(host, directory, scenario)
        finally:
            living.cancel()
            with suppress(asyncio.CancelledError):
                await living
