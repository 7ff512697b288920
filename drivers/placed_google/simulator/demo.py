"""The simulated Workspace for a demonstration: a living building, and the settings that lead to it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from placed_google.simulator.scenario.daemon_access import let_in
from placed_google.simulator.scenario.workspace_building import build, building_of, life
from placed_google.simulator.server import Simulator
from placed_simulator.building_file import load_scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def demo(directory: Path, rooms: int | None = None) -> AsyncIterator[str]:
    """A Workspace that lives while this is open; gives the `[[connections]]` table that leads to it.

    Args:
        directory: where the key and the CA file are put.
        rooms: a big, quiet building of so many rooms in place of the small and lively one.
    """
    workspace = build(load_scenario()) if rooms is None else building_of(rooms)
    async with Simulator(workspace, directory=directory) as simulator:
        living = asyncio.create_task(life(workspace))
        try:
            yield let_in(simulator, directory)
        finally:
            living.cancel()
            with suppress(asyncio.CancelledError):
                await living
