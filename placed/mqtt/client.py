"""The MQTT client: aiomqtt's, with what it lacks.

aiomqtt has no public API for some things that the daemon needs, so a subclass extends a few callbacks:

- The broker's CONNACK limits how many messages may be in flight and how large they may be.
- If a broker closes the connection instead of sending a CONNACK (because it requires a client certificate,
  for example), aiomqtt notices it only after a timeout, and the cause is only in paho's log.
- A PUBACK reports that an access list forbids a publish; aiomqtt takes it for success.
- aiomqtt creates a task and an event for every message, and searches all that are in flight; see
  `publish_qos1`.
- aiomqtt adds a writer for a socket that may be closed by then, and asyncio warns about it.
- A failed or cancelled attempt to connect leaves its socket and a task behind.
- Before Python 3.12 a cancellation can be lost while aiomqtt waits for a SUBACK or an UNSUBACK; see
  `cancellable`.
- aiomqtt's queue discards the newest messages when it is full, and its iterator makes tasks for each; see
  `receive`.
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
    from collections.abc import Callable, Coroutine

    from aiomqtt.types import PahoSocket
    from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
    from paho.mqtt.properties import Properties

IN_FLIGHT = 64  # unacknowledged messages at once; enough to hide the broker's latency
ANSWER = 10.0  # seconds for the broker to answer any packet
GOODBYE = 2.0  # seconds to disconnect
_T = TypeVar("_T")
_NO_LIMIT = 0  # paho's own limit would search all messages in flight at each acknowledgement


class ClosedBeforeConnack(aiomqtt.MqttError):
    """The broker closed the connection before it sent a CONNACK. `cause` is the socket's error, if any."""

    def __init__(self, reason: str, cause: OSError | None) -> None:
        super().__init__(reason)
        self.cause = cause


class BrokerClient(aiomqtt.Client):
    """A client for one connection to the broker, from `open` to `close`; it is not used again.

    Args:
        options: the arguments of `aiomqtt.Client`.

    Attributes:
        in_flight: how many messages may be unacknowledged at once.
        max_packet_size: the limit in bytes that the broker announces; None if it announces none.
        retains: False if the broker announces that it keeps no retained messages.
        takes_qos_1: False if the broker announces that it takes QoS 0 alone.
        refusals: the reason codes of refused publishes; the reader removes them.
        receive: is called with every message in place of `messages`, if it is set.
    """

    def __init__(self, **options: Any) -> None:
        self._errors = _SocketErrors()
        self._address: tuple[str, int] = options["hostname"], options.get("port", 1883)
        logger = logging.Logger("paho", logging.ERROR)  # noqa: LOG001 - only this client reads it
        logger.addHandler(self._errors)
        super().__init__(**options, logger=logger, timeout=ANSWER, max_inflight_messages=_NO_LIMIT)
        self._retrieve_errors()
        self.in_flight = IN_FLIGHT
        self.max_packet_size: int | None = None
        self.retains = True
        self.takes_qos_1 = True
        self._ended: aiomqtt.MqttCodeError | None = None
        # By packet id, until the PUBACK; the result is the reason of a refusal, or None.
        self._unacknowledged: dict[int, asyncio.Future[ReasonCode | None]] = {}
        self.refusals: list[ReasonCode] = []
        self.receive: Callable[[MQTTMessage], None] | None = None

    async def open(self) -> None:
        """Connects and logs in.

        Raises:
            aiomqtt.MqttError: that failed; the socket's own error is its context.
        """
        try:
            await look_up(*self._address)
        except OSError as error:
            raise aiomqtt.MqttError(str(error))  # noqa: B904 - the context, as aiomqtt does it
        connecting = asyncio.create_task(self.__aenter__())
        try:
            await asyncio.shield(connecting)
            if self._ended is not None:  # right after the CONNACK, which aiomqtt ignores
                raise self._ended  # noqa: TRY301 - handled below, as any other failure
        except asyncio.CancelledError:
            # aiomqtt connects in a thread that cannot be cancelled, and that asyncio.run would wait for too.
            # It ends within seconds; the broker's answer need not be awaited.
            if not self._connected.done():
                self._connected.set_exception(aiomqtt.MqttError("cancelled"))
            await asyncio.wait([connecting])
            if connecting.cancelled() or connecting.exception():
                await self._release()
            else:
                await self.close()
            raise
        except BaseException:
            await self._release()
            raise

    async def publish_qos1(
        self, topic: str, payload: bytes, *, retain: bool, properties: Properties | None = None
    ) -> ReasonCode | None:
        """Publishes a message with QoS 1, and waits for its PUBACK.

        The message is sent before this method first waits, so messages go out in the order of the calls. No
        more than `in_flight` calls may wait at once.

        Returns:
            The reason of a refusal; None if the broker took the message.

        Raises:
            aiomqtt.MqttError: the message could not be sent, or was not acknowledged in time.
        """
        sent = self._client.publish(topic, payload, 1, retain, properties)
        if sent.rc:
            raise aiomqtt.MqttCodeError(sent.rc, "could not publish")
        acknowledged: asyncio.Future[ReasonCode | None] = self._loop.create_future()
        self._unacknowledged[sent.mid] = acknowledged
        timeout = self._loop.call_later(ANSWER, _time_out, acknowledged)
        try:
            return await acknowledged
        finally:
            timeout.cancel()
            self._unacknowledged.pop(sent.mid, None)

    async def subscribe(self, *arguments: Any, **more: Any) -> Any:
        """As in aiomqtt, but it can be cancelled at any time."""
        return await cancellable(super().subscribe(*arguments, **more))

    async def unsubscribe(self, *arguments: Any, **more: Any) -> None:
        """As in aiomqtt, but it can be cancelled at any time."""
        await cancellable(super().unsubscribe(*arguments, **more))

    async def ended(self) -> None:
        """Waits until the connection is lost.

        Raises:
            aiomqtt.MqttError: it was; the cause.
        """
        await asyncio.wait([self._disconnected])
        error = self._disconnected.exception()
        raise (
            error if isinstance(error, aiomqtt.MqttError) else aiomqtt.MqttError(str(error or "disconnected"))
        )

    async def disconnect_with_will(self) -> None:
        """Disconnects so that the broker publishes the will after its delay, unless we reconnect (MQTT 5).

        Raises:
            aiomqtt.MqttError, TimeoutError: the connection was lost before.
        """
        self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
        async with asyncio.timeout(GOODBYE):
            await self._disconnected

    async def close(self) -> None:
        """Disconnects if there is a connection, and releases the socket and all tasks in any case."""
        try:
            with suppress(aiomqtt.MqttError, TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await self.__aexit__(None, None, None)
        finally:
            await self._release()

    async def _release(self) -> None:
        self._retrieve_errors()
        await asyncio.sleep(0)  # a writer that is about to be added must be, to be removed with the socket
        self._client._sock_close()  # noqa: SLF001 - paho has no public method
        if self._misc_task is not None:
            self._misc_task.cancel()
            await asyncio.wait([self._misc_task])

    def _retrieve_errors(self) -> None:
        """Retrieves the errors of aiomqtt's current futures, or asyncio warns that nobody did."""
        for future in (self._connected, self._disconnected):
            future.add_done_callback(_retrieve)

    def _on_connect(
        self,
        client: Client,
        userdata: Any,
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        announced = vars(properties) if properties else {}  # a property that is missing is no attribute
        # One is left for the last `offline`.
        self.in_flight = max(1, min(IN_FLIGHT, announced.get("ReceiveMaximum", IN_FLIGHT + 1) - 1))
        self.max_packet_size = announced.get("MaximumPacketSize")
        self.retains = bool(announced.get("RetainAvailable", 1))
        self.takes_qos_1 = announced.get("MaximumQoS", 1) >= 1
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

    def _on_message(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        if self.receive is not None:
            self.receive(message)
        else:
            super()._on_message(client, userdata, message)

    def _on_socket_register_write(self, client: Client, userdata: Any, sock: PahoSocket) -> None:
        del userdata

        def write() -> None:
            try:
                client.loop_write()
            except Exception as error:  # noqa: BLE001 - any error ends the connection
                if not self._disconnected.done():
                    self._disconnected.set_exception(error)

        def register() -> None:
            # By then the socket may be closed, and its number may belong to another one.
            if sock.fileno() > -1 and client.want_write():
                write()  # as a rule the socket takes everything at once, and no writer is needed
            if sock.fileno() > -1 and client.want_write():
                self._loop.add_writer(sock.fileno(), write)

        self._loop.call_soon_threadsafe(register)  # paho may call this in the thread that connects

    def _on_publish(
        self, client: Client, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        if reason_code.is_failure:
            self.refusals.append(reason_code)
        if (acknowledged := self._unacknowledged.pop(mid, None)) is not None:
            if not acknowledged.done():
                acknowledged.set_result(reason_code if reason_code.is_failure else None)
            return
        super()._on_publish(client, userdata, mid, reason_code, properties)


async def cancellable(waiting: Coroutine[Any, Any, _T]) -> _T:
    """Awaits a coroutine that uses `asyncio.wait_for`, and loses no cancellation.

    Before Python 3.12 `asyncio.wait_for` ignores a cancellation that arrives in the moment in which its own
    wait is over (python/cpython#86296).
    """
    task = asyncio.ensure_future(waiting)
    task.add_done_callback(_retrieve)
    try:
        await asyncio.wait([task])
    finally:
        task.cancel()
    return task.result()


def _retrieve(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def _time_out(acknowledged: asyncio.Future[ReasonCode | None]) -> None:
    if not acknowledged.done():
        acknowledged.set_exception(aiomqtt.MqttError("a message was not acknowledged in time"))


class _SocketErrors(logging.Handler):
    """Keeps the last error of the socket, which paho reports in its log alone."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.last: OSError | None = None

    def emit(self, record: logging.LogRecord) -> None:
        for argument in record.args if isinstance(record.args, tuple) else ():
            if isinstance(argument, OSError):
                self.last = argument
