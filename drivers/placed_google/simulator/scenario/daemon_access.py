"""What an administrator does for a daemon: a service account, its key, and the rooms shared with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from placed_google.simulator.workspace.calendar_sharing import Role
from placed_simulator.command_line import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from placed_google.simulator.server import Simulator

NAME = "fabrikam"


def let_in(simulator: Simulator, folder: Path, *, directory: bool = True) -> str:
    """Does it, writes the key into the folder, and returns the `[[connections]]` table.

    With `directory` the account may list the rooms, so that new ones are found; otherwise they are named.
    """
    workspace = simulator.workspace
    account = workspace.add_service_account()
    workspace.share_rooms(account, Role.READER)
    account.reads_directory = directory
    key_file = folder / "placed-key.json"
    write_private(key_file, simulator.make_key(account).encode())
    rooms = None if directory else [room.address for room in workspace.rooms()]
    return settings_toml(simulator, key_file, rooms=rooms, canaries=sorted(workspace.people))


def settings_toml(
    simulator: Simulator,
    key_file: Path,
    *,
    name: str = NAME,
    rooms: Iterable[str] | None = None,
    canaries: Iterable[str] = (),
) -> str:
    """The `[[connections]]` table with which a daemon reads this Workspace; without `rooms` all of them."""
    listed = {"customer": simulator.workspace.customer_id} if rooms is None else {"rooms": list(rooms)}
    values: dict[str, str | list[str]] = {
        "name": name,
        "driver": "google",
        "key_file": str(key_file),
        "calendar_url": simulator.url,
        "directory_url": simulator.url,
        "ca_file": str(simulator.ca_file),
        **listed,
    }
    # A JSON string or list of strings is also a TOML one.
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    fence = ["[connections.fence]", f"canaries = {json.dumps(list(canaries))}", "canaries_exist = true", ""]
    return "\n".join(["[[connections]]", *lines, *fence])
