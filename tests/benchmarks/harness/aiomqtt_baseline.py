"""Publishing with aiomqtt alone: as its documentation shows, and as fast as it can."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import aiomqtt

from placed.mqtt.client.interface import IN_FLIGHT
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tests.benchmarks.harness.mqtt_packets import Message


def usual_client(port: int) -> aiomqtt.Client:
    """With the defaults of aiomqtt."""
    return aiomqtt.Client(HOST, port, protocol=aiomqtt.ProtocolVersion.V5)


async def publish_in_turn(client: aiomqtt.Client, messages: Iterable[Message]) -> None:
    """Publishes them as the documentation shows: each is awaited, until its PUBACK."""
    await _publish(client, iter(messages))


def tuned_client(port: int) -> aiomqtt.Client:
    """As many messages under way as placed has, and no more waits of the kernel."""
    client = aiomqtt.Client(
        HOST,
        port,
        protocol=aiomqtt.ProtocolVersion.V5,
        max_inflight_messages=IN_FLIGHT,
        socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    )
    client.pending_calls_threshold = 2 * IN_FLIGHT
    return client


async def publish_all(client: aiomqtt.Client, messages: Iterable[Message]) -> None:
    """Publishes them, and waits until all are acknowledged."""
    waiting = iter(messages)
    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(_publish(client, waiting))


async def _publish(client: aiomqtt.Client, waiting: Iterator[Message]) -> None:
    for topic, payload, retain, properties in waiting:
        await client.publish(topic, payload, qos=1, retain=retain, properties=properties)
