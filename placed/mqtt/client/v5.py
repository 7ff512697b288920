"""The client for MQTT 5: the codec `mqtt5` over a transport of asyncio."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import mqtt5

from placed.mqtt.client import timeouts
from placed.mqtt.client.incoming import Incoming
from placed.mqtt.client.interface import IN_FLIGHT
from placed.mqtt.client.mqtt_error import ClosedBeforeConnack, MqttError, complete
from placed.mqtt.client.reason_code import ReasonCode
from placed.mqtt.client.v5_packets import (
    CONNACK,
    DISCONNECT,
    PUBACK,
    UnusualReason,
    connect_packet,
    has_wildcard,
    message_of,
    publish_packet,
    subscribe_packet,
)
from placed.mqtt.client.v5_transport import ClosedFromOutside, PacketTransport, reach, wait_closed
from placed.mqtt.client.v5_unanswered import Unanswered
from placed.mqtt.name_lookup import look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from placed.mqtt.client.connect_options import ConnectOptions
    from placed.mqtt.client.publish_properties import PublishProperties, Received

_QOS_1 = mqtt5.QoS.AT_LEAST_ONCE
_ENDED = "the broker ended the connection"
_NO_WILDCARDS = ReasonCode(0xA2)  # a broker that announced this would end the connection: MQTT 5, 3.2.2.3.11


class Mqtt5Client:
    """A client for one connection; for its methods see `BrokerClient`.

    Args:
        options: where and how to connect.
    """

    def __init__(self, options: ConnectOptions) -> None:
        self.in_flight = IN_FLIGHT
        self.max_packet_size: int | None = None
        self.retains = True
        self.takes_qos_1 = True
        self._takes_wildcards = True
        self.receive: Callable[[Received], None] | None = None
        self.writable: Callable[[], None] | None = None
        self.messages = Incoming(options.queue)
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._transport: PacketTransport | None = None
        self._connected: asyncio.Future[None] = self._loop.create_future()
        self._end: MqttError | None = None
        self._has_ended = asyncio.Event()
        self._unanswered = Unanswered(self._late)
        self._receive_maximum = IN_FLIGHT
        self._has_acknowledged = asyncio.Event()
        self._received_twice: set[int] = set()  # packet ids of messages with QoS 2, until their PUBREL

    @property
    def congested(self) -> bool:
        """Whether so much waits for the network that nothing more should be sent now."""
        return self._transport is not None and self._transport.congested

    # --- connecting ---

    async def open(self) -> None:
        """Connects and logs in."""
        options = self._options
        try:
            addresses = await look_up(options.host, options.port)
            self._transport = await reach(addresses, self._new_transport, options)
            self._transport.send(connect_packet(options).write())
            async with asyncio.timeout(timeouts.ANSWER):
                await self._connected
        except OSError as error:
            self._release()
            text = "no answer in time" if isinstance(error, TimeoutError) else str(error)
            raise MqttError(text) from error
        except BaseException:
            self._release()
            raise
        if self._end is not None:  # right after the CONNACK
            raise self._lost_error()

    def _new_transport(self) -> PacketTransport:
        return PacketTransport(self._options.largest_incoming, self._take, self._lost, self._became_writable)

    def _became_writable(self) -> None:
        if self.writable is not None and self._end is None:
            self.writable()

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
        transport, packet_id = self._usable(), self._unanswered.next_id()
        packet = publish_packet(topic, payload, packet_id, retain=retain, properties=properties)
        transport.send(packet.write())
        self._unanswered.add_publish(packet_id, acknowledged)

    def hold(self) -> None:
        """Keeps what is sent until `flush`."""
        if self._transport is not None:
            self._transport.hold()

    def flush(self) -> None:
        """Hands what was kept since `hold` to the network."""
        if self._transport is not None:
            self._transport.write_now()

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool, properties: PublishProperties | None = None
    ) -> ReasonCode | None:
        """Publishes a message, and waits for its PUBACK."""
        answer: asyncio.Future[ReasonCode | None] = self._unanswered.new_answer()

        def acknowledged(code: ReasonCode | None) -> None:
            if not answer.done():
                answer.set_result(code)

        while self._end is None and len(self._unanswered) >= self._receive_maximum:
            self._has_acknowledged.clear()
            await self._has_acknowledged.wait()
        self.send(topic, payload, acknowledged, retain=retain, properties=properties)
        return await answer

    async def subscribe(
        self, filters: Iterable[str], qos: int = 1, *, live_only: bool = False
    ) -> Sequence[ReasonCode]:
        """Subscribes, and returns the broker's answer to each filter."""
        asked = list(filters)
        wanted = asked if self._takes_wildcards else [name for name in asked if not has_wildcard(name)]
        codes: dict[str, ReasonCode] = {}
        if wanted:
            packet_id = self._unanswered.next_id()
            packet = subscribe_packet(packet_id, wanted, qos, live_only=live_only)
            answer = complete(await self._ask(packet_id, packet.write(), timeouts.ANSWER), len(wanted))
            codes = dict(zip(wanted, answer, strict=True))
        return [codes.get(name, _NO_WILDCARDS) for name in asked]

    async def unsubscribe(self, filters: Iterable[str], within: float | None = None) -> None:
        """Unsubscribes."""
        packet_id = self._unanswered.next_id()
        await self._ask(
            packet_id, mqtt5.UnsubscribePacket(packet_id, list(filters)).write(), within or timeouts.ANSWER
        )

    async def _ask(self, packet_id: int, packet: bytes, within: float) -> tuple[ReasonCode, ...]:
        transport = self._usable()
        answer: asyncio.Future[tuple[ReasonCode, ...]] = self._unanswered.new_answer()
        self._unanswered.add_request(packet_id, answer)
        transport.send(packet)
        try:
            async with asyncio.timeout(within):
                return await answer
        except TimeoutError:
            raise MqttError("the broker did not answer in time") from None
        finally:
            self._unanswered.forget_request(packet_id)

    def _usable(self) -> PacketTransport:
        if self._end is not None or self._transport is None:
            raise self._lost_error()
        return self._transport

    def _late(self) -> None:
        if self._transport is not None:
            self._transport.end(MqttError("a message was not acknowledged in time"))

    # --- the end ---

    async def ended(self) -> None:
        """Waits until the connection is lost, and raises the cause."""
        await self._has_ended.wait()
        raise self._lost_error()

    async def disconnect_with_will(self) -> None:
        """Disconnects so that the broker publishes the will after its delay, unless we reconnect."""
        await self._disconnect(mqtt5.DisconnectReasonCode.DISCONNECT_WITH_WILL_MESSAGE)

    async def close(self) -> None:
        """Disconnects if there is a connection, and releases everything in any case."""
        try:
            if self._end is None:
                await self._disconnect(mqtt5.DisconnectReasonCode.NORMAL_DISCONNECTION)
        finally:
            self._release()

    async def _disconnect(self, reason: mqtt5.DisconnectReasonCode) -> None:
        if self._transport is None:
            return
        self._transport.send(mqtt5.DisconnectPacket(reason_code=reason).write())
        self._transport.close()
        self._lost(MqttError("disconnected"))
        await wait_closed(self._transport, timeouts.GOODBYE)

    def _release(self) -> None:
        self._lost(MqttError("the connection was closed"))
        if self._transport is not None:
            self._transport.abort()

    def _lost(self, error: MqttError) -> None:
        """The connection is over; only the first cause counts."""
        if self._end is not None:
            return
        self._end = error
        if not self._connected.done():
            if isinstance(error, ClosedFromOutside):
                error = ClosedBeforeConnack(str(error))
                error.__cause__ = self._end.__cause__
            self._connected.set_exception(error)
            self._connected.exception()  # nobody may wait for it any more
        self._has_ended.set()
        self._has_acknowledged.set()
        self._unanswered.close(self._lost_error)
        self.messages.end(self._lost_error())

    def _lost_error(self) -> MqttError:
        return (self._end or MqttError("there is no connection")).again()

    # --- what the broker sends ---

    def _take(self, packet: mqtt5.Packet | UnusualReason) -> None:
        if self._end is not None:
            return
        match packet:
            case mqtt5.PubAckPacket():
                self._acknowledge(packet.packet_id, int(packet.reason_code))
            case mqtt5.PublishPacket():
                self._received(packet)
            case mqtt5.SubAckPacket() | mqtt5.UnsubAckPacket():
                self._unanswered.answer(
                    packet.packet_id, tuple(ReasonCode(int(code)) for code in packet.reason_codes)
                )
            case mqtt5.PubRelPacket():
                self._received_twice.discard(packet.packet_id)
                self._usable().send(mqtt5.PubCompPacket(packet.packet_id).write())
            case mqtt5.ConnAckPacket():
                self._answered_connect(packet)
            case mqtt5.DisconnectPacket():
                self._ended_by_broker(ReasonCode(int(packet.reason_code)))
            case UnusualReason():
                self._took_unusual(packet)
            case mqtt5.PingRespPacket():
                pass
            case _:
                raise MqttError(f"the broker sends a packet that was not expected: {type(packet).__name__}")

    def _took_unusual(self, packet: UnusualReason) -> None:
        if packet.kind == CONNACK:
            raise MqttError("refused", packet.codes[0])
        if packet.kind == DISCONNECT:
            self._ended_by_broker(packet.codes[0])
        elif packet.kind == PUBACK:
            self._acknowledge(packet.packet_id, packet.codes[0].value)
        else:
            self._unanswered.answer(packet.packet_id, packet.codes)

    def _acknowledge(self, packet_id: int, code: int) -> None:
        self._unanswered.acknowledge(packet_id, code)
        self._has_acknowledged.set()

    def _answered_connect(self, packet: mqtt5.ConnAckPacket) -> None:
        if self._connected.done():
            raise MqttError("the broker sends a second CONNACK")
        reason = ReasonCode(int(packet.reason_code))
        if reason.is_failure:
            raise MqttError("refused", reason)
        # One is left for the last `offline`.
        self.in_flight = max(1, min(IN_FLIGHT, packet.receive_max - 1))
        self._receive_maximum = packet.receive_max
        self.max_packet_size = packet.max_packet_size
        self.retains = packet.retain_available
        self.takes_qos_1 = packet.max_qos is not mqtt5.QoS.AT_MOST_ONCE
        self._takes_wildcards = packet.wildcard_subscription_available
        keep_alive = packet.server_keep_alive
        self._usable().keep_alive(self._options.keep_alive if keep_alive is None else keep_alive)
        self._connected.set_result(None)

    def _ended_by_broker(self, reason: ReasonCode) -> None:
        error = MqttError("disconnected", reason) if reason.is_failure else MqttError(_ENDED)
        self._usable().end(error)

    def _received(self, packet: mqtt5.PublishPacket) -> None:
        packet_id = packet.packet_id
        if packet_id == 0 or packet.topic_alias is not None:  # MQTT 5, 2.2.1 and 3.3.2.3.4
            raise MqttError("the broker sends a message that is not allowed")
        if packet_id is not None:
            if packet.qos is _QOS_1:
                self._usable().send(mqtt5.PubAckPacket(packet_id).write())
            else:
                self._usable().send(mqtt5.PubRecPacket(packet_id).write())
                if packet_id in self._received_twice:
                    return
                self._received_twice.add(packet_id)
        message = message_of(packet)
        if self.receive is not None:
            self.receive(message)
        else:
            self.messages.put(message)
