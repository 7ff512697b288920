"""One box for all of these tests, with placed installed; a building; a fresh service for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.systemd.box import Box
from tests.systemd.broker import mosquitto
from tests.systemd.building import Building
from tests.systemd.image import NoBoxError
from tests.systemd.service import Service
from tests.systemd.wheels import install

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    try:
        booting = Box.booted()
        booted = booting.__enter__()
    except NoBoxError as reason:
        pytest.skip(f"no box: {reason}")
    try:
        install(booted, tmp_path_factory.mktemp("wheels"))
        yield booted
    finally:
        booting.__exit__(None, None, None)


@pytest.fixture
def building() -> Iterator[Building]:
    with Building.open() as building:
        yield building


@pytest.fixture
def broker(building: Building, tmp_path: Path) -> Iterator[int]:
    """The port of the building's broker, which runs."""
    with mosquitto(tmp_path, building.broker_port):
        yield building.broker_port


@pytest.fixture
def service(box: Box, building: Building) -> Iterator[Service]:
    """The service, stopped, without any configuration; it is gone before the building is."""
    del building
    with Service(box) as service:
        yield service
