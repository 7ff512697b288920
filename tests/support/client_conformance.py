"""What a client of the program has to do, tried against any broker, with an independent client beside it."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import aiomqtt
import pytest

from placed.mqtt.client.by_version import new_client
from placed.mqtt.client.connect_options import ConnectOptions
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.client.publish_properties import PublishProperties
from tests.support.deadlines import DEADLINE
from tests.support.free_ports import HOST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from placed.mqtt.client.connect_options import ProtocolVersion
    from placed.mqtt.client.interface import BrokerClient
    from placed.mqtt.client.reason_code import ReasonCode

    Check = Callable[[int, ProtocolVersion], Awaitable[None]]

MANY = 300  # messages; more than any broker allows in flight
LARGE = 1024 * 1024  # bytes
_VERSIONS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}


def options(port: int, protocol: ProtocolVersion, client_id: str | None = None) -> ConnectOptions:
    """The options of a client for a broker on loopback."""
    return ConnectOptions(HOST, port, client_id or f"trial-{secrets.token_hex(4)}", protocol=protocol)


@asynccontextmanager
async def opened(wanted: ConnectOptions) -> AsyncIterator[BrokerClient]:
    """A connected client."""
    client = new_client(wanted)
    async with asyncio.timeout(DEADLINE):
        await client.open()
    try:
        yield client
    finally:
        async with asyncio.timeout(DEADLINE):
            await client.close()


@asynccontextmanager
async def independent(port: int, protocol: ProtocolVersion, *topics: str) -> AsyncIterator[aiomqtt.Client]:
    """Aiomqtt itself, which is connected and subscribes with QoS 1."""
    client = aiomqtt.Client(HOST, port, protocol=_VERSIONS[protocol], timeout=DEADLINE)
    async with client:
        for topic in topics:
            await client.subscribe(topic, qos=1)
        yield client


def topic() -> str:
    """A topic that nobody else uses."""
    return f"trials/{secrets.token_hex(4)}/state"


async def messages_go_out_in_the_order_of_the_calls(port: int, protocol: ProtocolVersion) -> None:
    """As many in flight as the client allows; each is acknowledged once."""
    where, wanted = topic(), [str(number).encode() for number in range(MANY)]
    answers: list[ReasonCode | None] = []
    acknowledged = asyncio.Event()

    def answer(code: ReasonCode | None) -> None:
        answers.append(code)
        acknowledged.set()

    async with independent(port, protocol, where) as seen, opened(options(port, protocol)) as client:
        for sent, payload in enumerate(wanted):
            while sent - len(answers) >= client.in_flight:
                acknowledged.clear()
                await acknowledged.wait()
            client.send(where, payload, answer, retain=False)
        received = [(await anext(seen.messages)).payload for _ in wanted]
        while len(answers) < MANY:
            acknowledged.clear()
            await acknowledged.wait()
    assert answers == [None] * MANY
    assert received == wanted


async def retained_messages_are_distinguished(port: int, protocol: ProtocolVersion) -> None:
    """What the broker had kept has the flag, and what is published later has none."""
    where = topic()
    async with independent(port, protocol) as other, opened(options(port, protocol)) as client:
        await other.publish(where, b"kept", qos=1, retain=True)
        (granted,) = await client.subscribe([where])
        assert not granted.is_failure
        kept = await anext(client.messages)
        await other.publish(where, b"live", qos=1, retain=False)
        live = await anext(client.messages)
        await other.publish(where, b"", qos=1, retain=True)
    assert (kept.topic, kept.payload, kept.retain) == (where, b"kept", True)
    assert (live.topic, live.payload, live.retain) == (where, b"live", False)


async def nothing_arrives_after_an_unsubscribe(port: int, protocol: ProtocolVersion) -> None:
    """Another topic is read meanwhile, which shows that the message was not only late."""
    left, still = topic(), topic()
    async with independent(port, protocol) as other, opened(options(port, protocol)) as client:
        await client.subscribe([left, still])
        await client.unsubscribe([left])
        await other.publish(left, b"x", qos=1)
        await other.publish(still, b"y", qos=1)
        assert (await anext(client.messages)).topic == still


async def an_empty_message_clears_what_is_kept(port: int, protocol: ProtocolVersion) -> None:
    """Who subscribes later gets the message that is published then, and not the kept one."""
    where = topic()
    async with opened(options(port, protocol)) as client:
        properties = PublishProperties(60, "text/plain", (("instance", "a"),))
        assert await client.publish(where, b"kept", retain=True, properties=properties) is None
        await client.publish(where, b"", retain=True)
        async with independent(port, protocol, where) as late:
            await client.publish(where, b"live", retain=False)
            assert (await anext(late.messages)).payload == b"live"


async def large_messages_pass_in_both_directions(port: int, protocol: ProtocolVersion) -> None:
    """1 MiB, which arrives in many pieces."""
    where, large = topic(), secrets.token_bytes(LARGE)
    async with opened(options(port, protocol)) as client:
        await client.subscribe([where])
        await client.publish(where, large, retain=False)
        assert (await anext(client.messages)).payload == large


async def another_client_with_the_same_identifier_ends_the_connection(
    port: int, protocol: ProtocolVersion
) -> None:
    """A task that waits for a message receives the error, and later calls raise it as well."""
    client_id = f"trial-{secrets.token_hex(4)}"
    wanted = options(port, protocol, client_id)
    async with opened(wanted) as first, opened(wanted):
        with pytest.raises(MqttError):
            await first.ended()
        with pytest.raises(MqttError):
            await anext(first.messages)
        with pytest.raises(MqttError):
            await first.publish(topic(), b"x", retain=False)


async def more_may_be_sent_after_each_acknowledgement(port: int, protocol: ProtocolVersion) -> None:
    async with opened(options(port, protocol)) as client:
        answers: list[ReasonCode | None] = []
        acknowledged: list[int] = []  # messages, whenever the client may take more
        done = asyncio.Event()

        def note() -> None:
            acknowledged.append(len(answers))
            if len(answers) == client.in_flight:
                done.set()

        client.writable = note
        for _ in range(client.in_flight):
            client.send("placed/trial", b"x", answers.append, retain=False)
        await done.wait()
        assert acknowledged[-1] == client.in_flight


CHECKS: Final[tuple[Check, ...]] = (
    messages_go_out_in_the_order_of_the_calls,
    retained_messages_are_distinguished,
    nothing_arrives_after_an_unsubscribe,
    an_empty_message_clears_what_is_kept,
    large_messages_pass_in_both_directions,
    more_may_be_sent_after_each_acknowledgement,
    another_client_with_the_same_identifier_ends_the_connection,
)


async def conforms(check: Check, port: int, protocol: ProtocolVersion) -> None:
    """Runs a check, within a limited time.

    Raises:
        AssertionError: the client does something else, or nothing.
    """
    try:
        async with asyncio.timeout(DEADLINE):
            await check(port, protocol)
    except TimeoutError:
        raise AssertionError(f"{check.__name__}: it does not end") from None
