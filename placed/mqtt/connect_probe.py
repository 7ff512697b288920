"""Probes the broker's address with one short connection: a CONNECT without a login, or a TLS ClientHello.

A client reports many causes as the same reset connection. The first bytes of the answer distinguish them.
Over TLS the probe waits for an alert before it sends anything: a broker that refuses a client certificate in
TLS 1.3 reports it after the handshake, and data sent meanwhile may reset the connection before it is read.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from placed.mqtt.client.connect_options import ProtocolVersion

_WAIT = 3.0  # seconds for each step; a broker answers a CONNECT at once
_ALERT = 1.0  # seconds after the handshake in which a broker may refuse the client certificate
_ENOUGH = 512  # bytes; a CONNACK has some ten, an alert has seven
_LEVELS: dict[ProtocolVersion, int] = {"5": 5, "3.1.1": 4}
_CONNACK, _DISCONNECT = 0x20, b"\xe0\0"
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")  # an alert, a handshake: RFC 8446, 5.1
_MAXIMUM_QOS, _RETAIN_AVAILABLE = 0x24, 0x25  # MQTT 5, 2.2.2.2
# Properties of a CONNACK that have a fixed size, in bytes: MQTT 5, 3.2.2.3.
_FIXED = {0x11: 4, 0x21: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x22: 2, 0x28: 1, 0x29: 1, 0x2A: 1, 0x13: 2}


@dataclass(frozen=True, slots=True)
class Target:
    """The address to probe.

    Attributes:
        context: with the client certificate, if one is used; None without TLS.
    """

    host: str
    port: int
    context: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The result of a probe.

    Attributes:
        data: the first bytes; empty if the connection was ended, or nothing arrived in time.
        error: why the connection could not be made, or what ended it.
        silent: whether nothing arrived in time although there is a connection.
        unreached: whether no connection could be made.
    """

    data: bytes = b""
    error: OSError | None = None
    silent: bool = False
    unreached: bool = False

    @property
    def connack(self) -> int | None:
        """The reason code of a CONNACK (in 3.1.1: the return code); None if the answer is no CONNACK."""
        packet = self.data
        return packet[3] if len(packet) > 3 and packet[0] == _CONNACK else None  # noqa: PLR2004 - its head

    @property
    def unknown_version(self) -> bool:
        """Whether a CONNACK refuses the version of MQTT, with the code of either version."""
        return self.connack in (0x01, 0x84)

    @property
    def tls(self) -> bool:
        """Whether the answer is a TLS record."""
        return self.data.startswith(_TLS_RECORDS)

    @property
    def qos_0_alone(self) -> bool:
        """Whether a CONNACK of MQTT 5 allows QoS 0 alone."""
        return self._denies(_MAXIMUM_QOS)

    @property
    def keeps_nothing(self) -> bool:
        """Whether a CONNACK of MQTT 5 announces that no retained message is kept."""
        return self._denies(_RETAIN_AVAILABLE)

    def _denies(self, wanted: int) -> bool:
        """Whether a CONNACK of MQTT 5 has this property, of one byte, with the value 0."""
        if self.connack is None or len(self.data) < 6:  # noqa: PLR2004 - its head, and one property
            return False
        place, end = 5, 5 + self.data[4]  # a length below 128; in a longer list the property is not searched
        while place < min(end, len(self.data) - 1):
            if self.data[place] == wanted:
                return self.data[place + 1] == 0
            size = _FIXED.get(self.data[place])
            if size is None:
                return False
            place += 1 + size
        return False


async def ask(target: Target, protocol: ProtocolVersion) -> Answer:
    """Sends a CONNECT without a login, over TLS if `target` has a context."""
    try:
        async with _opened(target) as (reader, writer):
            if target.context is not None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_ALERT):
                        return Answer(await reader.read(_ENOUGH))
            writer.write(_connect(protocol))
            answer = await _read(reader)
            if answer.connack is not None:
                writer.write(_DISCONNECT)
            return answer
    except OSError as error:
        return _failed(error, tls=target.context is not None)


async def greet(target: Target) -> Answer:
    """Sends the first record of a TLS handshake."""
    try:
        async with _opened(Target(target.host, target.port)) as (reader, writer):
            writer.write(_client_hello(target.host))
            return await _read(reader)
    except OSError as error:
        return _failed(error, tls=False)


def _failed(error: OSError, *, tls: bool) -> Answer:
    """The answer for a connection that failed or was ended; over TLS a timeout means a silent peer."""
    late = isinstance(error, TimeoutError)
    ended = isinstance(error, (ssl.SSLError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError))
    return Answer(error=error, silent=late and tls, unreached=not (ended or (late and tls)))


@asynccontextmanager
async def _opened(target: Target) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    name = target.host if target.context is not None else None
    async with asyncio.timeout(_WAIT):
        reader, writer = await asyncio.open_connection(
            target.host, target.port, ssl=target.context, server_hostname=name
        )
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_ALERT):
                await writer.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Answer:
    try:
        async with asyncio.timeout(_WAIT):
            return Answer(await reader.read(_ENOUGH))
    except TimeoutError:
        return Answer(silent=True)


def _connect(protocol: ProtocolVersion) -> bytes:
    """Returns a CONNECT that leaves nothing behind: a random client id, clean start, no will, no login."""
    client_id = f"placedprobe{secrets.token_hex(4)}".encode()
    properties = b"\0" if protocol == "5" else b""
    body = b"\0\4MQTT" + bytes((_LEVELS[protocol], 2, 0, 15)) + properties
    body += len(client_id).to_bytes(2) + client_id
    return bytes((0x10, len(body))) + body


def _client_hello(host: str) -> bytes:
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=host).do_handshake()
    return outgoing.read()
