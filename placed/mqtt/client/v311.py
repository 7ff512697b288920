"""The client for MQTT 3.1.1: aiomqtt, by its public interface."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import aiomqtt

from placed.mqtt.client import timeouts
from placed.mqtt.client.incoming import Incoming
from placed.mqtt.client.interface import IN_FLIGHT
from placed.mqtt.client.mqtt_error import MqttError, complete
from placed.mqtt.client.publish_properties import Received
from placed.mqtt.client.reason_code import ReasonCode
from placed.mqtt.client.v311_aiomqtt import cause, converted, in_background, leave, leave_later, new_client
from placed.mqtt.name_lookup import look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from placed.mqtt.client.connect_options import ConnectOptions
    from placed.mqtt.client.publish_properties import PublishProperties

_T = TypeVar("_T")


class Mqtt311Client:
    """A client for one connection; for its methods see `BrokerClient`.

    Args:
        options: where and how to connect.
    """

    def __init__(self, options: ConnectOptions) -> None:
        self.in_flight = IN_FLIGHT
        self.max_packet_size: int | None = None  # MQTT 3.1.1 announces no limits
        self.retains = True
        self.takes_qos_1 = True
        self.receive: Callable[[Received], None] | None = None
        self.writable: Callable[[], None] | None = None
        self.congested = False
        self.messages = Incoming(options.queue)
        self._options = options
        self._client, self._arrived = new_client(options)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._end: MqttError | None = None
        self._has_ended = asyncio.Event()
        self._is_open = False

    async def open(self) -> None:
        """Connects and logs in."""
        try:
            await look_up(self._options.host, self._options.port)
        except OSError as error:
            raise MqttError(str(error)) from error
        connecting = asyncio.ensure_future(self._client.__aenter__())
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            # aiomqtt connects in a thread that cannot be cancelled; what it leaves is closed afterwards.
            leave_later(self._client, connecting)
            raise
        except aiomqtt.MqttError as error:
            await leave(self._client)  # or the socket of a silent broker stays open
            raise converted(error) from cause(error)
        self._is_open = True
        self._start(self._read()).add_done_callback(self._report_mistake)

    async def _read(self) -> None:
        """Reads messages until the connection is lost."""
        try:
            async for message in self._client.messages:
                received = Received(message.topic.value, _bytes(message.payload), message.retain)
                if self.receive is not None:
                    self.receive(received)
                else:
                    self.messages.put(received)
                self._arrived.task_done()
        except aiomqtt.MqttError as error:
            self._lost(converted(error))

    # --- publishing and subscribing ---

    def send(
        self,
        topic: str,
        payload: bytes,
        acknowledged: Callable[[ReasonCode | None], None],
        *,
        retain: bool,
        properties: PublishProperties | None = None,
    ) -> None:
        """Publishes a message with QoS 1; `acknowledged` is called at its PUBACK."""
        del properties  # MQTT 3.1.1 has none
        self._check_usable()
        sending = self._start(self._send(topic, payload, acknowledged, retain=retain))
        sending.add_done_callback(self._report_mistake)

    def hold(self) -> None:
        """Does nothing: each message goes out in a task of its own."""

    def flush(self) -> None:
        """Does nothing; see `hold`."""

    async def _send(
        self,
        topic: str,
        payload: bytes,
        acknowledged: Callable[[ReasonCode | None], None],
        *,
        retain: bool,
    ) -> None:
        try:
            await self._client.publish(topic, payload, qos=1, retain=retain, timeout=timeouts.ANSWER)
        except aiomqtt.MqttError as error:
            self._lost(converted(error))
        else:
            acknowledged(None)
            if self.writable is not None and self._end is None:
                self.writable()

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool, properties: PublishProperties | None = None
    ) -> ReasonCode | None:
        """Publishes a message, and waits for its PUBACK, which reports no refusal in MQTT 3.1.1."""
        del properties
        self._check_usable()
        await self._unless_ended(
            self._client.publish(topic, payload, qos=1, retain=retain, timeout=timeouts.ANSWER)
        )
        return None

    async def subscribe(
        self, filters: Iterable[str], qos: int = 1, *, live_only: bool = False
    ) -> Sequence[ReasonCode]:
        """Subscribes, and returns the broker's answer to each filter."""
        del live_only  # MQTT 3.1.1 has no such option
        self._check_usable()
        wanted = [(name, qos) for name in filters]
        granted = await self._unless_ended(self._client.subscribe(wanted, timeout=timeouts.ANSWER))
        codes = [ReasonCode(code if isinstance(code, int) else code.value) for code in granted]
        return complete(codes, len(wanted))

    async def unsubscribe(self, filters: Iterable[str], within: float | None = None) -> None:
        """Unsubscribes. Messages that came before the answer are passed on when this returns."""
        self._check_usable()
        within = within or timeouts.ANSWER
        await self._unless_ended(self._client.unsubscribe(list(filters), timeout=within))
        try:
            async with asyncio.timeout(within):
                await self._unless_ended(self._arrived.join())
        except TimeoutError:
            raise MqttError("messages arrive faster than they are read") from None

    def _check_usable(self) -> None:
        if self._end is not None:
            raise self._lost_error()

    async def _unless_ended(self, waiting: Coroutine[Any, Any, _T]) -> _T:
        """Returns the result; raises if the connection is lost before.

        In a task of its own: before Python 3.12 `asyncio.wait_for`, which aiomqtt uses, ignores a
        cancellation that arrives in the moment in which its own wait is over (python/cpython#86296).
        """
        answer, ended = self._start(waiting), self._start(self._has_ended.wait())
        try:
            await asyncio.wait([answer, ended], return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
        except aiomqtt.MqttError as error:
            raise converted(error) from cause(error)
        finally:
            answer.cancel()
            ended.cancel()
        raise self._lost_error()

    def _start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_retrieve)
        return task

    def _report_mistake(self, task: asyncio.Task[None]) -> None:
        """An exception in a callback of ours ends the connection, as asyncio does for MQTT 5."""
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        context = {"message": "a client's callback failed", "exception": error, "task": task}
        task.get_loop().call_exception_handler(context)
        lost = MqttError(str(error))
        lost.__cause__ = error
        self._lost(lost)

    # --- the end ---

    async def ended(self) -> None:
        """Waits until the connection is lost, and raises the cause."""
        await self._has_ended.wait()
        raise self._lost_error()

    async def disconnect_with_will(self) -> None:
        """Does nothing: in MQTT 3.1.1 a client that disconnects has no will any more."""

    async def close(self) -> None:
        """Disconnects if there is a connection, and releases everything in any case."""
        self._lost(MqttError("the connection was closed"))
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        try:
            if tasks:
                await asyncio.wait(tasks)
        finally:
            if self._is_open:
                self._is_open = False
                await asyncio.shield(in_background(leave(self._client)))

    def _lost(self, error: MqttError) -> None:
        """The connection is over; only the first cause counts."""
        if self._end is None:
            self._end = error
            self._has_ended.set()
            self.messages.end(error)

    def _lost_error(self) -> MqttError:
        return (self._end or MqttError("there is no connection")).again()


def _bytes(payload: object) -> bytes:
    return payload if isinstance(payload, bytes) else b""


def _retrieve(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()
