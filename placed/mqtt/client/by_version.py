"""Makes the client for the version of MQTT that the options name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.mqtt.client.v5 import Mqtt5Client

if TYPE_CHECKING:
    from placed.mqtt.client.connect_options import ConnectOptions
    from placed.mqtt.client.interface import BrokerClient


def new_client(options: ConnectOptions) -> BrokerClient:
    """Returns a client that is not connected yet."""
    if options.protocol == "5":
        return Mqtt5Client(options)
    from placed.mqtt.client.v311 import Mqtt311Client  # noqa: PLC0415 - few need it, and it takes long

    return Mqtt311Client(options)
