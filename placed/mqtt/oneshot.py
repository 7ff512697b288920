"""A visit to the broker beside the daemon: with a client identifier of its own, no will and no session."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiomqtt

from placed.mqtt.client import Connection
from placed.mqtt.client_options import client_id_of, login_options
from placed.mqtt.connect_diagnosis import diagnose
from placed.mqtt.errors import BrokerLost, Trouble, why_lost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from placed.settings.schema import Mqtt

_CONNECT = 40.0  # seconds for DNS, TCP, TLS and login together


@asynccontextmanager
async def visit(settings: Mqtt, purpose: str) -> AsyncIterator[Connection]:
    """A connection, logged in; `purpose` is added to the client identifier.

    Raises:
        BrokerLost: it could not be made, or was lost.
        CannotStart: files that the settings name can not be used.
    """
    options = visiting_options(settings, f"{client_id_of(settings)}-{purpose}")
    broker = Connection(**options)
    try:
        async with asyncio.timeout(_CONNECT):
            await broker.open()
    except TimeoutError:
        raise BrokerLost(Trouble("broker.was_not_reached", "it takes too long")) from None
    except (aiomqtt.MqttError, OSError, ValueError) as error:
        raise BrokerLost(await diagnose(error, options)) from error
    try:
        yield broker
    except aiomqtt.MqttError as error:
        raise BrokerLost(why_lost(error)) from error
    finally:
        await broker.close()


def trial_will(settings: Mqtt) -> aiomqtt.Will:
    """A will that says nothing, with the daemon's QoS: a broker that refuses that reports it at once."""
    return aiomqtt.Will(f"{settings.base_topic}/bridge/doctor", b"", qos=1)


def visiting_options(settings: Mqtt, client_id: str) -> dict[str, Any]:
    """What a `Connection` takes for a visit."""
    options = login_options(settings, client_id)
    options["max_queued_incoming_messages"] = None  # all that is retained comes at once
    if settings.protocol == "5":
        return options | {"protocol": aiomqtt.ProtocolVersion.V5, "clean_start": True}
    return options | {"protocol": aiomqtt.ProtocolVersion.V311, "clean_session": True}
