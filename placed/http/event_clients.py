"""The clients of the event stream: what each has, whether more can be sent to it at once, and which wait."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from aiohttp.http import StreamWriter

from placed.http.errors import Mistake, bad_request
from placed.http.limits import STREAM_BUFFER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

_ID = re.compile(r"(\d{1,18})-(\d{1,18})")


def position_of(request: web.Request, epoch: int, latest: int) -> int | None:
    """Returns the seq that a client has, or None if it needs everything.

    Args:
        request: its request.
        epoch: that of the board.
        latest: the latest seq of the board.
    """
    asked = request.query.get("last_event_id")
    if asked is not None and not _ID.fullmatch(asked):
        raise bad_request(Mistake("last_event_id", asked, "an id such as 7-412"))
    # A browser reconnects with its first address, so the header field is the newer one.
    found = _ID.fullmatch(request.headers.get("Last-Event-ID", "")) or _ID.fullmatch(asked or "")
    if found is None or int(found[1]) != epoch or int(found[2]) > latest:
        return None
    return int(found[2])


class Client:
    """A client of the stream: which entries it has, and whether more can be sent without waiting.

    Args:
        request: its request.
        wanted: the rooms that it asks for; None for all of them, and for the connections.
    """

    def __init__(self, request: web.Request, wanted: frozenset[str] | None) -> None:
        self.wanted = wanted
        self.rooms_at = 0  # the seq that it has
        self.health_at = 0  # the same of connections
        self.waits = False  # it has everything, and its task sleeps
        self.awake = asyncio.Event()  # its task has something to do
        self.timed_at = 0.0  # when it was sent the time, by the loop's clock
        self._protocol = request.protocol
        self._writer: StreamWriter | None = None

    async def begin(self, request: web.Request, response: web.StreamResponse) -> None:
        """Sends the head of the answer."""
        writer = await response.prepare(request)
        assert isinstance(writer, StreamWriter)  # noqa: S101 - it was not prepared before
        self._writer = writer
        connection = request.get_extra_info("socket")
        if connection is not None:  # the client is still connected
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, STREAM_BUFFER)

    @property
    def is_up_to_date(self) -> bool:
        """Whether it waits for new entries, and has read all that it was sent."""
        return self.waits and not self._protocol.writing_paused

    async def write(self, frames: bytes) -> None:
        """Sends frames as fast as the client reads."""
        assert self._writer is not None  # noqa: S101 - it has begun
        await self._writer.write(frames)

    async def push(self, frames: bytes) -> None:
        """Sends frames without waiting: only a few, to a client that is up to date."""
        assert self._writer is not None  # noqa: S101 - it has begun
        await self._writer.write(frames, drain=False)


class Reader(Protocol):
    """A reader of logs. `wanted` are the subjects that it waits for, all if None."""

    @property
    def wanted(self) -> frozenset[str] | None:
        """See above."""
        ...


AnyReader = TypeVar("AnyReader", bound=Reader)


class Waiting(Generic[AnyReader]):
    """The readers that wait for new entries. One that was taken has to be added again.

    So thousands of statements at the full hour wake every client once, and other rooms do not wake a panel.
    """

    def __init__(self) -> None:
        self._readers: dict[str | None, set[AnyReader]] = {}  # by subject; None stands for all of them

    def add(self, reader: AnyReader) -> None:
        """It waits from now on."""
        for subject in _subjects(reader):
            self._readers.setdefault(subject, set()).add(reader)

    def discard(self, reader: AnyReader) -> None:
        """It waits no more."""
        for subject in _subjects(reader):
            readers = self._readers.get(subject, set())
            readers.discard(reader)
            if not readers:
                self._readers.pop(subject, None)

    def take(self, subject: str) -> set[AnyReader]:
        """Takes the readers that wait for this subject."""
        taken = self._readers.pop(None, set()) | self._readers.pop(subject, set())
        for reader in taken:
            if reader.wanted is not None:
                self.discard(reader)  # it may wait for other subjects, too
        return taken

    def take_all(self) -> set[AnyReader]:
        """Takes every reader."""
        taken: set[AnyReader] = set().union(*self._readers.values())
        self._readers.clear()
        return taken


def _subjects(reader: Reader) -> Iterable[str | None]:
    return (None,) if reader.wanted is None else reader.wanted
