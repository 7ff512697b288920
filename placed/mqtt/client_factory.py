"""From the settings to connections: the login, the will and the properties of every packet."""

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
from placed.mqtt.errors import BrokerLost, no_qos_1, unexplained, why_not_connected
from placed.mqtt.messages import INSTANCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from paho.mqtt.reasoncodes import ReasonCode

    from placed.mqtt.errors import Trouble
    from placed.mqtt.messages import Message
    from placed.settings.schema import Mqtt

_BEYOND_WILL = 15  # seconds that the session outlives the will's delay
_LOOK_AGAIN = 300.0  # seconds after which an end at CONNECT is looked into once more
_LARGEST_INCOMING = 8 * 1024 * 1024  # bytes; we read nothing but our own index


class ClientFactory:
    """The broker of the settings.

    Args:
        settings: the table `[mqtt]`.
        will: what is said for us when we are gone.
        will_delay: seconds until then.
        login: what `login_options` gave, if it was asked already.

    Raises:
        CannotStart: files that the settings name can not be used.
    """

    def __init__(
        self, settings: Mqtt, will: Message, will_delay: float, login: dict[str, Any] | None = None
    ) -> None:
        self.address = address_of(settings)
        self.client_id = client_id_of(settings)
        self.v5 = settings.protocol == "5"
        self._looked: tuple[Trouble, float, Trouble] | None = None  # what was seen, when, and what it means
        self._options = dict(login or login_options(settings, self.client_id))
        delay = round(will_delay)
        if self.v5:
            connect = _no_properties(PacketTypes.CONNECT)
            connect.SessionExpiryInterval = delay + _BEYOND_WILL
            connect.MaximumPacketSize = _LARGEST_INCOMING
            self._options |= {
                "protocol": aiomqtt.ProtocolVersion.V5,
                # A clean start would end the session that we come back to, and with it the broker would
                # publish the will at once, however long its delay (MQTT 5, 3.1.2.5).
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
        """A connection, logged in.

        Raises:
            BrokerLost: it could not be made.
        """
        connection = BrokerClient(**self._options)
        try:
            await connection.open()
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            raise BrokerLost(await self._why(error)) from error
        self._looked = None
        try:
            if not connection.takes_qos_1:
                raise BrokerLost(no_qos_1())
            yield connection
        finally:
            await connection.close()

    async def _why(self, error: Exception) -> Trouble:
        """An unexplained end is looked into, and not again soon while it ends in the same way."""
        now = asyncio.get_running_loop().time()
        known = why_not_connected(error, "5" if self.v5 else "3.1.1")
        if not unexplained(error):
            return known
        if self._looked is None or self._looked[0] != known or now - self._looked[1] >= _LOOK_AGAIN:
            self._looked = known, now, await diagnose(error, self._options)
        return self._looked[2]

    async def publish(
        self, connection: BrokerClient, message: Message, expiry: int | None
    ) -> ReasonCode | None:
        """Publishes and waits for the acknowledgement; `expiry` is in seconds, and MQTT 5 only.

        Returns:
            Why the broker refused it; None if it did not.
        """
        return await connection.publish_qos1(
            message.topic,
            message.payload,
            retain=message.retain,
            properties=_properties(expiry, json=message.json, instance=message.instance)
            if self.v5 and message.payload
            else None,
        )

    def instance_of(self, message: aiomqtt.Message) -> str | None:
        """Which running program published it; None where the protocol can not tell."""
        if not self.v5:
            return None
        told = getattr(message.properties, "UserProperty", [])
        return next((value for name, value in told if name == INSTANCE), None)

    def _will_properties(self, will: Message, delay: int) -> Properties | None:
        if not self.v5:
            return None
        properties = _no_properties(PacketTypes.WILLMESSAGE)
        properties.WillDelayInterval = delay
        properties.PayloadFormatIndicator = 1
        properties.ContentType = _content_type(json=will.json)
        properties.UserProperty = (INSTANCE, will.instance)
        return properties


class _Lasting(Properties):
    """Properties that do not change any more: paho packs others anew for every message."""

    @cached_property
    def _packed(self) -> bytes:
        return bytes(super().pack())  # type: ignore[no-untyped-call] # paho leaves it untyped

    def pack(self) -> bytes:
        """What goes on the wire."""
        return self._packed


@lru_cache(maxsize=256)
def _properties(expiry: int | None, *, json: bool, instance: str) -> Properties:
    """Made once for many messages, since making one takes longer than sending it."""
    properties = _Lasting(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho leaves it untyped
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
