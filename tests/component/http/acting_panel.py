"""A panel that sends commands over HTTP, and tokens of panels."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.component.http.test_openapi import described, validate

if TYPE_CHECKING:
    from tests.support.hand_sink import HandSink
    from tests.support.status_endpoint import Answer, Endpoint

DOOR, LOBBY, READER = "door-token", "lobby-token", "reading-token"
BOOK = {"action": "book", "meeting": None, "until": "2026-01-08T09:30:00Z"}


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


PANELS = f"""
[door]
token_sha256 = "{digest(DOOR)}"
scopes = ["rooms/boardroom:book", "rooms/boardroom:check-in", "rooms/removed:book"]

[lobby]
token_sha256 = "{digest(LOBBY)}"
scopes = ["rooms/*:book"]
"""


@dataclass
class Panel:
    """A panel that presses buttons."""

    endpoint: Endpoint
    sink: HandSink
    headers: dict[str, str] = field(default_factory=dict)

    async def press(self, command: Any = BOOK, *, room: str = "boardroom", **headers: str | None) -> Answer:
        """Posts a command; an argument such as `content_type=None` leaves a header field out."""
        given: dict[str, str | None] = {
            "Authorization": f"Bearer {DOOR}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid4()),
            **{name.replace("_", "-").title(): value for name, value in headers.items()},
        }
        body = command if isinstance(command, bytes) else json.dumps(command).encode()
        fields = {name: value for name, value in given.items() if value is not None}
        left_out = ["Content-Type"] if "Content-Type" not in fields else []
        path = "/api/v1/rooms/{room}/actions"
        answer = await self.endpoint.ask(
            "POST", path.format(room=room), fields, data=body, skip_auto_headers=left_out
        )
        validate(answer.json, described(path, answer, "post"))
        return answer

    async def read(self, path: str, *, key: str = "", token: str = DOOR) -> Answer:
        """Reads what a panel may read; the answer is as /openapi.json describes it."""
        answer = await self.endpoint.get(path.format(key=key), {"Authorization": f"Bearer {token}"})
        validate(answer.json, described(path, answer))
        return answer
