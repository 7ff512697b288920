"""A deployment whose rooms have actions, and the panels that may ask for them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiohttp

from placed.domain.timestamps import timestamp
from tests.support.deadlines import DEADLINE
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.deployment import Deployment

TOKEN = "the-token-of-the-door"
ALLOWED = ("check-in", "end", "extend", "book")


def panels_file(folder: Path, scope: str = "rooms/*:*", token: str = TOKEN) -> Path:
    """A file with one panel."""
    path = folder / "panels.toml"
    digest = sha256(token.encode()).hexdigest()
    write_secret(path, f'[door]\ntoken_sha256 = "{digest}"\nscopes = ["{scope}"]\n')
    return path


def with_actions(deployment: Deployment, *, more: str = "", **tables: Any) -> None:
    """Configures a connection with a second registration, which writes, and a panel for all rooms.

    `more` are lines of TOML that follow the connection.
    """
    secret = deployment.folder / "writing.secret"
    write_secret(secret, "wr1te")
    app = deployment.tenant.register_app(secrets=["wr1te"], roles=["Calendars.ReadWrite"], name="actions")
    table = {"client_id": app.client_id, "client_secret_file": str(secret), "allow": list(ALLOWED)}
    lines = ["", "[connections.actions]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    deployment.connect(more="\n".join([*lines, more, ""]))
    panels = str(panels_file(deployment.folder))
    deployment.configure(**{"http": {"listen": "127.0.0.1:0", "panel_tokens": panels}, **tables})


def payload(key: str, until: datetime | None = None, meeting: datetime | None = None) -> bytes:
    """A command over MQTT, issued now."""
    times = {"meeting": meeting, "until": until, "issued_at": datetime.now(UTC)}
    return json.dumps({"key": key, **{name: at and timestamp(at) for name, at in times.items()}}).encode()


async def post(
    url: str, action: str, *, room: str = "boardroom", key: str = "", token: str = TOKEN, **times: datetime
) -> tuple[int, Any]:
    """A command over HTTP: the status and the document of its answer."""
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key or str(uuid4())}
    body = {"action": action, **{name: timestamp(at) for name, at in times.items()}}
    timeout = aiohttp.ClientTimeout(DEADLINE)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.post(f"{url}/api/v1/rooms/{room}/actions", json=body, headers=headers) as response,
    ):
        return response.status, await response.json(content_type=None)
