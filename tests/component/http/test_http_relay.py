"""The relay of the browser tests: it leaves no socket behind, whenever it is cut."""

from __future__ import annotations

import asyncio
import gc
import socket
from contextlib import suppress

import pytest

from tests.support.http_relay import Relay


@pytest.mark.parametrize("turns", range(5))  # of the event loop from a connection to the cut
async def test_a_connection_that_comes_as_the_line_is_cut_is_closed(turns: int) -> None:
    async with Relay("http://127.0.0.1:1") as relay:
        host, _, port = relay.url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port))) as client:
            for _ in range(turns):
                await asyncio.sleep(0)
            await relay.cut()
            await asyncio.sleep(0)
            gc.collect()  # warns of sockets and transports that are still open, which fails the test
            client.settimeout(5.0)
            with suppress(ConnectionResetError):
                assert client.recv(1) == b""
            await relay.restore()
