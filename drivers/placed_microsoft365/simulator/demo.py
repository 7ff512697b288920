"""The simulated tenant as a demonstration wants it: a living building, and the settings that lead to it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.certificates import make_client_certificate
from placed_microsoft365.simulator.connection_settings import fence_toml
from placed_microsoft365.simulator.scenario.building_loader import build, building_of, load_scenario
from placed_microsoft365.simulator.scenario.random_calendar_changes import life
from placed_microsoft365.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

ROLES = ("Calendars.Read", "Place.Read.All")


@asynccontextmanager
async def demo(directory: Path, rooms: int | None = None) -> AsyncIterator[str]:
    """A tenant that lives while this is open; gives the `[[connections]]` table that leads to it.

    Args:
        directory: where the credential and the CA file are put.
        rooms: a big, quiet building of so many rooms in place of the small and lively one.
    """
    tenant = build(load_scenario()) if rooms is None else building_of(rooms)
    certificate = make_client_certificate()
    app = tenant.register_app(certificates=[certificate], roles=ROLES)
    group = next(group for group in tenant.groups.values() if not group.room_list)
    room_list = next(group for group in tenant.groups.values() if group.room_list)
    tenant.restrict(app, group)
    canaries = [mailbox.address for mailbox in tenant.mailboxes.values() if mailbox.room is None]
    key_file = directory / "demo.pem"
    key_file.touch(mode=0o600)
    key_file.write_bytes(certificate)
    async with Simulator(tenant, directory=directory) as simulator:
        living = asyncio.create_task(life(tenant))
        settings = simulator.settings_toml(app, certificate=key_file, room_list=room_list.address)
        try:
            yield settings + fence_toml("access-policy", canaries)
        finally:
            living.cancel()
            with suppress(asyncio.CancelledError):
                await living
