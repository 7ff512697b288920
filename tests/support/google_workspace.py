"""A simulated Google Workspace beside a deployment, and connections to it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from placed_google.simulator import Simulator, Workspace, make_private_key
from tests.support.secret_files import write_secret
from tests.support.watched_requests import WatchedRequests

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime
    from pathlib import Path

    from placed_google.simulator import ServiceAccount

_KEY = make_private_key()  # making one takes a while


class WatchedWorkspace(WatchedRequests, Simulator):
    """A simulated Workspace whose requests can be waited for."""


@asynccontextmanager
async def simulated_workspace(now: Callable[[], datetime]) -> AsyncIterator[WatchedWorkspace]:
    """A Workspace with two people, and nothing of placed."""
    workspace = Workspace(domain="fabrikam.example", now=now)
    for person in ("ada", "ben"):
        workspace.add_person(person)
    async with WatchedWorkspace(workspace) as simulator:
        yield simulator


def make_key_file(simulator: Simulator, account: ServiceAccount, path: Path) -> Path:
    """A key of the account, as Google makes it."""
    write_secret(path, simulator.make_key(account, _KEY))
    return path


def hosts_toml(simulator: Simulator) -> str:
    """The keys that lead to the simulated hosts."""
    hosts = {
        "ca_file": str(simulator.ca_file),
        "calendar_url": simulator.url,
        "directory_url": simulator.url,
    }
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in hosts.items())


def connection_toml(  # noqa: PLR0913 - the keys of a table
    simulator: Simulator,
    key_file: Path,
    *,
    name: str = "fabrikam",
    canary: str = "ada@fabrikam.example",
    more: str = "",
    fence: str = "",
    actions: str = "",
) -> str:
    """A table of a connection to every room that the Workspace has now."""
    rooms = [room.address for room in simulator.workspace.rooms()]
    return (
        f'[[connections]]\nname = "{name}"\ndriver = "google"\nkey_file = {json.dumps(str(key_file))}\n'
        f"{hosts_toml(simulator)}rooms = {json.dumps(rooms)}\n{more}"
        f"[connections.fence]\ncanaries = {json.dumps([canary])}\ncanaries_exist = true\n{fence}{actions}"
    )
