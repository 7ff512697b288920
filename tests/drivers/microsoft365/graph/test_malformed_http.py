"""A Graph host that speaks TLS and then something that is hardly HTTP."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

import aiohttp
import pytest

from placed.driver import DriverError, Failed, Read, UnexpectedAnswer
from placed.driver.network import http_session
from placed.driver.network.concurrency_limit import ConcurrencyLimit
from placed.driver.network.service_clock import ServiceClock
from placed.driver.token_cache import TokenCache
from placed_microsoft365.calendars.batch_reader import CalendarReader
from placed_microsoft365.calendars.calendar_view import CalendarViews
from placed_microsoft365.graph.client import GraphClient
from placed_microsoft365.graph.json_structs import Places
from placed_simulator.certificates import server_context
from tests.drivers.microsoft365.driver_setup import BOARDROOM, DriverSetup
from tests.support.access_tokens import signed_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.drivers.microsoft365.simulator.conftest import Clock

OK = b"HTTP/1.1 200 OK\r\n"
GARBAGE = {
    "nothing": b"",
    "no http": b"\x00\x01\x02\x03\r\n\r\n",
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "odd status": b"HTTP/1.1 99999 No\r\n\r\n",
    "broken off": OK + b"Content-Length: 100\r\n\r\n{",
    "bad length": OK + b"Content-Length: many\r\n\r\n{}",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "bad chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n",
    "chunk broken off": OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{}",
    "bad gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "bad deflate": OK + b"Content-Encoding: deflate\r\nContent-Length: 4\r\n\r\n\xff\xff\xff\xff",
    "gzip broken off": OK
    + b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\n"
    + zlib.compress(b"x" * 90)[:9],
    "unknown encoding": OK + b"Content-Encoding: rot13\r\nContent-Length: 2\r\n\r\n{}",
    "long header": OK + b"X: " + b"x" * 100_000 + b"\r\n\r\n",
    "many headers": OK + b"X: x\r\n" * 10_000 + b"\r\n",
    "bad header": OK + b"X\x00Y: x\r\n\r\n",
    "odd cookie": OK + b"Set-Cookie: \x7f=;;;==\r\nContent-Length: 2\r\n\r\n{}",
    "odd charset": OK + b"Content-Type: text/x; charset=\xff\r\nContent-Length: 2\r\n\r\n{}",
    "latin-1": OK + b"Retry-After: \xe9\xe8\r\nContent-Length: 1\r\n\r\n\xe9",
    "redirect": b"HTTP/1.1 307 Go\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n",
    "bad redirect": b"HTTP/1.1 307 Go\r\nLocation: http://[\r\nContent-Length: 0\r\n\r\n",
    "odd retry": b"HTTP/1.1 429 No\r\nRetry-After: Tue, 06 Oct 2026\r\nContent-Length: 0\r\n\r\n",
    "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
    "continues": b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
}


@pytest.fixture
async def garbage(tmp_path: Path, clock: Clock) -> AsyncIterator[Callable[[bytes], GraphClient]]:
    """A Graph client whose host answers every request with the same bytes and closes."""
    sent = b""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(65536)
            writer.write(sent)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.transport.abort() if not sent else writer.close()

    server = await asyncio.start_server(answer, "localhost", 0, ssl=server_context(tmp_path / "ca.pem"))
    port = server.sockets[0].getsockname()[1]
    graph = GraphClient(
        f"https://localhost:{port}",
        TokenCache(signed_in, lambda: 0.0),
        ca_file=tmp_path / "ca.pem",
        version="1",
        clock=ServiceClock(clock, lambda: 0.0),
    )

    def answering(garbage: bytes) -> GraphClient:
        nonlocal sent
        sent = garbage
        return graph

    yield answering
    await graph.close()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("name", GARBAGE)
async def test_what_is_hardly_http_is_a_driver_s_error(
    garbage: Callable[[bytes], GraphClient],
    driver_setup: DriverSetup,
    clock: Clock,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_session, "_TIMEOUT", aiohttp.ClientTimeout(total=0.5))
    graph = garbage(GARBAGE[name])
    with pytest.raises(DriverError):
        await graph.get("/places", Places)
    limit = ConcurrencyLimit(2)
    calendars = CalendarReader(graph, limit, CalendarViews(graph, limit, details=True), clock)
    answers: list[object] = []
    query = driver_setup.query(BOARDROOM)
    try:
        await calendars.read([query], answers.append)
    except DriverError:
        pass
    else:
        assert [type(answer) for answer in answers] == [Failed]
    assert not [answer for answer in answers if isinstance(answer, Read)]


@pytest.mark.parametrize("packed", [True, False])
async def test_an_answer_that_does_not_end_is_read_no_further(
    garbage: Callable[[bytes], GraphClient], monkeypatch: pytest.MonkeyPatch, *, packed: bool
) -> None:
    """Also one that only becomes large when it is unpacked: eight megabytes out of eight thousand bytes."""
    monkeypatch.setattr(http_session, "LARGEST", 2**20)
    body = b" " * 2**23
    head = OK
    if packed:
        body, head = zlib.compress(body), OK + b"Content-Encoding: deflate\r\n"
    graph = garbage(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    with pytest.raises(UnexpectedAnswer, match="larger than any"):
        await graph.get("/places", Places)
