"""Makes connected clients from the settings: the login, the will and how long the session is kept."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from placed.mqtt.client.by_version import new_client
from placed.mqtt.client.connect_options import Will
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client_options import address_of, client_id_of, login_options
from placed.mqtt.connect_diagnosis import diagnose, what_it_lacks
from placed.mqtt.connection_problems import (
    BrokerLost,
    unexplained,
    why_not_connected,
)
from placed.mqtt.messages import properties_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from placed.mqtt.client.connect_options import ConnectOptions
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.connection_problems import Trouble
    from placed.mqtt.messages import Message
    from placed.settings.output_settings import Mqtt

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
        self, settings: Mqtt, will: Message, will_delay: float, login: ConnectOptions | None = None
    ) -> None:
        self.address = address_of(settings)
        self.client_id = client_id_of(settings)
        self.v5 = settings.protocol == "5"
        self._diagnosis: tuple[Trouble, float, Trouble] | None = None  # by the error, when, after the probe
        delay = round(will_delay)
        self._options = replace(
            login or login_options(settings, self.client_id),
            # A clean start would end the earlier session, and then the broker would publish its will at
            # once, whatever its delay (MQTT 5, 3.1.2.5).
            clean_start=False,
            session_expiry=delay + _BEYOND_WILL,
            largest_incoming=_LARGEST_INCOMING,
            will=Will(will.topic, will.payload, retain=True, delay=delay, properties=properties_of(will)),
        )

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[BrokerClient]:
        """Connects and logs in; disconnects at the end.

        Raises:
            BrokerLost: that failed.
        """
        client = new_client(self._options)
        try:
            await client.open()
        except (MqttError, ValueError) as error:
            raise BrokerLost(await self._why(error)) from error
        self._diagnosis = None
        try:
            lacking = what_it_lacks(client)
            if lacking is not None:
                raise BrokerLost(lacking)
            yield client
        finally:
            await client.close()

    async def _why(self, error: Exception) -> Trouble:
        """Returns the cause. An unexplained one is probed, and not again soon while the error is the same."""
        now = asyncio.get_running_loop().time()
        known = why_not_connected(error, self._options.protocol)
        if not unexplained(error):
            return known
        if (
            self._diagnosis is None
            or self._diagnosis[0] != known
            or now - self._diagnosis[1] >= _DIAGNOSE_AGAIN
        ):
            self._diagnosis = known, now, await diagnose(error, self._options)
        return self._diagnosis[2]
