"""One box for all of these tests, with placed installed; a building; a fresh service for each test."""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.systemd.debian_container import Box
from tests.end_to_end.systemd.debian_image import NoBoxError
from tests.end_to_end.systemd.debian_package import build, install
from tests.end_to_end.systemd.host_mosquitto import mosquitto
from tests.end_to_end.systemd.systemd_service import Service
from tests.end_to_end.systemd.tenant_and_broker import Building

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Debian package, built once for all workers."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with (folder / "package.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return next((folder / "package").glob("placed_*.deb"), None) or build(folder / "package")


@pytest.fixture
def empty_box() -> Iterator[Box]:
    """A box in which nothing was installed yet."""
    yield from booted()


@pytest.fixture(scope="session")
def box(request: pytest.FixtureRequest) -> Iterator[Box]:
    """A box with placed, for all tests that leave it as it was."""
    for box in booted():
        install(box, request.getfixturevalue("package"))
        yield box


def booted() -> Iterator[Box]:
    with ExitStack() as stack:
        try:
            box = stack.enter_context(Box.booted())
        except NoBoxError as reason:
            pytest.skip(f"no box: {reason}")
        yield box


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
