"""A panel of a campaign that asks the status endpoint; the oracle judges every answer.

It reads the JSON as `docs/panels.md` describes it and shares no code with what answers.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import aiohttp

from placed.domain.model import Status
from placed.panel.received_documents import PresenceHeard
from placed.panel.state_validity import Place, Shown, Why
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.fault_injection.oracle import Oracle
    from tests.fault_injection.process_supervisor import Unit
    from tests.fault_injection.shared_clock import SharedClock

_EVERY = 0.25  # seconds between two requests
_PATIENCE = aiohttp.ClientTimeout(total=3.0)
_READY = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to `GET /api/v1/rooms`, and what was answered just before of readiness and of connections.

    Attributes:
        rooms: what it shows of each room.
        ready: whether the daemon reports itself as ready.
        earliest: the earliest time of the wall clock at which it can have been made, seconds since 1970.
        fences: how the fence of each connection is, by its name.
    """

    rooms: tuple[Shown, ...]
    ready: bool
    earliest: float
    fences: Mapping[str, str] = field(default_factory=dict)


class HttpPanel:
    """Asks again and again.

    Args:
        name: of the panel.
        unit: the daemon; it knows where its endpoint listens.
        clock: that daemon and oracle share.
        oracle: sees each answer.
    """

    def __init__(self, name: str, unit: Unit, clock: SharedClock, oracle: Oracle) -> None:
        self.name = name
        self.answers = 0
        self._latest: tuple[Shown, ...] = ()
        self._answered = asyncio.Event()
        self._unit = unit
        self._clock = clock
        self._oracle = oracle

    async def run(self) -> None:
        """For ever."""
        async with aiohttp.ClientSession(timeout=_PATIENCE, trust_env=False) as session:
            while True:
                await self._ask_once(session)
                await asyncio.sleep(_EVERY)

    async def until(self, wanted: Callable[[Sequence[Shown]], bool]) -> None:
        """Waits until the latest answer is wanted."""
        async with asyncio.timeout(DEADLINE):
            while not wanted(self._latest):
                self._answered.clear()
                await self._answered.wait()

    async def _ask_once(self, session: aiohttp.ClientSession) -> None:
        answer, slept = None, self._clock.slept
        if self._unit.url is not None:
            try:
                answer = await self._ask(session, self._unit.url)
            except (aiohttp.ClientError, TimeoutError):
                answer = None
        if slept != self._clock.slept:
            return  # whether it was answered before or after a suspend is unknown
        self.answers += answer is not None
        self._oracle.look_at_answer(self.name, answer, self._clock.elapsed())
        if answer is not None:
            self._latest = answer.rooms
            self._answered.set()

    async def _ask(self, session: aiohttp.ClientSession, url: str) -> Answer:
        before = self._clock.now().timestamp()
        ready = await _is_ready(session, url)
        fences = fences_in(await _document(session, f"{url}/api/v1/connections"))
        document = await _document(session, f"{url}/api/v1/rooms")
        earliest = min(before, self._clock.now().timestamp())
        return Answer(tuple(_shown(room) for room in document["rooms"]), ready, earliest, fences)


async def ready(unit: Unit) -> None:
    """Waits until the daemon reports itself as ready."""
    async with (
        asyncio.timeout(DEADLINE),
        aiohttp.ClientSession(timeout=_PATIENCE, trust_env=False) as session,
    ):
        while True:
            with suppress(aiohttp.ClientError, TimeoutError):
                if unit.url is not None and await _is_ready(session, unit.url):
                    return
            await asyncio.sleep(_EVERY)


def fences_in(health: dict[str, Any]) -> dict[str, str]:
    """How each connection's fence is, by a document of `/api/v1/connections` or `bridge/health`."""
    return {connection["name"]: connection["fence"]["state"] for connection in health["connections"]}


async def _document(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    async with session.get(url) as response:
        response.raise_for_status()
        document: dict[str, Any] = json.loads(await response.read())
        return document


async def _is_ready(session: aiohttp.ClientSession, url: str) -> bool:
    async with session.get(f"{url}/readyz") as response:
        await response.read()
        return response.status == _READY


def _shown(document: dict[str, Any]) -> Shown:
    status = Status(document["status"])
    until = _time(document["free_until"]) or _time(document["busy_until"])
    return Shown(
        document["room"],
        Place(document["name"]),
        status,
        until=None if status is Status.UNKNOWN else until,
        stale=document["stale"],
        why=Why.REPORTED if status is Status.UNKNOWN else None,
        reason=document["reason"],
        valid_until=_time(document["valid_until"]),
        presence=_presence(document["presence"]),
    )


def _presence(document: dict[str, Any] | None) -> PresenceHeard | None:
    if document is None:
        return None
    since, until = (datetime.fromisoformat(document[key]) for key in ("since", "valid_until"))
    return PresenceHeard(document["state"], since, until, document["count"])


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
