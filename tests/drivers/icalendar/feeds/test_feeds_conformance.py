"""The driver of feeds is what placed expects of a driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.driver.conformance import Conformance
from placed_icalendar.simulator.feed_host import Fault, Kind
from tests.drivers.icalendar.feeds.feed_setup import BOARDROOM, LIBRARY, FeedSetup, at

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from placed.driver.conformance import Service


class FeedService:
    """The simulated host of feeds, as the suite wants it."""

    kind = "icalendar"

    def __init__(self, feed_setup: FeedSetup, **service: Any) -> None:
        self._setup = feed_setup
        self._publisher = feed_setup.publisher
        for address in (BOARDROOM, LIBRARY):
            self._publisher.serve(address, **service)
            self.book(address, at(7), at(9))
        self.driver = feed_setup.open()

    def now(self) -> datetime:
        return self._setup.clock()

    def book(self, address: str, start: datetime, end: datetime) -> None:
        self._publisher.book(address, start, end)

    def spoil(self, address: str) -> None:
        self._publisher.faults.add(Fault(kind=Kind.SHORT, room=address))

    def take_down(self) -> None:
        self._publisher.faults.add(Fault(kind=Kind.DROP))

    def bring_back(self) -> None:
        self._publisher.faults.clear()

    def refuse(self) -> None:
        self._publisher.faults.add(Fault(kind=Kind.LOGIN))

    def accept(self) -> None:
        self._publisher.faults.clear()

    def wait(self, length: timedelta) -> None:
        self._setup.clock.moment += length
        if length.days:
            for address in (BOARDROOM, LIBRARY):
                self._publisher.book(address, at(7) + length, at(9) + length)


class TestWithETags(Conformance):
    """A host that answers conditional requests."""

    @pytest.fixture
    def service(self, feed_setup: FeedSetup) -> Service:
        return FeedService(feed_setup)


class TestWithoutValidators(Conformance):
    """A host that sends the whole text each time, with another DTSTAMP."""

    @pytest.fixture
    def service(self, feed_setup: FeedSetup) -> Service:
        return FeedService(feed_setup, etag="none", stamped=True)
