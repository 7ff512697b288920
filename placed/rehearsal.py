"""Tries a changed configuration in earnest, before the daemon that runs gives way to it.

What can be told from files is told when a daemon is made. That a credential is refused or a port is taken
only shows when it is used, and then it would be too late to go back.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from placed.driver import DriverError, FenceState, Query, Refused
from placed.errors import CannotStart
from placed.http import entrance, listening
from placed.model import window
from placed.opening import breach, open_drivers, refusal
from placed.rooms import RoomBook

if TYPE_CHECKING:
    from placed.configuration import Configuration
    from placed.daemon import Around
    from placed.driver import ConnectionSettings, Driver
    from placed.settings import Http, Settings

_PATIENCE = 20.0  # seconds for all connections; who does not answer in time is not refused


async def rehearse(configuration: Configuration, around: Around, running: Settings) -> None:
    """Signs in, tries the fence and reads a room with every connection, and tries the port if it is another.

    Raises:
        CannotStart: it would not start with this configuration.
    """
    settings = configuration.settings
    await _try_port(settings.http, running.http)
    drivers = open_drivers(configuration, around.clock.now, around.version)
    try:
        refusals = await asyncio.gather(
            *(
                _try_connection(settings, connection, driver, around)
                for connection, driver in zip(settings.connections, drivers, strict=True)
            )
        )
    finally:
        for driver in drivers:
            await driver.close()
    if all(refusals):
        raise CannotStart(*(problem for problem in refusals if problem))


async def _try_connection(
    settings: Settings, connection: ConnectionSettings, driver: Driver, around: Around
) -> str | None:
    """Why it is refused for good; None if it is not, or not yet known."""
    try:
        async with asyncio.timeout(_PATIENCE):
            fence = await driver.try_fence()
            if fence.state is FenceState.BREACHED and fence.enforce:
                return breach(connection.name)
            found = await driver.find_rooms()
            rooms = RoomBook(settings.rooms).rooms(connection.name, connection.time_zone, found)[:1]
            now, days = around.clock.now(), settings.polling.days_ahead
            queries = [Query(room, *window(now, room.time_zone, days)) for room in rooms]
            await driver.read(queries, lambda _answer: None)
    except Refused as error:
        return refusal(connection.name, error)
    except (DriverError, TimeoutError):
        return None
    return None


async def _try_port(wanted: Http, taken: Http) -> None:
    if not wanted.listen:
        return
    address = listening.parse(wanted.listen)
    if taken.listen and listening.parse(taken.listen).port == address.port:
        return  # it is ours
    await entrance.try_out(wanted.listen)
