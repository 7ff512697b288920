"""Follows the event stream of the status endpoint, and reconnects."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

import aiohttp
import msgspec

from placed.cli.daemon_clock import read_time
from placed.cli.room_filter import ListedRoom, Listing, read_listing, read_room
from placed.domain.network_errors import why

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from placed.cli.daemon_clock import DaemonClock

_LONGEST_PAUSE = 15.0  # seconds between two attempts
_SILENCE = 8.0  # seconds without data; the daemon sends some every 3
_PATIENCE = 20.0  # seconds, with an older daemon: it sends a comment every 15, without the time
_LONGEST_LINE = 16 * 1024 * 1024  # bytes: the snapshot has all rooms in one line
_LARGEST = 64 * 1024 * 1024  # bytes of an uncompressed listing; 5,500 rooms take some three million
_LISTING = 60.0  # seconds for the listing
_UNAUTHORIZED, _OK = 401, 200


class NoAnswer(Exception):
    """The status endpoint does not answer as it should."""


class _Room(msgspec.Struct):
    room: str


class _Snapshot(msgspec.Struct):
    rooms: list[str]


@dataclass(frozen=True, slots=True)
class Access:
    """The token for the status endpoint, and the trusted certificates: True for the machine's own."""

    token: str | None
    trust: ssl.SSLContext | Literal[True]


def session(access: Access) -> aiohttp.ClientSession:
    """A client of the status endpoint; the caller closes it."""
    headers = {"Authorization": f"Bearer {access.token}"} if access.token else {}
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=_PATIENCE)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=access.trust),
        headers=headers,
        timeout=timeout,
        read_bufsize=_LONGEST_LINE,
    )


async def listing(client: aiohttp.ClientSession, url: str, clock: DaemonClock) -> tuple[Listing, bytes]:
    """All rooms, and the raw answer; sets the clock to the daemon's time.

    Raises:
        NoAnswer: the endpoint does not answer as it should.
    """
    try:
        asked = clock.steady()
        async with asyncio.timeout(_LISTING), client.get(f"{url}/api/v1/rooms") as response:
            _expect_ok(response)
            clock.set_from_answer(response.headers.get("Placed-Time", ""), asked)
            body = await _content(response)
            return read_listing(body), body
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise no_answer(error) from None


class RoomStream:
    """The rooms, kept up to date by the event stream.

    Attributes:
        rooms: by id.
        lost: why there is no connection; None while there is one.
    """

    def __init__(
        self, client: aiohttp.ClientSession, url: str, notify: Callable[[], None], clock: DaemonClock
    ) -> None:
        self.rooms: dict[str, ListedRoom] = {}
        self.lost: str | None = "not connected yet"
        self._client = client
        self._url = f"{url}/api/v1/events"
        self._notify = notify
        self._clock = clock
        self._last_id: str | None = None
        self._older = (
            False  # whether the daemon is an older one, which sends no comment between frequent events
        )

    async def run(self) -> None:
        """Follows the stream until it is cancelled.

        Raises:
            NoAnswer: the first connection fails.
        """
        attempts = 0
        been_there = False
        while True:
            try:
                await self._follow()
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                trouble = no_answer(error)
            except NoAnswer as error:
                trouble = error
            if self.lost is None:
                been_there, attempts = True, 0
            if not been_there:
                raise trouble
            self.lost = str(trouble)
            self._notify()
            pause = min(2.0**attempts, _LONGEST_PAUSE)
            attempts += 1
            await asyncio.sleep(pause * (1 - random.random() / 2))  # noqa: S311 - spreads reconnects over time

    async def _follow(self) -> None:
        headers = {"Last-Event-ID": self._last_id} if self._last_id else {}
        loop = asyncio.get_running_loop()
        asked = self._clock.steady()
        async with (
            asyncio.timeout(_PATIENCE) as deadline,
            self._client.get(self._url, headers=headers) as response,
        ):
            _expect_ok(response)
            if response.content_type != "text/event-stream":
                raise NoAnswer("the answer is not from a placed daemon")
            self._clock.set_from_answer(response.headers.get("Placed-Time", ""), asked)
            kind, data = "", b""
            patience = _PATIENCE  # not connected yet
            begun = loop.time()
            deadline.reschedule(begun + patience)
            async for line in response.content:
                if line.startswith(b":"):
                    patience = self._take_comment(line.decode(errors="replace"))
                elif self._older or loop.time() - begun > _PATIENCE:
                    self._older = self.lost is not None or self._older
                    self._set_connected()
                deadline.reschedule(loop.time() + patience)
                field, _, value = line.rstrip(b"\n").partition(b": ")
                if field == b"event":
                    kind = value.decode()
                elif field == b"id":
                    self._last_id = value.decode()
                elif field == b"data":
                    data = value
                elif not field and data:
                    self._take(kind, data)
                    kind, data = "", b""
        raise NoAnswer("the daemon has ended")

    def _take_comment(self, comment: str) -> float:
        """A comment follows all missed events: the rooms are current. Returns the seconds to the next."""
        stated = read_time(comment)
        if stated is not None and self._clock.delay_of(stated) > timedelta(seconds=_SILENCE):
            # Or the daemon's clock was set back; then the next connection succeeds.
            raise NoAnswer("the daemon's event stream is delayed")
        self._older = stated is None
        self._set_connected()
        return _PATIENCE if self._older else _SILENCE

    def _set_connected(self) -> None:
        if self.lost is not None:
            self.lost = None
            self._notify()

    def _take(self, kind: str, data: bytes) -> None:
        if kind == "state":
            room = read_room(data)
            self.rooms[room.room] = room
        elif kind == "removed":
            self.rooms.pop(msgspec.json.decode(data, type=_Room).room, None)
        elif kind == "snapshot":
            there = set(msgspec.json.decode(data, type=_Snapshot).rooms)
            self.rooms = {room: listed for room, listed in self.rooms.items() if room in there}
        else:
            return
        self._notify()


async def _content(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > _LARGEST:
            raise ValueError("the listing is too large")
    return bytes(body)


def _expect_ok(response: aiohttp.ClientResponse) -> None:
    if response.status == _UNAUTHORIZED:
        raise NoAnswer("the daemon requires a token: --token-file")
    if response.status != _OK:
        raise NoAnswer(f"it answered {response.status}")


def no_answer(error: Exception) -> NoAnswer:
    """Why a request failed, for the operator."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        reason = getattr(error.certificate_error, "verify_message", "") or "it is refused"
        return NoAnswer(f"its certificate is not trusted: {reason}; check --ca-file and the host name")
    if isinstance(error, aiohttp.InvalidURL | aiohttp.NonHttpUrlClientError):
        return NoAnswer(
            "this is not the address of a status endpoint; expected one such as http://127.0.0.1:8620"
        )
    return NoAnswer(f"no answer from a placed daemon ({_words(error)}); is it running?")


def _words(error: Exception) -> str:
    """Why a request failed, without texts of the library."""
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return "it does not use TLS; begin the address with http://"
    if isinstance(error, aiohttp.ClientConnectorError):
        return why(error.os_error) or "the connection failed"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it ended the connection"
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.ClientPayloadError | ValueError):
        return "the answer is not from placed"
    return why(error) or "the connection failed"
