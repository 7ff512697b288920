"""Makes connected clients from the settings: the login, the will and the properties of every packet."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from placed.mqtt.client import BrokerClient
from placed.mqtt.client_options import address_of, client_id_of, login_options
from placed.mqtt.connect_diagnosis import diagnose
from placed.mqtt.connection_problems import BrokerLost, no_qos_1, unexplained, why_not_connected
from placed.mqtt.messages import INSTANCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from paho.mqtt.reasoncodes import ReasonCode

    from placed.mqtt.connection_problems import Trouble
    from placed.mqtt.messages import Message
    from placed.settings.output_tables import Mqtt

_BEYOND_WILL = 15  # seconds that the session outlives the will's delay
_DIAGNOSE_AGAIN = 300.0  # seconds after which a connection that ends at CONNECT is diagnosed again
_LARGEST_INCOMING = 8 * 1024 * 1024  # bytes; the largest message that we read is our own index


class ClientFactory:
    """Makes clients for the broker of the settings.

    Args:
        settings: the table `[mqtt]`.
        will: the message that the broker publishes when the connection is lost.
        will_delay: seconds until then.
        login: the result of `login_options`, if it was called before.

    Raises:
        CannotStart: files that the settings name cannot be used.
    """

    def __init__(
        self, settings: Mqtt, will: Message, will_delay: float, login: dict[str, Any] | None = None
    ) -> None:
        self.address = address_of(settings)
        self.client_id = client_id_of(settings)
        self.v5 = settings.protocol == "5"
        self._diagnosis: tuple[Trouble, float, Trouble] | None = None  # by the error, when, after the probe
        self._options = dict(login or login_options(settings, self.client_id))
        delay = round(will_delay)
        if self.v5:
            connect = _no_properties(PacketTypes.CONNECT)
            connect.SessionExpiryInterval = delay + _BEYOND_WILL
            connect.MaximumPacketSize = _LARGEST_INCOMING
            self._options |= {
                "protocol": aiomqtt.ProtocolVersion.V5,
                # A clean start would end the earlier session, and then the broker would publish its will at
                # once, whatever its delay (MQTT 5, 3.1.2.5).
                "clean_start": False,
                "properties": connect,
            }
        else:
            self._options |= {"protocol": aiomqtt.ProtocolVersion.V311, "clean_session": True}
        self._options["will"] = aiomqtt.Will(
            will.topic, will.payload, qos=1, retain=True, properties=self._will_properties(will, delay)
        )

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[BrokerClient]:
        """Connects and logs in; disconnects at the end.

        Raises:
            BrokerLost: that failed.
        """
        client = BrokerClient(**self._options)
        try:
            await client.open()
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise BrokerLost(await self._why(error)) from error
        self._diagnosis = None
        try:
            if not client.takes_qos_1:
                raise BrokerLost(no_qos_1())
            yield client
        finally:
            await client.close()

    async def _why(self, error: Exception) -> Trouble:
        """Returns the cause. An unexplained one is probed, and not again soon while the error is the same."""
        now = asyncio.get_running_loop().time()
        known = why_not_connected(error, "5" if self.v5 else "3.1.1")
        if not unexplained(error):
            return known
        if (
            self._diagnosis is None
            or self._diagnosis[0] != known
            or now - self._diagnosis[1] >= _DIAGNOSE_AGAIN
        ):
            self._diagnosis = known, now, await diagnose(error, self._options)
        return self._diagnosis[2]

    async def publish(self, client: BrokerClient, message: Message, expiry: int | None) -> ReasonCode | None:
        """Publishes a message and waits for its PUBACK; `expiry` is in seconds, and used in MQTT 5 only.

        Returns:
            The reason of a refusal; None if the broker took the message.
        """
        return await client.publish_qos1(
            message.topic,
            message.payload,
            retain=message.retain,
            properties=_properties(expiry, json=message.json, instance=message.instance)
            if self.v5 and message.payload
            else None,
        )

    def instance_of(self, message: aiomqtt.Message) -> str | None:
        """Returns which running program published a message; None in MQTT 3.1.1."""
        if not self.v5:
            return None
        found = getattr(message.properties, "UserProperty", [])
        return next((value for name, value in found if name == INSTANCE), None)

    def _will_properties(self, will: Message, delay: int) -> Properties | None:
        if not self.v5:
            return None
        properties = _no_properties(PacketTypes.WILLMESSAGE)
        properties.WillDelayInterval = delay
        properties.PayloadFormatIndicator = 1
        properties.ContentType = _content_type(json=will.json)
        properties.UserProperty = (INSTANCE, will.instance)
        return properties


class _PackedOnce(Properties):
    """Properties that do not change any more: paho packs others again for every message."""

    @cached_property
    def _packed(self) -> bytes:
        return bytes(super().pack())  # type: ignore[no-untyped-call] # paho leaves it untyped

    def pack(self) -> bytes:
        """Returns the bytes on the wire."""
        return self._packed


@lru_cache(maxsize=256)
def _properties(expiry: int | None, *, json: bool, instance: str) -> Properties:
    """Cached, since making properties takes longer than sending a message."""
    properties = _PackedOnce(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
    properties.PayloadFormatIndicator = 1  # UTF-8
    properties.ContentType = _content_type(json=json)
    if expiry is not None:
        properties.MessageExpiryInterval = expiry
    if instance:
        properties.UserProperty = (INSTANCE, instance)
    return properties


def _no_properties(packet: int) -> Properties:
    return Properties(packet)  # type: ignore[no-untyped-call] # paho leaves it untyped


def _content_type(*, json: bool) -> str:
    return "application/json" if json else "text/plain"
