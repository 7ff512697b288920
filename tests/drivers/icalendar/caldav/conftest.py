"""A CalDAV server with two rooms that are shared with the account of a connection, and two people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed_icalendar.simulator.caldav_host import BookingStore, CalDavHost
from tests.drivers.icalendar.caldav.caldav_setup import CalDavSetup, Clock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is on this machine, so a proxy of the environment is not used."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def caldav_setup(clock: Clock, tmp_path: Path) -> AsyncIterator[CalDavSetup]:
    store = BookingStore(clock)
    store.add_room("boardroom")
    store.add_room("library")
    store.add_person("ada")
    store.add_person("ben")
    async with CalDavHost(store) as host:
        for room in ("boardroom", "library"):
            host.account.share(room)
        setup = CalDavSetup(host, clock, tmp_path)
        try:
            yield setup
        finally:
            for driver in setup.drivers:
                await driver.close()
