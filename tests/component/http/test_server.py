from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from placed.domain.exit_errors import CannotStart
from placed.http.listen_options import Address, endpoint_url, listen_failure, parse_address
from placed.settings.output_settings import Http
from tests.support.deadlines import DEADLINE
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.board_setup import BoardSetup


@pytest.mark.parametrize(
    ("listen", "address", "loopback"),
    [
        ("127.0.0.1:8620", Address("127.0.0.1", 8620), True),
        ("127.9.9.9:0", Address("127.9.9.9", 0), True),
        ("LOCALHOST:1", Address("localhost", 1), True),
        ("[::1]:8620", Address("::1", 8620), True),
        ("[::]:8620", Address("::", 8620), False),
        ("0.0.0.0:8620", Address("0.0.0.0", 8620), False),  # noqa: S104 - nothing is bound
        (":8620", Address("", 8620), False),
        ("192.0.2.1:80", Address("192.0.2.1", 80), False),
        ("building.example:80", Address("building.example", 80), False),
    ],
)
def test_an_address_is_read_as_it_is_meant(listen: str, address: Address, loopback: bool) -> None:  # noqa: FBT001
    assert parse_address(listen) == address
    assert address.loopback is loopback


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8620"),
        ("0.0.0.0", "http://127.0.0.1:8620"),  # noqa: S104 - nothing is bound
        ("::", "http://[::1]:8620"),
        ("::1", "http://[::1]:8620"),
        ("192.0.2.1", "http://192.0.2.1:8620"),
    ],
)
def test_the_url_is_one_that_can_be_opened_here(host: str, url: str) -> None:
    assert endpoint_url(host, 8620) == url


async def test_port_0_takes_a_free_port_and_reports_it(endpoint: Endpoint) -> None:
    host, _, port = endpoint.server.url.rpartition(":")
    assert host == "http://127.0.0.1"
    assert int(port) > 0


async def refusal(board_setup: BoardSetup, **settings: Any) -> str:
    """The error when it cannot start; one line."""
    with pytest.raises(CannotStart) as caught:
        async with Endpoint(board_setup, **settings):
            raise AssertionError("it has started")
    (problem,) = caught.value.problems
    assert "\n" not in problem.line
    return problem.line


async def test_a_port_in_use_is_reported(board_setup: BoardSetup, endpoint: Endpoint) -> None:
    taken = endpoint.server.url.removeprefix("http://")
    assert await refusal(board_setup, listen=taken) == (
        f"http.listen: {taken} is in use; stop the program that has the port, or set another port"
    )


@pytest.mark.parametrize(
    ("listen", "reported"),
    [
        (
            "192.0.2.1:8620",
            (
                "http.listen: 192.0.2.1:8620 is not an address of this machine; "
                "`ip address` lists those that are"
            ),
        ),
    ],
)
async def test_an_unavailable_address_is_reported(
    board_setup: BoardSetup, listen: str, reported: str
) -> None:
    assert await refusal(board_setup, listen=listen, allow_anonymous=True) == reported


@pytest.mark.parametrize(
    ("error", "reported"),
    [
        (PermissionError(13, "x"), "127.0.0.1:80 needs a privilege that this user does not have"),
        (socket.gaierror(-2, "x"), "127.0.0.1:80 names a host that is not known"),
        (OSError(97, "x"), "127.0.0.1:80 cannot be listened on: Address family not supported by protocol"),
        (OSError("odd"), "127.0.0.1:80 cannot be listened on: odd"),
    ],
)
def test_every_error_of_listening_is_reported(error: OSError, reported: str) -> None:
    assert reported in str(listen_failure("127.0.0.1:80", error))


def test_a_port_that_does_not_exist_is_refused() -> None:
    """By the settings, and by callers that pass an address without them."""
    with pytest.raises(ValidationError, match="expected host:port"):
        Http(listen="127.0.0.1:99999")
    with pytest.raises(CannotStart, match=r"127\.0\.0\.1:99999 has no such port; expected 0 to 65535"):
        parse_address("127.0.0.1:99999")


async def test_beyond_loopback_it_wants_a_token(board_setup: BoardSetup, tmp_path: Path) -> None:
    assert await refusal(board_setup, listen="0.0.0.0:0") == (
        "http.listen: 0.0.0.0:0 can be reached from other machines: set http.token_file,"
        " or http.allow_anonymous = true if everybody may ask"
    )
    token = tmp_path / "token"
    write_secret(token, "correct-horse")
    with capture_logs() as logs:
        async with Endpoint(board_setup, listen="0.0.0.0:0", token_file=token) as endpoint:
            assert (await endpoint.get("/api/v1/rooms")).status == 401
    assert logs == []


async def test_listening_without_a_token_is_logged_as_a_warning(board_setup: BoardSetup) -> None:
    with capture_logs() as logs:
        async with Endpoint(board_setup, listen="0.0.0.0:0", allow_anonymous=True) as endpoint:
            assert (await endpoint.get("/api/v1/rooms")).status == 200
    assert logs == [{"event": "http.is_open_to_all", "log_level": "warning", "listen": "0.0.0.0:0"}]


async def test_an_invalid_token_file_is_reported(board_setup: BoardSetup, tmp_path: Path) -> None:
    path = tmp_path / "token"
    assert await refusal(board_setup, token_file=path) == (
        f"http.token_file: {path}: there is no such file; create it or correct the path"
    )
    assert "Is a directory" in await refusal(board_setup, token_file=tmp_path)
    for content, reported in (
        ("", "is empty"),
        (" \n", "is empty"),
        ("two words", "holds spaces"),
        ("ä", "ASCII"),
    ):
        write_secret(path, content)
        assert reported in await refusal(board_setup, token_file=path)


async def test_it_ends_at_once_though_clients_follow(board_setup: BoardSetup) -> None:
    endpoint = Endpoint(board_setup)
    async with endpoint, endpoint.listen() as listening, endpoint.listen("?room=atrium") as panel:
        await listening.next()
        await panel.next()
        async with asyncio.timeout(DEADLINE):
            await endpoint.server.stop()
        async with asyncio.timeout(DEADLINE):
            await listening.response.content.read()  # to a clean end, with no error
            await panel.response.content.read()
    parts = endpoint.server.url.removeprefix("http://").split(":")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*parts)


async def test_it_ends_at_once_though_a_client_does_not_read(board_setup: BoardSetup) -> None:
    board_setup.add(*(f"room-{number}" for number in range(3000)))
    async with Endpoint(board_setup) as endpoint:
        host, _, port = endpoint.server.url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        writer.write(b"GET /api/v1/events HTTP/1.0\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"retry: 2000")
        async with asyncio.timeout(DEADLINE):
            await endpoint.server.stop()
        writer.transport.abort()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_its_address_can_be_had_again_at_once(board_setup: BoardSetup) -> None:
    """A reload stops one and starts another at the same place."""
    async with Endpoint(board_setup) as endpoint:
        listen = endpoint.server.url.removeprefix("http://")
        assert (await endpoint.get("/healthz")).status == 200
        await endpoint.server.stop()
        async with Endpoint(board_setup, listen=listen) as again:
            assert (await again.get("/healthz")).status == 200


async def test_stopping_what_was_never_started_does_nothing(board_setup: BoardSetup) -> None:
    await Endpoint(board_setup).server.stop()
