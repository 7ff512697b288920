"""The Microsoft 365 driver is what placed expects of a driver."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.driver.conformance import Conformance, CredentialExpiryConformance, FenceTrialConformance
from placed_microsoft365.simulator import Secret, Where
from tests.drivers.microsoft365.driver_with_simulator import ADA, ADDRESSES, CERTIFICATE, House, at
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from placed.driver.conformance import Service


class Microsoft365Service:
    """The simulated tenant, as the suite wants it."""

    kind = "microsoft365"

    def __init__(self, house: House, **settings: Any) -> None:
        self._house = house
        self._faults = house.tenant.faults
        self.driver = house.open(fence={"canaries": [ADA]}, **settings)
        for address in ADDRESSES:
            self.book(address, at(7), at(9))

    def now(self) -> datetime:
        return self._house.clock()

    def book(self, address: str, start: datetime, end: datetime) -> None:
        self._house.tenant.book(address, start, end)

    def spoil(self, address: str) -> None:
        self._faults.wrong_types(room=address)

    def take_down(self) -> None:
        self._faults.drop()
        self._faults.drop(where=Where.LOGIN)

    def bring_back(self) -> None:
        self._faults.clear()

    def refuse(self) -> None:
        self._house.app.certificates, self._certificates = [], self._house.app.certificates
        self._house.tenant.expire_secrets(self._house.app)
        self._house.tenant.expire_tokens(self._house.app)

    def accept(self) -> None:
        self._house.app.certificates = self._certificates
        self._house.app.secrets = [Secret("s3cret")]

    def wait(self, length: timedelta) -> None:
        self._house.clock.moment += length
        for address in ADDRESSES:
            if length.days:
                self._house.tenant.book(address, at(7) + length, at(9) + length)


class TestWithASecretAndAList(Conformance, FenceTrialConformance, CredentialExpiryConformance):
    """The least that can be configured."""

    @pytest.fixture
    def service(self, house: House) -> Service:
        return Microsoft365Service(house)

    async def test_its_rooms_have_mail_addresses(self, service: Service) -> None:
        assert all("@" in room.address for room in await service.driver.find_rooms())


class TestWithACertificateAndAGroup(Conformance, FenceTrialConformance, CredentialExpiryConformance):
    """What the documentation recommends."""

    @pytest.fixture
    def service(self, house: House) -> Service:
        file = house.folder / "placed.pem"
        write_secret(file, CERTIFICATE)
        house.tenant.restrict(house.app, "placed-rooms")
        return Microsoft365Service(
            house,
            client_secret_file=None,
            certificate=file,
            rooms=None,
            room_group="placed-rooms@contoso.example",
        )
