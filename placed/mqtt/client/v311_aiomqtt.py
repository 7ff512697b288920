"""The client of aiomqtt: how it is made and left, and its errors as ours."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.reasoncodes import ReasonCode as PahoReason

from placed.mqtt.client import timeouts
from placed.mqtt.client.interface import IN_FLIGHT
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client.reason_code import ReasonCode

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from placed.mqtt.client.connect_options import ConnectOptions

_NO_LIMIT = 0  # paho's own limit would search all messages in flight at each acknowledgement
_PROTOCOL_ERROR = 0x82  # the reason code that paho gives a packet that it cannot read
_QUIET = logging.CRITICAL + 1  # what aiomqtt and paho log is in the error that they raise


def new_client(options: ConnectOptions) -> tuple[aiomqtt.Client, asyncio.Queue[aiomqtt.Message]]:
    """Returns the client, and the queue in which it keeps messages until they are read."""
    made: list[asyncio.Queue[aiomqtt.Message]] = []

    class Queue(asyncio.Queue["aiomqtt.Message"]):
        def __init__(self, maxsize: int = 0) -> None:
            super().__init__(maxsize)
            made.append(self)

    logger = logging.Logger("mqtt", _QUIET)  # noqa: LOG001 - only this client writes to it
    will = options.will
    client = aiomqtt.Client(
        options.host,
        options.port,
        protocol=aiomqtt.ProtocolVersion.V311,
        clean_session=True,
        identifier=options.client_id,
        username=options.username,
        password=options.password,
        tls_context=options.tls,
        keepalive=options.keep_alive,
        will=None if will is None else aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain),
        timeout=timeouts.V311_CONNACK,
        max_inflight_messages=_NO_LIMIT,
        # Otherwise the kernel delays a small message until the one before is acknowledged, up to 40 ms.
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        queue_type=Queue,
        logger=logger,
    )
    client.pending_calls_threshold = 2 * IN_FLIGHT
    return client, made[0]


async def leave(client: aiomqtt.Client) -> None:
    """Disconnects, and waits for it, but not for long."""
    with suppress(aiomqtt.MqttError, TimeoutError):
        async with asyncio.timeout(timeouts.GOODBYE):
            await client.__aexit__(None, None, None)


_in_background: set[asyncio.Task[None]] = set()


def leave_later(client: aiomqtt.Client, connecting: asyncio.Future[Any]) -> None:
    """Disconnects when an attempt that nobody waits for any more is over."""

    async def connect_and_leave() -> None:
        with suppress(aiomqtt.MqttError):
            await connecting
        await leave(client)  # also a socket whose broker did not answer

    in_background(connect_and_leave())


def in_background(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Starts what has to be done even if nobody waits for it any more."""
    task = asyncio.get_running_loop().create_task(work)
    _in_background.add(task)
    task.add_done_callback(_in_background.discard)
    return task


def converted(error: aiomqtt.MqttError) -> MqttError:
    """Returns an error of aiomqtt as ours; with the broker's reason code if it refused the connection."""
    if isinstance(error, MqttConnectError) and isinstance(error.rc, PahoReason):
        return MqttError("refused", ReasonCode(error.rc.value))
    if malformed := _malformed(error):
        return MqttError(f"the broker sends a malformed packet: {malformed}")
    return MqttError("the connection was lost" if isinstance(error, aiomqtt.MqttCodeError) else str(error))


def _malformed(error: aiomqtt.MqttError) -> str:
    """What is wrong with a packet that ended the connection; empty if another cause did."""
    source = error.__cause__ or error
    if isinstance(source, UnicodeError):
        return "text that is not UTF-8"
    if isinstance(source, aiomqtt.MqttCodeError):
        by_paho = isinstance(source.rc, PahoReason) and source.rc.value == _PROTOCOL_ERROR
        return "MQTT 3.1.1 does not allow it" if by_paho else ""
    known = isinstance(source, (OSError, aiomqtt.MqttError))
    return "" if known else str(source)  # of aiomqtt: `Invalid topic: #`


def cause(error: BaseException) -> BaseException | None:
    """The socket's error: aiomqtt leaves it as the context."""
    return error.__cause__ or error.__context__
