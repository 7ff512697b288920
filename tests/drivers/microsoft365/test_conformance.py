"""The Microsoft 365 driver is what placed expects of a driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.driver.conformance import Conformance, CredentialExpiryConformance, FenceTrialConformance
from placed_microsoft365.simulator import Secret, Where
from tests.drivers.microsoft365.driver_setup import ADA, ADDRESSES, CERTIFICATE, DriverSetup, at
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from placed.driver.conformance import Service


class Microsoft365Service:
    """The simulated tenant, as the suite wants it."""

    kind = "microsoft365"

    def __init__(self, driver_setup: DriverSetup, **settings: Any) -> None:
        self._driver_setup = driver_setup
        self._faults = driver_setup.tenant.faults
        self.driver = driver_setup.open(fence={"canaries": [ADA]}, **settings)
        for address in ADDRESSES:
            self.book(address, at(7), at(9))

    def now(self) -> datetime:
        return self._driver_setup.clock()

    def book(self, address: str, start: datetime, end: datetime) -> None:
        self._driver_setup.tenant.book(address, start, end)

    def spoil(self, address: str) -> None:
        self._faults.wrong_types(room=address)

    def take_down(self) -> None:
        self._faults.drop()
        self._faults.drop(where=Where.LOGIN)

    def bring_back(self) -> None:
        self._faults.clear()

    def refuse(self) -> None:
        self._driver_setup.app.certificates, self._certificates = [], self._driver_setup.app.certificates
        self._driver_setup.tenant.expire_secrets(self._driver_setup.app)
        self._driver_setup.tenant.expire_tokens(self._driver_setup.app)

    def accept(self) -> None:
        self._driver_setup.app.certificates = self._certificates
        self._driver_setup.app.secrets = [Secret("s3cret")]

    def wait(self, length: timedelta) -> None:
        self._driver_setup.clock.moment += length
        for address in ADDRESSES:
            if length.days:
                self._driver_setup.tenant.book(address, at(7) + length, at(9) + length)


class TestWithASecretAndAList(Conformance, FenceTrialConformance, CredentialExpiryConformance):
    """The least that can be configured."""

    @pytest.fixture
    def service(self, driver_setup: DriverSetup) -> Service:
        return Microsoft365Service(driver_setup)

    async def test_its_rooms_have_mail_addresses(self, service: Service) -> None:
        assert all("@" in room.address for room in await service.driver.find_rooms())


class TestWithACertificateAndAGroup(Conformance, FenceTrialConformance, CredentialExpiryConformance):
    """What the documentation recommends."""

    @pytest.fixture
    def service(self, driver_setup: DriverSetup) -> Service:
        file = driver_setup.folder / "placed.pem"
        write_secret(file, CERTIFICATE)
        driver_setup.tenant.restrict(driver_setup.app, "placed-rooms")
        return Microsoft365Service(
            driver_setup,
            client_secret_file=None,
            certificate=file,
            rooms=None,
            room_group="placed-rooms@contoso.example",
        )
