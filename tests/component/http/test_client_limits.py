"""No client takes up more than its share, or for longer than it should."""

from __future__ import annotations

import asyncio
import fcntl
import resource
import socket
import struct
import termios
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.http.limits import PORTION, SEND_BUFFER, STREAM_BUFFER, Limits
from tests.component.http.raw_client import Raw
from tests.component.http.slow_reader import SlowReader
from tests.support.board_setup import BoardSetup
from tests.support.deadlines import DEADLINE
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

WHOLE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
SHORT = 0.1  # seconds


# --- requests that do not come ------------------------------------------------------------------------------


@pytest.fixture
async def short_wait(board_setup: BoardSetup) -> AsyncIterator[Endpoint]:
    """Waits a moment for a request, and for ever for the next one."""
    async with Endpoint(board_setup, limits=Limits(head=SHORT, idle=1000)) as endpoint:
        yield endpoint


async def test_a_client_that_sends_no_request_is_disconnected(short_wait: Endpoint) -> None:
    async with Raw(short_wait) as client:
        assert await client.end() == b""


@pytest.mark.parametrize("part", [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nA: "])
async def test_half_a_request_is_a_problem_soon(short_wait: Endpoint, part: bytes) -> None:
    async with Raw(short_wait) as client:
        client.send(part)
        answer = await client.answer()
    assert (answer.status, answer.headers["Connection"]) == (408, "close")
    assert answer.headers["Server"] == "placed"
    assert answer.problem["title"] == "Request Timeout"


async def test_a_request_that_comes_byte_by_byte_gets_no_more_time_for_it(short_wait: Endpoint) -> None:
    async def trickle(client: Raw) -> None:
        for byte in WHOLE * 100:
            client.send(bytes([byte]))
            await asyncio.sleep(SHORT / 10)

    async with Raw(short_wait) as client:
        dripping = asyncio.create_task(trickle(client))
        assert (await client.answer()).status == 408
        dripping.cancel()


async def test_the_time_counts_for_every_request_of_a_connection(short_wait: Endpoint) -> None:
    async with Raw(short_wait) as client:
        for _ in range(2):
            client.send(WHOLE)
            assert b"200 OK" in await client.reader.readuntil(b'{"status":"ok"}')
        client.send(WHOLE[:-1])
        assert (await client.answer()).status == 408


async def test_an_idle_keep_alive_client_is_disconnected_later(board_setup: BoardSetup) -> None:
    async with (
        Endpoint(board_setup, limits=Limits(head=1000, idle=SHORT)) as endpoint,
        Raw(endpoint) as client,
    ):
        client.send(WHOLE)
        assert (await client.end()).endswith(b'{"status":"ok"}')


async def test_a_stream_is_no_request_that_is_late(board_setup: BoardSetup) -> None:
    async with Endpoint(board_setup, limits=Limits(head=SHORT, idle=SHORT)) as endpoint:
        endpoint.server._events._keep_alive = 2 * SHORT
        async with endpoint.listen(f"?last_event_id=7-{board_setup.board.seq}") as listening:
            assert await listening.block() == ["retry: 2000"]
            for _ in range(3):
                assert (await listening.block())[0].startswith(": keep-alive")


# --- requests that are too large ----------------------------------------------------------------------------


async def test_a_head_that_does_not_end_is_a_problem(endpoint: Endpoint) -> None:
    async with Raw(endpoint) as client:
        client.send(b"GET / HTTP/1.1\r\n" + b"".join(b"A%d: %b\r\n" % (n, b"a" * 8000) for n in range(10)))
        answer = await client.answer()
    assert (answer.status, answer.problem["title"]) == (431, "Request Header Fields Too Large")


async def test_a_client_that_sends_without_end_during_a_response_is_disconnected(endpoint: Endpoint) -> None:
    """An event stream is answered for ever; a chunk's extension is what aiohttp does not limit."""
    async with Raw(endpoint) as client:
        client.send(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;")
        sent = 0
        with suppress(ConnectionError):
            while sent < 2**25:
                client.send(b"a" * 2**16)
                async with asyncio.timeout(DEADLINE):
                    await client.writer.drain()
                sent += 2**16
        assert sent < 2**25
    assert (await endpoint.get("/healthz")).status == 200


async def test_a_body_is_not_waited_for(endpoint: Endpoint) -> None:
    """Neither one that is announced, nor one that never ends."""
    for field in (b"Content-Length: 1000000", b"Transfer-Encoding: chunked"):
        async with Raw(endpoint) as client:
            client.send(b"POST / HTTP/1.1\r\nHost: localhost\r\n%b\r\n\r\n" % field)
            async with asyncio.timeout(DEADLINE):
                head = await client.reader.readuntil(b"\r\n\r\n")
            assert head.startswith((b"HTTP/1.1 405", b"HTTP/1.1 413"))


# --- answers that are not read ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v1/rooms", "/api/v1/rooms?building=hq", "/metrics", "/api/v1/events"])
async def test_a_client_that_reads_too_slowly_is_disconnected(path: str) -> None:
    board_setup = BoardSetup()
    board_setup.add(*(f"room-{number}" for number in range(1500)), building="hq")
    with capture_logs() as logs:
        limits = Limits(patience=SHORT)
        async with Endpoint(board_setup, limits=limits) as endpoint, SlowReader(endpoint, path) as slow:
            assert 0 < await slow.drip(lambda: logs, SHORT / 20) < 64_000
            assert (await endpoint.get("/healthz")).status == 200
    assert [log["event"] for log in logs] == ["http.reader_was_dropped"]
    assert logs[0]["remote"] == "127.0.0.1"


async def unread(endpoint: Endpoint) -> tuple[int, int, int]:
    """What waits for the one client: bytes in the process, bytes in the kernel, and its buffer there."""
    assert endpoint.server._runner is not None
    manager = endpoint.server._runner.server
    assert manager is not None
    async with asyncio.timeout(DEADLINE):
        while not any(one.writing_paused for one in manager.connections):  # noqa: ASYNC110 - there is no event
            await asyncio.sleep(0)
    (connection,) = manager.connections
    assert connection.transport is not None
    one = connection.transport.get_extra_info("socket")
    (in_kernel,) = struct.unpack("i", fcntl.ioctl(one.fileno(), termios.TIOCOUTQ, b"    "))
    of_buffer = one.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    return connection.transport.get_write_buffer_size(), in_kernel, of_buffer


@pytest.mark.parametrize(
    ("path", "buffer"), [("/api/v1/rooms", SEND_BUFFER), ("/api/v1/events", STREAM_BUFFER)]
)
async def test_a_client_that_does_not_read_costs_one_portion_and_its_buffer(path: str, buffer: int) -> None:
    board_setup = BoardSetup()
    board_setup.add(*(f"room-{number}" for number in range(5500)))
    async with Endpoint(board_setup) as endpoint:
        async with SlowReader(endpoint, path):
            in_process, in_kernel, of_buffer = await unread(endpoint)
        assert 0 < in_process <= PORTION
        assert in_kernel <= of_buffer <= 2 * buffer
        assert len((await endpoint.get("/api/v1/rooms")).body) > 2 * (PORTION + 2 * SEND_BUFFER)


# --- all at once --------------------------------------------------------------------------------------------

TEN = Limits(clients=10)


async def crowd(stack: AsyncExitStack, endpoint: Endpoint, *of: str) -> list[Raw]:
    """Connections from these addresses, each of which is answered."""
    clients = []
    for address in of:
        client = await stack.enter_async_context(Raw(endpoint, of=address))
        client.send(WHOLE)
        assert b"200 OK" in await client.reader.readuntil(b'{"status":"ok"}')
        clients.append(client)
    return clients


async def refused(endpoint: Endpoint, of: str) -> bool:
    """Whether another connection is refused: by an answer, or by being closed at once."""
    async with Raw(endpoint, of=of) as client:
        client.send(WHOLE.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answer = await client.answer()
    if answer.status == 200:
        return False
    assert (answer.status, answer.headers["Retry-After"], answer.headers["Connection"]) == (
        503,
        "10",
        "close",
    )
    assert answer.problem["title"] == "Service Unavailable"
    return True


async def test_at_the_limit_the_newest_client_receives_503(board_setup: BoardSetup) -> None:
    with capture_logs() as logs:
        async with Endpoint(board_setup, limits=TEN) as endpoint, AsyncExitStack() as stack:
            clients = await crowd(stack, endpoint, *(f"127.0.0.{2 + n // 3}" for n in range(10)))
            for _ in range(3):
                assert await refused(endpoint, "127.0.0.9")
            for client in clients[:2]:
                client.writer.transport.abort()
            async with asyncio.timeout(DEADLINE):
                while await refused(endpoint, "127.0.0.9"):
                    pass
            clients[2].send(WHOLE)  # who was there is served on
            assert await clients[2].reader.readuntil(b'{"status":"ok"}')
    assert [(log["event"], log["remote"]) for log in logs] == [
        ("http.is_full", None),
        ("http.has_room_again", None),
    ]


async def test_one_address_does_not_take_all_places(board_setup: BoardSetup) -> None:
    async with Endpoint(board_setup, limits=TEN) as endpoint, AsyncExitStack() as stack:
        await crowd(stack, endpoint, *(5 * ["127.0.0.2"]))
        assert await refused(endpoint, "127.0.0.2")
        assert not await refused(endpoint, "127.0.0.3")


async def test_beyond_the_waiting_limit_no_client_is_accepted(board_setup: BoardSetup) -> None:
    async with Endpoint(board_setup, limits=TEN) as endpoint, AsyncExitStack() as stack:
        await crowd(stack, endpoint, *(f"127.0.0.{2 + n // 3}" for n in range(10)))
        standing = [await stack.enter_async_context(Raw(endpoint, of="127.0.0.8")) for _ in range(64)]
        async with Raw(endpoint, of="127.0.0.9") as client:
            assert await client.end() == b""
        standing[0].send(WHOLE)
        assert (await standing[0].answer()).status == 503


async def test_event_streams_leave_room_for_health_checks(board_setup: BoardSetup) -> None:
    async with Endpoint(board_setup, limits=TEN) as endpoint, AsyncExitStack() as stack:
        for number in range(9):
            client = await stack.enter_async_context(Raw(endpoint, of=f"127.0.0.{2 + number // 3}"))
            client.send(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            await client.reader.readuntil(b"retry: 2000")
        answer = await endpoint.get("/api/v1/events")
        assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
        assert (await endpoint.get("/healthz")).status == 200


@pytest.fixture
def few_files() -> Iterator[None]:
    """A limit of files that is low, as a shell's or systemd's soft one; it can be raised."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("few_files")
async def test_the_limit_of_open_files_is_raised_for_all_clients(board_setup: BoardSetup) -> None:
    async with Endpoint(board_setup, max_clients=1000):
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 1200


async def test_clients_that_come_and_go_leave_nothing_behind(board_setup: BoardSetup) -> None:
    async with Endpoint(board_setup, limits=TEN) as endpoint:
        for number in range(100):
            async with asyncio.timeout(DEADLINE):
                while await refused(endpoint, f"127.0.0.{number % 2 + 2}"):
                    pass  # the one before is still on its way out
