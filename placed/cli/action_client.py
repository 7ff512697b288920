"""Asks the status endpoint for an action, and waits for the outcome."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import aiohttp
import msgspec

from placed.cli.daemon_clock import DaemonClock
from placed.cli.room_stream import NoAnswer, no_answer, session
from placed.domain.action import Action, Outcome
from placed.domain.clock import SystemClock
from placed.domain.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from placed.cli.room_stream import Access

_ANSWER = 20.0  # seconds for one answer
_OUTCOME = 90.0  # seconds until the outcome has to be known
_PAUSE = 1.0  # seconds between two requests for it
_LARGEST = 256 * 1024  # bytes of an answer
_OK, _ACCEPTED, _UNAUTHORIZED = 200, 202, 401


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of the command, in words."""

    done: bool
    words: str


class _Meeting(msgspec.Struct):
    start: datetime


class _CheckIn(msgspec.Struct):
    meeting: datetime


class _Room(msgspec.Struct):
    current: _Meeting | None = None
    busy_until: datetime | None = None
    check_in: _CheckIn | None = None


class _Reply(msgspec.Struct):
    outcome: str = ""
    reason: str | None = None
    detail: str = ""


class ActionClient:
    """A panel at the terminal.

    Args:
        url: of the status endpoint.
        panel: the token for actions.
        reader: the token for reading.
    """

    def __init__(self, url: str, panel: Access, reader: Access) -> None:
        self._url = url
        self._panel = panel
        self._reader = reader
        self._clock = DaemonClock(SystemClock())

    async def act(self, room: str, action: Action, meeting: datetime | None, minutes: int | None) -> Answer:
        """Asks for the action, and waits for its outcome.

        Args:
            room: the room's id.
            action: what is asked for.
            meeting: its start; None for the one that runs, or that can be checked in to.
            minutes: how long a booking is, or how much longer.

        Raises:
            NoAnswer: the endpoint does not answer as it should.
        """
        try:
            known = await self._read(room)
            if meeting is None and action is not Action.BOOK:
                meeting = _meeting(known, action)
                if meeting is None:
                    return Answer(done=False, words="there is no such meeting now; name one with --meeting")
            until = self._until(known, action, minutes)
            async with session(self._panel) as client:
                return await self._ask(client, room, action, meeting, until)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise no_answer(error) from None

    async def _read(self, room: str) -> _Room:
        """The room, and the daemon's time."""
        asked = self._clock.steady()
        async with session(self._reader) as client:
            request = client.get(f"{self._url}/api/v1/rooms/{room}")
            status, body = await self._answer(request, asked=asked)
        if status == _UNAUTHORIZED:
            raise NoAnswer("reading the room requires a token: --token-file")
        if status != _OK:
            raise NoAnswer(_reply(body).detail or f"it answered {status}")
        return msgspec.json.decode(body, type=_Room)

    def _until(self, room: _Room, action: Action, minutes: int | None) -> datetime | None:
        if minutes is None:
            return None
        begin = room.busy_until if action is Action.EXTEND and room.busy_until else self._clock.now()
        return begin + timedelta(minutes=minutes)

    async def _ask(
        self,
        client: aiohttp.ClientSession,
        room: str,
        action: Action,
        meeting: datetime | None,
        until: datetime | None,
    ) -> Answer:
        key = str(uuid4())
        body = {"action": action.value, "meeting": _text(meeting), "until": _text(until)}
        request = client.post(
            f"{self._url}/api/v1/rooms/{room}/actions", json=body, headers={"Idempotency-Key": key}
        )
        status, answer = await self._answer(request)
        with suppress(TimeoutError):
            async with asyncio.timeout(_OUTCOME):
                while status == _ACCEPTED or _reply(answer).outcome == Outcome.ACCEPTED:
                    await asyncio.sleep(_PAUSE)
                    status, answer = await self._answer(client.get(f"{self._url}/api/v1/actions/{key}"))
        return _outcome(_reply(answer), status, until)

    async def _answer(
        self, request: Awaitable[aiohttp.ClientResponse], asked: float | None = None
    ) -> tuple[int, bytes]:
        async with asyncio.timeout(_ANSWER):
            response = await request
            try:
                if asked is not None:
                    self._clock.set_from_answer(response.headers.get("Placed-Time", ""), asked)
                if "Placed-Time" not in response.headers:
                    raise NoAnswer("the answer is not from a placed daemon")
                body = await response.content.read(_LARGEST)
                while len(body) < _LARGEST and (more := await response.content.read(_LARGEST - len(body))):
                    body += more
                return response.status, body
            finally:
                response.release()


def _meeting(room: _Room, action: Action) -> datetime | None:
    if action is Action.CHECK_IN and room.check_in is not None:
        return room.check_in.meeting
    return room.current.start if room.current is not None else None


def _outcome(reply: _Reply, status: int, until: datetime | None) -> Answer:
    if reply.outcome == Outcome.DONE:
        local = f" until {until.astimezone():%H:%M}" if until is not None else ""
        return Answer(done=True, words=f"done{local}")
    if reply.outcome in (Outcome.UNCERTAIN, Outcome.ACCEPTED):
        return Answer(done=False, words="uncertain: look at the room, it may have been done")
    reason = f"refused ({reply.reason})" if reply.reason else f"refused ({status})"
    detail = reply.detail.removeprefix("Refused: ")
    return Answer(done=False, words=f"{reason}: {detail}" if detail else reason)


def _reply(body: bytes) -> _Reply:
    return msgspec.json.decode(body, type=_Reply)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment.astimezone(UTC))
