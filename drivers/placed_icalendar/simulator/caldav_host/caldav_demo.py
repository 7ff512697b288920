"""The simulated CalDAV server for a demonstration: a living building, and the settings that lead to it."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from placed_icalendar.simulator.bookings.booking_store import BookingStore
from placed_icalendar.simulator.bookings.store_building import furnish, furnish_big, life
from placed_icalendar.simulator.caldav_host.dav_server import CalDavHost
from placed_simulator.building_file import load_scenario
from placed_simulator.command_line import write_private

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from placed_simulator.building_file import Scenario

NAME = "calendars"


@asynccontextmanager
async def demo(directory: Path, rooms: int | None = None) -> AsyncIterator[str]:
    """A server that lives while this is open; gives the `[[connections]]` table that leads to it.

    Args:
        directory: where the password and the CA file are put.
        rooms: a big, quiet building of so many rooms in place of the small and lively one.
    """
    store = BookingStore()
    scenario = load_scenario() if rooms is None else None
    if scenario is None:
        furnish_big(store, rooms or 0)
    else:
        furnish(store, scenario)
    async with CalDavHost(store, directory=directory) as host:
        living = asyncio.create_task(life(store))
        try:
            yield let_in(host, directory, scenario)
        finally:
            living.cancel()
            with suppress(asyncio.CancelledError):
                await living


def let_in(host: CalDavHost, folder: Path, scenario: Scenario | None = None, name: str = NAME) -> str:
    """Shares all rooms with the account, writes its password into the folder, and returns the settings.

    With a scenario, tables of the rooms follow, since CalDAV has no building, floor and capacity.
    """
    for room in host.store.rooms():
        host.account.share(room.name)
    password = folder / "placed-password"
    write_private(password, host.account.password.encode())
    people = [one.name for one in host.store.calendars.values() if one.person]
    values = {
        "name": name,
        "driver": "caldav",
        "url": host.url,
        "username": host.account.user,
        "password_file": str(password),
        "ca_file": str(host.ca_file),
    }
    lines = ["[[connections]]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    lines.append("[connections.fence]")
    lines.append(f"canaries = {json.dumps([host.url_of_person(person) for person in people])}")
    for place in () if scenario is None else scenario.rooms:
        lines.append(f"[rooms.{json.dumps(place.mailbox)}]")
        known = {"building": place.building, "capacity": place.capacity}
        known["floor"] = None if place.floor is None else str(place.floor)
        lines += [f"{key} = {json.dumps(value)}" for key, value in known.items() if value is not None]
    return "\n".join([*lines, ""])
