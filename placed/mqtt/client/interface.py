"""The interface of both clients: one connection to a broker, from `open` to `close`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from placed.mqtt.client.incoming import Incoming
    from placed.mqtt.client.publish_properties import PublishProperties, Received
    from placed.mqtt.client.reason_code import ReasonCode

IN_FLIGHT = 64  # unacknowledged messages at once; enough to hide the broker's latency


class BrokerClient(Protocol):
    """A client for one connection; it is not used again.

    Attributes:
        in_flight: how many messages may be unacknowledged at once.
        max_packet_size: the limit in bytes that the broker announces; None if it announces none.
        retains: False if the broker announces that it keeps no retained messages.
        takes_qos_1: False if the broker announces that it takes QoS 0 alone.
        receive: is called with every message in place of `messages`, if it is set.
        writable: is called when the client may take messages again, if it is set: after PUBACKs, all that
            arrived together, and after `congested`.
    """

    in_flight: int
    max_packet_size: int | None
    retains: bool
    takes_qos_1: bool
    receive: Callable[[Received], None] | None
    writable: Callable[[], None] | None

    @property
    def messages(self) -> Incoming:
        """The messages that wait to be read."""

    @property
    def congested(self) -> bool:
        """Whether so much waits for the network that nothing more should be sent now."""

    async def open(self) -> None:
        """Connects and logs in.

        Raises:
            MqttError: that failed; the socket's own error is its cause.
            UnicodeError: no such host name can exist.
        """

    def send(
        self,
        topic: str,
        payload: bytes,
        acknowledged: Callable[[ReasonCode | None], None],
        *,
        retain: bool,
        properties: PublishProperties | None = None,
    ) -> None:
        """Publishes a message with QoS 1. Messages go out in the order of the calls.

        No more than `in_flight` messages may lack their PUBACK.

        Args:
            topic: where.
            payload: an empty one clears a retained message.
            acknowledged: is called at the PUBACK, with the reason of a refusal, or None if the broker took
                the message. It is not called if the connection is lost before.
            retain: whether the broker keeps the message.
            properties: in MQTT 5.

        Raises:
            MqttError: the connection is lost.
        """

    def hold(self) -> None:
        """Keeps what `send` is given until `flush`, which is called in the same turn of the event loop."""

    def flush(self) -> None:
        """Hands what was kept since `hold` to the network, in one write."""

    async def publish(
        self, topic: str, payload: bytes, *, retain: bool, properties: PublishProperties | None = None
    ) -> ReasonCode | None:
        """Publishes a message as `send` does, and waits for its PUBACK.

        Returns:
            The reason of a refusal; None if the broker took the message.

        Raises:
            MqttError: the connection is lost.
        """

    async def subscribe(
        self, filters: Iterable[str], qos: int = 1, *, live_only: bool = False
    ) -> Sequence[ReasonCode]:
        """Subscribes, and returns the broker's answer to each filter.

        Args:
            filters: the topic filters.
            qos: the highest QoS.
            live_only: whether the broker shall send no retained messages, and leave the retain flag of the
                others as they were published (MQTT 5). In MQTT 3.1.1 it sends retained messages, with the
                flag set, and the others without it.

        Raises:
            MqttError: the connection is lost, or the broker does not answer.
        """

    async def unsubscribe(self, filters: Iterable[str], within: float | None = None) -> None:
        """Unsubscribes. The broker sends what it had begun to send before it answers.

        Raises:
            MqttError: the connection is lost, or the broker does not answer; `within` is in seconds.
        """

    async def ended(self) -> None:
        """Waits until the connection is lost.

        Raises:
            MqttError: it was; the cause.
        """

    async def disconnect_with_will(self) -> None:
        """Disconnects so that the broker publishes the will after its delay, unless we reconnect (MQTT 5).

        In MQTT 3.1.1 the connection is cut, and the broker publishes the will at once.
        """

    async def close(self) -> None:
        """Disconnects if there is a connection, and releases everything in any case."""
