"""The settings with which a daemon reaches a simulated tenant."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """One `[[connections]]` table. Of `rooms`, `room_group` and `room_list` one is given."""

    name: str
    tenant: str
    client_id: str
    host: str
    ca_file: Path
    client_secret_file: Path | None = None
    certificate: Path | None = None
    rooms: tuple[str, ...] = ()
    room_group: str | None = None
    room_list: str | None = None
    time_zone: str = "UTC"

    def toml(self) -> str:
        """The table as TOML text; login and Graph are the same host here."""
        values: dict[str, str | list[str] | None] = {
            "name": self.name,
            "driver": "microsoft365",
            "tenant": self.tenant,
            "client_id": self.client_id,
            "client_secret_file": _text(self.client_secret_file),
            "certificate": _text(self.certificate),
            "authority": self.host,
            "graph": self.host,
            "ca_file": str(self.ca_file),
            "rooms": list(self.rooms) or None,
            "room_group": self.room_group,
            "room_list": self.room_list,
            "time_zone": self.time_zone,
        }
        # A JSON string or list of strings is also a TOML one.
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None]
        return "\n".join(["[[connections]]", *lines, ""])


def fence_toml(kind: str, canaries: Iterable[str]) -> str:
    """The `[connections.fence]` table that follows; `kind` is `access-policy` or `rbac`."""
    return f"[connections.fence]\nkind = {json.dumps(kind)}\ncanaries = {json.dumps(list(canaries))}\n"


def actions_toml(
    client_id: str,
    *,
    allow: Iterable[str],
    certificate: Path | None = None,
    client_secret_file: Path | None = None,
) -> str:
    """The `[connections.actions]` table that follows, with the registration that writes."""
    values: dict[str, object] = {
        "client_id": client_id,
        "certificate": _text(certificate),
        "client_secret_file": _text(client_secret_file),
        "allow": list(allow),
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None]
    return "\n".join(["[connections.actions]", *lines, ""])


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
