"""A driver setup whose connection has actions, with a registration of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.microsoft365.booking.writer_setup import WriterSetup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.drivers.microsoft365.driver_setup import DriverSetup


@pytest.fixture
async def writer_setup(driver_setup: DriverSetup) -> AsyncIterator[WriterSetup]:
    tenant = driver_setup.tenant
    app = tenant.register_app(secrets=["wr1te"], roles=["Calendars.ReadWrite"], name="placed-actions")
    tenant.restrict(app, "placed-rooms")
    setup = WriterSetup(driver_setup, app)
    yield setup
    for writer in setup.writers:
        await writer.close()
