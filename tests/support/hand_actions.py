"""The actions of a panel as the daemon answers them, by the hand of a test."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from placed.domain.action import Action

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from playwright.async_api import Page, Route

TOKEN = "panel-of-the-test"
STAMP = {"Placed-Time": "2026-01-08T09:22:10.000Z"}


@dataclass
class HandActions:
    """Answers a page in place of the daemon, as to actions alone.

    Attributes:
        allowed: what the panel's token allows.
        longest: seconds.
        answer: gives status and document for a command.
        commands: the bodies of the commands, with their keys.
        tokens: with which it was asked.
    """

    allowed: Sequence[str] = tuple(Action)
    longest: int = 7200
    answer: Callable[[dict[str, Any]], tuple[int, dict[str, Any]]] = lambda _: (409, {"reason": "conflict"})
    commands: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)

    async def serve(self, page: Page) -> None:
        """Answers the requests of a page from now on."""
        await page.route("**/api/v1/panel?*", self._panel)
        await page.route("**/api/v1/rooms/*/actions", self._act)
        await page.route("**/api/v1/actions/*", self._outcome)

    async def _panel(self, route: Route) -> None:
        token = route.request.headers.get("authorization", "")
        self.tokens.append(token.removeprefix("Bearer "))
        if token != f"Bearer {TOKEN}":
            await _fulfill(route, 401, {"detail": "That is not the token of a panel."})
            return
        room = route.request.url.partition("room=")[2]
        rooms = [{"room": room, "actions": list(self.allowed), "longest_seconds": self.longest}]
        await _fulfill(route, 200, {"schema": 1, "panel": "door", "rooms": rooms if self.allowed else []})

    async def _act(self, route: Route) -> None:
        request = route.request
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["content-type"] == "application/json"
        command = {"key": request.headers["idempotency-key"], **json.loads(request.post_data or "")}
        self.commands.append(command)
        await self._reply(route, command)

    async def _outcome(self, route: Route) -> None:
        key = route.request.url.rpartition("/")[2]
        await self._reply(route, next(command for command in self.commands if command["key"] == key))

    async def _reply(self, route: Route, command: dict[str, Any]) -> None:
        status, more = self.answer(command)
        reply = {"key": command["key"], "action": command["action"], "reason": None, **more}
        await _fulfill(route, status, reply)


async def _fulfill(route: Route, status: int, document: dict[str, Any]) -> None:
    kind = "application/json" if status < 400 else "application/problem+json"
    headers = {**STAMP, "Content-Type": kind}
    await route.fulfill(status=status, headers=headers, body=json.dumps(document))
