"""A simulated CalDAV server beside a deployment, and connections to it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from placed_icalendar.simulator.caldav_host import BookingStore, CalDavHost
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from datetime import datetime
    from pathlib import Path


@asynccontextmanager
async def simulated_calendars(now: Callable[[], datetime], *rooms: str) -> AsyncIterator[CalDavHost]:
    """A server with these rooms, which are shared with its account, and a person."""
    store = BookingStore(now)
    async with CalDavHost(store) as host:
        for room in rooms:
            store.add_room(room)
            host.account.share(room)
        store.add_person("ada")
        yield host


def calendars_toml(
    host: CalDavHost, folder: Path, *, name: str = "calendars", rooms: Iterable[str] = (), more: str = ""
) -> str:
    """A table of a connection to the account's home; `rooms` are those of `calendars`."""
    password = folder / f"{name}.password"
    write_secret(password, host.account.password)
    keys = {
        "name": name,
        "driver": "caldav",
        "url": host.url,
        "username": host.account.user,
        "password_file": str(password),
        "ca_file": str(host.ca_file),
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    chosen = list(rooms)
    if chosen:
        lines.append(f"calendars = {json.dumps(chosen)}")
    fence = f"[connections.fence]\ncanaries = {json.dumps([host.url_of_person('ada')])}\n"
    return "\n".join(["[[connections]]", *lines, more, fence])
