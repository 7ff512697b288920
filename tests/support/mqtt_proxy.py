"""A proxy before a real broker that answers to chosen publishes in its place: refuses them, or hangs up.

It knows as much of MQTT as that takes: the frame of a packet, and the head of CONNECT and PUBLISH.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from paho.mqtt.client import topic_matches_sub

from tests.support.free_ports import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

HANG_UP = -1  # instead of a reason code: ends the connection without a reason
SWALLOW = -2  # passes nothing on, and sends no answer
BURST = 2.0  # seconds
_CONNECT, _PUBLISH, _PUBACK, _DISCONNECT = 1, 3, 4, 14
_VERSION_5 = 5


@dataclass(slots=True)
class Rule:
    """What happens to publishes of a kind.

    Attributes:
        answer: the PUBACK's reason code, 0 among them, in place of passing it on; or HANG_UP, or SWALLOW.
        topic: which topics, with wildcards.
        larger_than: bytes of the packet.
        times: how often, at most.
        disconnect: the reason code of the DISCONNECT (MQTT 5) with which it hangs up.
        burst: only beyond so many publishes in `BURST` seconds; then they are counted from 0 again.
        hits: how often it happened.
    """

    answer: int
    topic: str = "#"
    larger_than: int = -1
    times: int | None = None
    disconnect: int | None = None
    burst: int | None = None
    hits: int = 0
    arrivals: deque[float] = field(default_factory=deque)

    def applies(self, publish: Publish) -> bool:
        """Whether it is about this one."""
        if self.times is not None and self.hits >= self.times:
            return False
        if not (publish.size > self.larger_than and topic_matches_sub(self.topic, publish.topic)):
            return False
        return self.burst is None or self._too_many(self.burst)

    def _too_many(self, most: int) -> bool:
        now = asyncio.get_running_loop().time()
        self.arrivals.append(now)
        while self.arrivals[0] < now - BURST:
            self.arrivals.popleft()
        beyond = len(self.arrivals) > most
        if beyond:
            self.arrivals.clear()
        return beyond


@dataclass(frozen=True, slots=True)
class Publish:
    """A PUBLISH that came from the client."""

    topic: str
    payload_size: int
    size: int  # of the packet
    mid: int | None
    retain: bool
    connection: int  # over which it came
    passed: bool = True


class Proxy:
    """Listens on a port of its own and passes on to a broker, for the time of an `async with`.

    Args:
        target: the broker's port.
    """

    authority = None  # it speaks no TLS

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.connections = 0
        self.publishes: list[Publish] = []
        self._target = target
        self._rules: list[Rule] = []
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.saw: Callable[[str, bytes], None] = lambda _topic, _payload: None  # each PUBLISH of the client
        self.changed = asyncio.Condition()

    @property
    def url(self) -> str:
        """Its address, as the settings want it."""
        return f"mqtt://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._called, HOST, self.port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextmanager
    def rule(  # noqa: PLR0913 - each is a thing that a rule may be about
        self,
        answer: int,
        topic: str = "#",
        *,
        larger_than: int = -1,
        times: int | None = None,
        disconnect: int | None = None,
        burst: int | None = None,
    ) -> Iterator[Rule]:
        """For the time of a `with`; the first rule that applies counts."""
        rule = Rule(answer, topic, larger_than, times, disconnect, burst)
        self._rules.append(rule)
        try:
            yield rule
        finally:
            self._rules.remove(rule)

    # --- inside ---

    def _called(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer, self.connections))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
    ) -> None:
        there: asyncio.StreamWriter | None = None
        backward: asyncio.Task[None] | None = None
        try:
            # A line may have spoilt what comes: then it is no MQTT any more, and ends.
            with suppress(OSError, asyncio.IncompleteReadError, IndexError, struct.error, UnicodeDecodeError):
                there_reader, there = await asyncio.open_connection(HOST, self._target)
                backward = asyncio.create_task(_pump(there_reader, writer))
                await self._forward(reader, there, writer, connection)
        finally:
            for end in (there, writer):
                if end is not None:
                    end.close()
            if backward is not None:
                backward.cancel()

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        there: asyncio.StreamWriter,
        here: asyncio.StreamWriter,
        connection: int,
    ) -> None:
        version = 4
        while True:
            packet, body = await _packet(reader)
            kind = packet[0] >> 4
            if kind == _CONNECT:
                name_length = int.from_bytes(packet[body : body + 2])
                version = packet[body + 2 + name_length]
            if kind == _PUBLISH:
                publish = _publish(packet, body, version, connection)
                self.saw(publish.topic, packet[len(packet) - publish.payload_size :])
                rule = next((rule for rule in self._rules if rule.applies(publish)), None)
                async with self.changed:
                    self.publishes.append(publish if rule is None else _held(publish))
                    self.changed.notify_all()
                if rule is not None:
                    rule.hits += 1
                    if rule.answer == HANG_UP:
                        if rule.disconnect is not None and version == _VERSION_5:
                            here.write(bytes([_DISCONNECT << 4, 1, rule.disconnect]))
                            await here.drain()
                        return
                    if rule.answer != SWALLOW and publish.mid is not None:
                        here.write(_puback(publish.mid, rule.answer, version))
                        await here.drain()
                    continue
            there.write(packet)
            await there.drain()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _packet(reader: asyncio.StreamReader) -> tuple[bytes, int]:
    """A whole packet, and where its body begins."""
    head = bytearray(await reader.readexactly(1))
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        head.append(byte)
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
    return bytes(head) + await reader.readexactly(length), len(head)


def _publish(packet: bytes, body: int, version: int, connection: int) -> Publish:
    (length,) = struct.unpack_from(">H", packet, body)
    topic = packet[body + 2 : body + 2 + length].decode()
    at = body + 2 + length
    mid = None
    if packet[0] & 0x06:
        (mid,) = struct.unpack_from(">H", packet, at)
        at += 2
    if version == _VERSION_5:
        properties, shift = 0, 0
        while True:
            byte = packet[at]
            at += 1
            properties |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        at += properties
    return Publish(topic, len(packet) - at, len(packet), mid, bool(packet[0] & 1), connection)


def _held(publish: Publish) -> Publish:
    return Publish(
        publish.topic,
        publish.payload_size,
        publish.size,
        publish.mid,
        publish.retain,
        publish.connection,
        passed=False,
    )


def _puback(mid: int, code: int, version: int) -> bytes:
    if version == _VERSION_5:
        return struct.pack(">BBHB", _PUBACK << 4, 3, mid, code)
    return struct.pack(">BBH", _PUBACK << 4, 2, mid)
