"""One MQTT 5 connection over asyncio: its start, joined writes, back-pressure, keep alive, its end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import mqtt5

from placed.mqtt.client import timeouts
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client.v5_packets import PacketReader

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placed.mqtt.client.connect_options import ConnectOptions
    from placed.mqtt.client.v5_packets import UnusualReason
    from placed.mqtt.name_lookup import Address

_PING = mqtt5.PingReqPacket().write()


class ClosedFromOutside(MqttError):
    """The broker, the network or `close` ended the connection, and not an error in what the broker sent."""


class PacketTransport(asyncio.Protocol):
    """One connection to a broker.

    Args:
        largest: bytes of the largest packet that is read; None: any.
        take: called with every packet.
        lost: called once, when the connection is over, with the cause.
        writable: called when packets may be sent again: after any have arrived, and after `congested`.

    Attributes:
        congested: whether so much waits for the network that nothing more should be sent.
        closed: done when the socket is released.
    """

    def __init__(
        self,
        largest: int | None,
        take: Callable[[mqtt5.Packet | UnusualReason], None],
        lost: Callable[[MqttError], None],
        writable: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = PacketReader(largest)
        self._take = take
        self._lost = lost
        self._writable = writable
        self._transport: asyncio.Transport | None = None
        self._outgoing: list[bytes] = []
        self._holds = False  # whether packets wait for `write_now`
        self._timer: asyncio.TimerHandle | None = None
        self._heard = True  # whether anything arrived since the last PINGREQ
        self.congested = False
        self.closed: asyncio.Future[None] = self._loop.create_future()

    # --- sending ---

    def send(self, packet: bytes) -> None:
        """Sends a packet at the end of this turn of the event loop, in one write with the others."""
        if not self._outgoing and not self._holds:
            self._loop.call_soon(self.write_now)
        self._outgoing.append(packet)

    def hold(self) -> None:
        """Has the packets wait for `write_now`, which spares a turn of the event loop."""
        self._holds = True

    def write_now(self) -> None:
        """Writes the packets that wait."""
        self._holds = False
        if self._outgoing and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def keep_alive(self, seconds: int) -> None:
        """Has the broker show every so many seconds that it is there; 0: never."""
        if seconds:
            self._timer = self._loop.call_later(seconds, self._ping, seconds)

    def _ping(self, seconds: int) -> None:
        if not self._heard:
            self.end(MqttError("the broker does not answer any more"))
            return
        self._heard = False
        self.send(_PING)
        self.keep_alive(seconds)

    # --- the end ---

    def end(self, error: MqttError) -> None:
        """Ends the connection at once, for this cause."""
        self._stop()
        self._lost(error)
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Closes the connection when everything is sent."""
        self.write_now()
        self._stop()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Closes the connection at once."""
        self._stop()
        if self._transport is not None:
            self._transport.abort()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._outgoing.clear()

    # --- called by asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is a connection."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's promise, for the type
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Takes in what arrived."""
        self._heard = True
        try:
            for packet in self._reader.feed(data):
                self._take(packet)
            self._writable()
        except MqttError as error:
            self.end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._stop()
        error = ClosedFromOutside(str(exc) if exc else "the connection was lost")
        error.__cause__ = exc
        self._lost(error)
        self.closed.set_result(None)

    def pause_writing(self) -> None:
        """More waits for the network than the kernel takes."""
        self.congested = True

    def resume_writing(self) -> None:
        """The network has taken enough."""
        self.congested = False
        self._writable()


async def reach(
    addresses: Sequence[Address], new: Callable[[], PacketTransport], options: ConnectOptions
) -> PacketTransport:
    """Connects to the first address that answers.

    Raises:
        OSError: none does; the error of the first one.
    """
    loop, failed = asyncio.get_running_loop(), OSError("the host name has no address")
    for place, (host, port) in enumerate(addresses):
        try:
            async with asyncio.timeout(timeouts.REACH):
                _, transport = await loop.create_connection(
                    new, host, port, ssl=options.tls, server_hostname=options.host if options.tls else None
                )
        except OSError as error:
            failed = failed if place else error
        else:
            return transport
    raise failed


async def wait_closed(transport: PacketTransport, seconds: float) -> None:
    """Waits until the socket is released; after these seconds it is aborted."""
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.shield(transport.closed)
    finally:
        transport.abort()
