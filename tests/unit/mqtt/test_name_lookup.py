"""Name servers that are silent: a broker's name is given up in time, and nothing waits for the answer."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from placed.mqtt import name_lookup
from placed.mqtt.client.by_version import new_client
from placed.mqtt.client.connect_options import ConnectOptions
from placed.mqtt.client.mqtt_error import MqttError
from placed.mqtt.connection_problems import unexplained, why_not_connected
from tests.support.deadlines import DEADLINE

if TYPE_CHECKING:
    from collections.abc import Iterator


OPTIONS = ConnectOptions("broker.example", 1883, "x")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Set once a name was asked for; there is no answer until the end of the test."""
    asked, over = threading.Event(), threading.Event()

    def silent(*_arguments: object, **_more: object) -> list[object]:
        asked.set()
        over.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    yield asked
    over.set()


async def test_a_start_that_is_called_off_does_not_wait_for_name_servers(asked: threading.Event) -> None:
    opening = asyncio.create_task(new_client(OPTIONS).open())
    async with asyncio.timeout(DEADLINE):
        await asyncio.to_thread(asked.wait)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening


@pytest.mark.usefixtures("asked")
async def test_name_servers_that_are_silent_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_lookup, "TIMEOUT", 0.01)
    async with asyncio.timeout(DEADLINE):
        with pytest.raises(MqttError) as raised:
            await new_client(OPTIONS).open()
    trouble = why_not_connected(raised.value)
    assert (trouble.event, trouble.problem.text) == ("broker.was_not_reached", "no name server answers")
    assert not trouble.problem.lasting
    assert not unexplained(raised.value)  # another look would ask them again


async def test_a_link_local_address_keeps_its_interface() -> None:
    number, name = socket.if_nameindex()[0]
    ((host, port),) = await name_lookup.look_up(f"fe80::1%{name}", 1883)
    *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    assert address[-1] == number
