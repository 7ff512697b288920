"""The service account of actions, with which the rooms are shared for changes; the reading one is another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed_google.simulator import Role
from tests.drivers.google.booking.writer_setup import WriterSetup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.drivers.google.driver_setup import DriverSetup


@pytest.fixture
async def writer_setup(driver_setup: DriverSetup) -> AsyncIterator[WriterSetup]:
    account = driver_setup.workspace.add_service_account("placed-actions")
    driver_setup.workspace.share_rooms(account, Role.WRITER)
    setup = WriterSetup(driver_setup, account)
    yield setup
    for writer in setup.writers:
        await writer.close()
