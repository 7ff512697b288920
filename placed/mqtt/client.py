"""aiomqtt's client, and the little that it lacks.

aiomqtt has no public way to what this daemon needs of a connection, so the client is derived from, and a
few of its callbacks are extended:

- The broker's CONNACK limits how many messages may be under way and how large they may be.
- A broker that hangs up instead of sending a CONNACK (it wants a client certificate, for example) would
  only be noticed after a timeout, and why it did so only be found in paho's log.
- An access list that forbids a publish is told in the PUBACK, which aiomqtt takes for success.
- Publishing takes it a task, an event and a look at all that is under way, for every message; see `tell`.
- It adds a writer for a socket that may be closed by then, which asyncio complains about.
- A failed or cancelled attempt to connect leaves its socket and a task behind.
- Before Python 3.12 a cancellation can be lost while it waits for a SUBACK or an UNSUBACK; see `whole`.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from placed.mqtt.name_lookup import look_up

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from aiomqtt.types import PahoSocket
    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
    from paho.mqtt.properties import Properties

IN_FLIGHT = 64  # unacknowledged messages at once; what hides a broker's latency, and what is lost with it
ANSWER = 10.0  # seconds for a broker to answer anything
GOODBYE = 2.0  # seconds for it to take our leave
_T = TypeVar("_T")
_NO_LIMIT = 0  # of paho's, which would go through all that is under way at each acknowledgement


class ClosedBeforeConnack(aiomqtt.MqttError):
    """The broker ended the connection before it answered. `cause` is what the socket said, if anything."""

    def __init__(self, reason: str, cause: OSError | None) -> None:
        super().__init__(reason)
        self.cause = cause


class BrokerClient(aiomqtt.Client):
    """One connection to the broker, from `open` to `close`; never used again.

    Args:
        broker: what `aiomqtt.Client` takes.
    """

    def __init__(self, **broker: Any) -> None:
        self._errors = _SocketErrors()
        self._address: tuple[str, int] = broker["hostname"], broker.get("port", 1883)
        logger = logging.Logger("paho", logging.ERROR)  # noqa: LOG001 - its only reader is this connection
        logger.addHandler(self._errors)
        super().__init__(**broker, logger=logger, timeout=ANSWER, max_inflight_messages=_NO_LIMIT)
        self._look_at_both()  # of these aiomqtt makes new ones, and forgets what the earlier ones held
        self.in_flight = IN_FLIGHT
        self.max_packet_size: int | None = None  # bytes of a packet that the broker takes
        self.retains = True  # whether the broker keeps retained messages, as far as it tells
        self.takes_qos_1 = True  # as far as it announces
        self._ended: aiomqtt.MqttCodeError | None = None
        # By packet id, until it is acknowledged; the result is why it was refused, if it was.
        self._told: dict[int, asyncio.Future[ReasonCode | None]] = {}
        self.refusals: list[ReasonCode] = []  # why the broker refused publishes; who reads takes them out

    async def open(self) -> None:
        """Connects and logs in.

        Raises:
            aiomqtt.MqttError: it could not; the socket's own error is its context.
        """
        try:
            await look_up(*self._address)
        except OSError as error:
            raise aiomqtt.MqttError(str(error))  # noqa: B904 - as context, where aiomqtt leaves it, too
        entering = asyncio.create_task(self.__aenter__())
        try:
            await asyncio.shield(entering)
            if self._ended is not None:  # at once, which aiomqtt forgets when it then says it is connected
                raise self._ended  # noqa: TRY301 - it is what failed here
        except asyncio.CancelledError:
            # The connecting goes on in a thread that can not be cancelled, and that asyncio.run would wait
            # for as well. It ends within seconds, and the broker's answer need not be awaited.
            if not self._connected.done():
                self._connected.set_exception(aiomqtt.MqttError("cancelled"))
            await asyncio.wait([entering])
            if entering.cancelled() or entering.exception():
                await self._hang_up()
            else:
                await self.close()
            raise
        except BaseException:
            await self._hang_up()
            raise

    async def publish_qos1(
        self, topic: str, payload: bytes, *, retain: bool, properties: Properties | None = None
    ) -> ReasonCode | None:
        """Publishes with QoS 1, and waits for the acknowledgement.

        The message is on its way before this first waits, so messages go out in the order of the calls. No
        more than `in_flight` may be waited for at once.

        Returns:
            Why the broker refused it; None if it did not.

        Raises:
            aiomqtt.MqttError: it could not be sent, or was not acknowledged in time.
        """
        told = self._client.publish(topic, payload, 1, retain, properties)
        if told.rc:
            raise aiomqtt.MqttCodeError(told.rc, "could not publish")
        acknowledged: asyncio.Future[ReasonCode | None] = self._loop.create_future()
        self._told[told.mid] = acknowledged
        giving_up = self._loop.call_later(ANSWER, _give_up, acknowledged)
        try:
            return await acknowledged
        finally:
            giving_up.cancel()
            self._told.pop(told.mid, None)

    async def subscribe(self, *arguments: Any, **more: Any) -> Any:
        """As aiomqtt's; it can be cancelled at any time."""
        return await cancellable(super().subscribe(*arguments, **more))

    async def unsubscribe(self, *arguments: Any, **more: Any) -> None:
        """As aiomqtt's; it can be cancelled at any time."""
        await cancellable(super().unsubscribe(*arguments, **more))

    async def disconnect_with_will(self) -> None:
        """Ends it so that the broker publishes the will after its delay, unless we are back (MQTT 5).

        Raises:
            aiomqtt.MqttError, TimeoutError: it was lost before.
        """
        self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
        async with asyncio.timeout(GOODBYE):
            await self._disconnected

    async def close(self) -> None:
        """Takes leave of the broker if it is there, and lets go of everything in any case."""
        try:
            with suppress(aiomqtt.MqttError, TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await self.__aexit__(None, None, None)
        finally:
            await self._hang_up()

    async def _hang_up(self) -> None:
        self._look_at_both()
        await asyncio.sleep(0)  # a writer that is about to be added has to be, to be removed with the socket
        self._client._sock_close()  # noqa: SLF001 - paho has no public way
        if self._misc_task is not None:
            self._misc_task.cancel()
            await asyncio.wait([self._misc_task])

    def _look_at_both(self) -> None:
        """However the connection ends, now or later: or asyncio complains that nobody looked at how."""
        for future in (self._connected, self._disconnected):
            future.add_done_callback(_look_at)

    def _on_connect(
        self,
        client: Client,
        userdata: Any,
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        told = vars(properties) if properties else {}  # what was not told is no attribute
        # One is left for taking leave.
        self.in_flight = max(1, min(IN_FLIGHT, told.get("ReceiveMaximum", IN_FLIGHT + 1) - 1))
        self.max_packet_size = told.get("MaximumPacketSize")
        self.retains = bool(told.get("RetainAvailable", 1))
        self.takes_qos_1 = told.get("MaximumQoS", 1) >= 1
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: Client,
        userdata: Any,
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self._ended = aiomqtt.MqttCodeError(reason_code, "disconnected")
        if not self._connected.done():
            self._connected.set_exception(ClosedBeforeConnack(str(reason_code), self._errors.last))
        else:
            super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _on_socket_register_write(self, client: Client, userdata: Any, sock: PahoSocket) -> None:
        del userdata

        def write() -> None:
            try:
                client.loop_write()
            except Exception as error:  # noqa: BLE001 - whatever it is, it ends the connection
                if not self._disconnected.done():
                    self._disconnected.set_exception(error)

        def register() -> None:
            # By then the socket may be closed, and its number even be that of another.
            if sock.fileno() > -1 and client.want_write():
                write()  # as a rule it takes all of it at once, so that there is nothing to wait for
            if sock.fileno() > -1 and client.want_write():
                self._loop.add_writer(sock.fileno(), write)

        self._loop.call_soon_threadsafe(register)  # paho may call this in the thread that connects

    def _on_publish(
        self, client: Client, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        if reason_code.is_failure:
            self.refusals.append(reason_code)
        if (acknowledged := self._told.pop(mid, None)) is not None:
            if not acknowledged.done():
                acknowledged.set_result(reason_code if reason_code.is_failure else None)
            return
        super()._on_publish(client, userdata, mid, reason_code, properties)


async def cancellable(waiting: Coroutine[Any, Any, _T]) -> _T:
    """Waits for what waits with `asyncio.wait_for`, and is cancelled whenever it is told to.

    Before Python 3.12 `asyncio.wait_for` forgets a cancellation that comes in the moment in which its own
    wait is over (python/cpython#86296).
    """
    task = asyncio.ensure_future(waiting)
    task.add_done_callback(_look_at)
    try:
        await asyncio.wait([task])
    finally:
        task.cancel()
    return task.result()


def _look_at(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _give_up(acknowledged: asyncio.Future[ReasonCode | None]) -> None:
    if not acknowledged.done():
        acknowledged.set_exception(aiomqtt.MqttError("a message was not acknowledged in time"))


class _SocketErrors(logging.Handler):
    """Keeps the last error of the socket, which paho tells in its log and nowhere else."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last: OSError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        for argument in record.args if isinstance(record.args, tuple) else ():
            if isinstance(argument, OSError):
                self.last = argument
