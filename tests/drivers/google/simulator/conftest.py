"""A small Workspace with a clock of its own, and clients that trust it."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed_google.simulator import Role, ServiceAccount, SimRoom, Simulator, Workspace, make_private_key
from tests.drivers.google.simulator.google_client import GoogleClient
from tests.drivers.google.simulator.plain_client import PlainClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

KEY = make_private_key()
BOARDROOM = "c_188boardroom@resource.calendar.google.com"
LIBRARY = "c_188library@resource.calendar.google.com"


class Clock:
    """A clock that stands still until it is advanced."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 12, 2, 7, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **length: float) -> None:
        self.moment += timedelta(**length)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulator is on this machine, so a proxy of the environment is not used."""
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(clock: Clock) -> Workspace:
    """Two rooms and two people."""
    workspace = Workspace(domain="fabrikam.example", now=clock)
    workspace.token_clock = lambda: datetime.now(UTC)  # what signs in here goes by the machine's clock
    workspace.add_room(
        "Boardroom", address=BOARDROOM, building="HQ", floor="3", capacity=12, zone="Europe/Berlin"
    )
    workspace.add_room("Library", address=LIBRARY, building="HQ", floor="1", capacity=4)
    workspace.add_person("ada", name="Ada Example")
    workspace.add_person("ben", name="Ben Sample")
    return workspace


@pytest.fixture
def boardroom(workspace: Workspace) -> SimRoom:
    return workspace.resources[BOARDROOM]


@pytest.fixture
def account(workspace: Workspace) -> ServiceAccount:
    """A service account with which both rooms are shared."""
    account = workspace.add_service_account("placed")
    workspace.share_rooms(account, Role.READER)
    return account


@pytest.fixture
async def simulator(workspace: Workspace) -> AsyncIterator[Simulator]:
    async with Simulator(workspace) as simulator:
        yield simulator


@pytest.fixture
def key_file(simulator: Simulator, account: ServiceAccount) -> str:
    return simulator.make_key(account, KEY)


@pytest.fixture
async def client(simulator: Simulator, account: ServiceAccount) -> AsyncIterator[PlainClient]:
    """A client that has a token for reading events."""
    context = ssl.create_default_context(cafile=str(simulator.ca_file))
    async with PlainClient(simulator, account, context) as client:
        yield client


@pytest.fixture
def google(simulator: Simulator, key_file: str) -> Iterator[GoogleClient]:
    """Google's own library, as the service account itself."""
    with GoogleClient(simulator, key_file) as client:
        yield client
