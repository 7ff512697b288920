"""The CalDAV driver is what placed expects of a driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.driver.conformance import Conformance
from placed_icalendar.simulator.caldav_host import DavFault, Kind, Where
from tests.drivers.icalendar.caldav.caldav_setup import CalDavSetup, at

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from placed.driver.conformance import Service

ROOMS = ("boardroom", "library")


class CalDavService:
    """The simulated server, as the suite wants it."""

    kind = "caldav"

    def __init__(self, setup: CalDavSetup, **settings: Any) -> None:
        self._setup = setup
        fence = {"canaries": [setup.host.url_of_person("ada")]}
        self.driver = setup.open(fence=fence, **settings)
        for room in ROOMS:
            self.book(room, at(7), at(9))

    def now(self) -> datetime:
        return self._setup.clock()

    def book(self, address: str, start: datetime, end: datetime) -> None:
        self._setup.store.book(address, start, end)

    def spoil(self, address: str) -> None:
        self._setup.host.faults.add(
            DavFault(kind=Kind.EVENT, where=Where.CALENDAR, room=address, detail="BEGIN:VCALENDAR\r\n")
        )
        self._setup.store.calendar(address).revision += 1

    def take_down(self) -> None:
        self._setup.host.faults.add(DavFault(kind=Kind.DROP))

    def bring_back(self) -> None:
        self._setup.host.faults.clear()

    def refuse(self) -> None:
        self._setup.host.account.locked = True

    def accept(self) -> None:
        self._setup.host.account.locked = False

    def wait(self, length: timedelta) -> None:
        self._setup.clock.moment += length
        for room in ROOMS:
            if length.days:
                self.book(room, at(7) + length, at(9) + length)


class TestEveryCalendarOfTheHome(Conformance):
    """As it is without `calendars`."""

    @pytest.fixture
    def service(self, caldav_setup: CalDavSetup) -> Service:
        return CalDavService(caldav_setup)


class TestNamedCalendars(Conformance):
    """The rooms are named, and the server is found by its host."""

    @pytest.fixture
    def service(self, caldav_setup: CalDavSetup) -> Service:
        return CalDavService(caldav_setup, calendars=ROOMS, url=caldav_setup.host.url)


class TestWithoutTags(Conformance):
    """Each calendar is read each time, and recognized by its digest."""

    @pytest.fixture
    def service(self, caldav_setup: CalDavSetup) -> Service:
        service = CalDavService(caldav_setup)
        caldav_setup.host.faults.add(DavFault(kind=Kind.NO_TAG))
        return service
