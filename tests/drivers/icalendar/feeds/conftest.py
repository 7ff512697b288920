"""A host of feeds with two rooms, and a driver's settings that lead to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed_icalendar.simulator.feed_host import FeedHost, Publisher
from tests.drivers.icalendar.feeds.feed_setup import BOARDROOM, LIBRARY, Clock, FeedSetup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host is on this machine, so a proxy of the environment is not used."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def feed_setup(clock: Clock, tmp_path: Path) -> AsyncIterator[FeedSetup]:
    publisher = Publisher(now=clock)
    for address in (BOARDROOM, LIBRARY):
        publisher.add_room(address)
    async with FeedHost(publisher) as host:
        setup = FeedSetup(host, clock, tmp_path)
        try:
            yield setup
        finally:
            for driver in setup.drivers:
                await driver.close()
