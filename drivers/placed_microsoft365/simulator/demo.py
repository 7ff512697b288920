"""The simulated tenant as a demonstration wants it: a living building, and the settings that lead to it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.client_certificate import make_client_certificate
from placed_microsoft365.simulator.connection_settings import actions_toml, fence_toml
from placed_microsoft365.simulator.scenario.building_loader import build, building_of
from placed_microsoft365.simulator.scenario.random_calendar_changes import life
from placed_microsoft365.simulator.server import Simulator
from placed_simulator.building_file import load_scenario

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from placed_microsoft365.simulator.tenant.app_access import App
    from placed_microsoft365.simulator.tenant.tenant import Tenant

ROLES = ("Calendars.Read", "Place.Read.All")
PANEL_ROOM = "willow"  # can be booked and checked in to at its panel; a meeting starts there a minute later
_WRITER_ROLES = ("Calendars.ReadWrite",)
_ACTIONS = ("check-in", "end", "extend", "book")
# Meetings count as checked in if they were booked late, and all of a demonstration are.
_CHECK_IN = """[connections.check_in]
from = "5m"
after = "5m"
[connections.no_show]
mode = "rehearse"
exempt = { booked_within = "0s" }
"""


@asynccontextmanager
async def demo(directory: Path, rooms: int | None = None) -> AsyncIterator[str]:
    """A tenant that lives while this is open; gives the `[[connections]]` tables that lead to it.

    Args:
        directory: where the credentials and the CA file are put.
        rooms: a big, quiet building of so many rooms in place of the small and lively one, in which a room
            has actions.
    """
    tenant = build(load_scenario()) if rooms is None else building_of(rooms)
    app, key_file = _register(tenant, directory, "demo", ROLES)
    group = next(group for group in tenant.groups.values() if not group.room_list)
    room_list = next(group for group in tenant.groups.values() if group.room_list)
    tenant.restrict(app, group)
    canaries = [mailbox.address for mailbox in tenant.mailboxes.values() if mailbox.room is None]
    fence = fence_toml("access-policy", canaries)
    apart = [] if rooms is not None else [tenant.address(PANEL_ROOM)]
    async with Simulator(tenant, directory=directory) as simulator:
        living = asyncio.create_task(life(tenant, apart=apart))
        tables = [simulator.settings_toml(app, certificate=key_file, room_list=room_list.address) + fence]
        for address in apart:
            del room_list.memberships[address]
            own = tenant.add_room_list("panel-rooms", rooms=[address])
            writer, writer_key = _register(tenant, directory, "demo-actions", _WRITER_ROLES)
            tenant.restrict(writer, tenant.add_group("placed-actions", members=[address]))
            actions = actions_toml(writer.client_id, allow=_ACTIONS, certificate=writer_key)
            table = simulator.settings_toml(app, name="panels", certificate=key_file, room_list=own.address)
            tables.append(table + fence + actions + _CHECK_IN)
        try:
            yield "\n".join(tables)
        finally:
            living.cancel()
            with suppress(asyncio.CancelledError):
                await living


def _register(tenant: Tenant, directory: Path, name: str, roles: tuple[str, ...]) -> tuple[App, Path]:
    """A registration with a certificate, and the certificate's file."""
    certificate = make_client_certificate()
    key_file = directory / f"{name}.pem"
    key_file.touch(mode=0o600)
    key_file.write_bytes(certificate)
    return tenant.register_app(certificates=[certificate], roles=roles, name=name), key_file
