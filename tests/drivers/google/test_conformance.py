"""The Google driver is what placed expects of a driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.driver.conformance import Conformance, CredentialExpiryConformance, FenceTrialConformance
from placed_google.calendars import change_detector, paced_reader
from placed_google.simulator import Where
from tests.drivers.google.driver_setup import ADA, BOARDROOM, LIBRARY, at

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from placed.driver.conformance import Service
from tests.drivers.google.driver_setup import DriverSetup


class GoogleService:
    """The simulated Workspace, as the suite wants it."""

    kind = "google"

    def __init__(self, driver_setup: DriverSetup, **settings: Any) -> None:
        self._driver_setup = driver_setup
        self._workspace = driver_setup.workspace
        self.driver = driver_setup.open(fence={"canaries": [ADA]}, **settings)
        for address in (BOARDROOM, LIBRARY):
            self.book(address, at(7), at(9))

    def now(self) -> datetime:
        return self._driver_setup.clock()

    def book(self, address: str, start: datetime, end: datetime) -> None:
        self._workspace.book(address, start, end)

    def spoil(self, address: str) -> None:
        self._workspace.faults.bad_event(room=address)

    def take_down(self) -> None:
        self._workspace.faults.drop()
        self._workspace.faults.drop(where=Where.TOKEN)

    def bring_back(self) -> None:
        self._workspace.faults.clear()

    def refuse(self) -> None:
        self._driver_setup.account.disabled = True

    def accept(self) -> None:
        self._driver_setup.account.disabled = False

    def wait(self, length: timedelta) -> None:
        self._driver_setup.clock.moment += length
        for address in (BOARDROOM, LIBRARY):
            if length.days:
                self._workspace.book(address, at(7) + length, at(9) + length)


class TestWithAList(Conformance, FenceTrialConformance, CredentialExpiryConformance):
    """Listed rooms, which needs no right in the directory."""

    @pytest.fixture
    def service(self, driver_setup: DriverSetup) -> Service:
        return GoogleService(driver_setup)


class TestWithTheDirectory(Conformance, FenceTrialConformance, CredentialExpiryConformance):
    """All rooms of the organisation."""

    @pytest.fixture
    def service(self, driver_setup: DriverSetup) -> Service:
        driver_setup.account.reads_directory = True
        return GoogleService(driver_setup, rooms=None, customer=driver_setup.workspace.customer_id)


class TestByFreeBusy(Conformance):
    """With fewer requests than rooms, so that free/busy shows which calendars are read."""

    @pytest.fixture
    def service(self, driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch) -> Service:
        monkeypatch.setattr(paced_reader, "_MANY", 0.0)
        monkeypatch.setattr(change_detector, "_RESERVE", 1.0)
        return GoogleService(driver_setup)
