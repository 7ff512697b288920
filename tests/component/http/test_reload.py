"""Other settings are taken up at the same address: connections go on, and new ones are served by them."""

from __future__ import annotations

import asyncio
import gc
import ssl
import weakref
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from placed.http.listen_options import ListenOptions
from placed.http.pages import Assets
from placed.settings.output_settings import Http
from tests.component.http.raw_client import Raw
from tests.support.deadlines import DEADLINE
from tests.support.mosquitto import Authority
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.board_setup import BoardSetup


def change(endpoint: Endpoint, **settings: Any) -> None:
    changed = Http(**{"listen": "127.0.0.1:0", **settings})
    endpoint.server.change(changed, ListenOptions.of(changed))


def token(folder: Path, name: str) -> dict[str, Any]:
    write_secret(folder / name, name)
    return {"token_file": folder / name}


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


async def test_another_token_counts_from_the_next_request_and_ends_no_stream(
    board_setup: BoardSetup, tmp_path: Path
) -> None:
    async with (
        Endpoint(board_setup, **token(tmp_path, "first")) as endpoint,
        endpoint.listen(headers=bearer("first")) as listening,
    ):
        await listening.take(4)
        change(endpoint, **token(tmp_path, "second"))
        assert (await endpoint.get("/api/v1/rooms", bearer("first"))).status == 401
        assert (await endpoint.get("/api/v1/rooms", bearer("second"))).status == 200
        board_setup.read("atrium")
        assert (await listening.next()).data["room"] == "atrium"
        change(endpoint)
        assert (await endpoint.get("/api/v1/rooms")).status == 200


async def test_a_page_shows_other_settings_when_it_is_loaded_again(endpoint: Endpoint) -> None:
    before = await endpoint.get("/")
    change(endpoint, offline_after="20s", frame_ancestors=["https://signage.example"])
    after = await endpoint.get("/", {"If-None-Match": before.headers["ETag"]})
    assert after.status == 200
    assert b'"20"' in after.body
    assert "frame-ancestors https://signage.example" in after.headers["Content-Security-Policy"]
    assert (await endpoint.get(f"/static/{Assets().version}/base.css")).status == 200


async def test_other_host_names_are_answered(endpoint: Endpoint) -> None:
    assert (await endpoint.get("/healthz", {"Host": "rooms.example"})).status == 421
    change(endpoint, hosts=["rooms.example"])
    assert (await endpoint.get("/healthz", {"Host": "rooms.example"})).status == 200
    change(endpoint)
    assert (await endpoint.get("/healthz", {"Host": "rooms.example"})).status == 421


async def test_fewer_clients_are_let_in_and_those_that_are_connected_stay(board_setup: BoardSetup) -> None:
    whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"

    async def status(client: Raw) -> bytes:
        client.send(whole)
        async with asyncio.timeout(DEADLINE):
            return (await client.reader.readuntil(b"}"))[9:12]

    async with Endpoint(board_setup, max_clients=100) as endpoint, AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(Raw(endpoint, of=f"127.0.0.{2 + n}")) for n in range(12)]
        assert {await status(client) for client in clients} == {b"200"}
        change(endpoint, max_clients=10)
        with capture_logs() as logs:
            async with Raw(endpoint, of="127.0.0.99") as client:
                assert await status(client) == b"503"
        assert [log["event"] for log in logs] == ["http.is_full"]
        assert {await status(client) for client in clients} == {b"200"}
        change(endpoint, max_clients=100)
        async with Raw(endpoint, of="127.0.0.99") as client:
            assert await status(client) == b"200"


async def test_fewer_streams_are_begun(endpoint: Endpoint) -> None:
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(endpoint.listen()) for _ in range(9)]
        change(endpoint, max_clients=10)
        assert (await endpoint.get("/api/v1/events")).status == 503
        for stream in streams:
            await stream.take(4)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


async def certificate_of(endpoint: Endpoint, trust: ssl.SSLContext) -> bytes:
    """What a new connection is shown."""
    reader, writer = await asyncio.open_connection(*endpoint.at, ssl=trust)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.transport.abort()
    del reader
    assert isinstance(shown, bytes)
    return shown


async def test_a_renewed_certificate_is_shown_to_new_connections_and_ends_none(
    board_setup: BoardSetup, authority: Authority, tmp_path: Path
) -> None:
    both = tmp_path / "both.pem"

    def renew() -> None:
        certificate, key = authority.issue("127.0.0.1")
        write_secret(both, certificate.read_bytes() + key.read_bytes())

    renew()
    async with (
        Endpoint(board_setup, trust=authority.context(), certificate=both) as endpoint,
        endpoint.listen() as listening,
    ):
        await listening.take(4)
        before = await certificate_of(endpoint, authority.context())
        renew()
        change(endpoint, certificate=both)
        after = await certificate_of(endpoint, authority.context())
        assert after != before
        assert after == ssl.PEM_cert_to_DER_cert(_first(both))
        board_setup.read("atrium")
        assert (await listening.next()).data["room"] == "atrium"


def _first(file: Path) -> str:
    text, end = file.read_text(), "-----END CERTIFICATE-----"
    return text[: text.index(end) + len(end)]


async def test_that_everybody_may_ask_now_is_logged(board_setup: BoardSetup, tmp_path: Path) -> None:
    with capture_logs() as logs:
        async with Endpoint(board_setup, listen="0.0.0.0:0", **token(tmp_path, "first")) as endpoint:
            assert logs == []
            change(endpoint, listen="0.0.0.0:0", allow_anonymous=True)
    assert [log["event"] for log in logs] == ["http.is_open_to_all"]


async def test_an_endpoint_that_was_stopped_is_not_kept_in_memory(board_setup: BoardSetup) -> None:
    """The daemon makes another one when it moves to another address."""
    async with Endpoint(board_setup) as endpoint:
        for path in ("/", "/api/v1/rooms", "/nothing"):
            await endpoint.get(path)
        runner = endpoint.server._runner
        assert runner is not None
        server, app = weakref.ref(endpoint.server), weakref.ref(runner.app)
    board_setup.board.listeners.clear()
    del endpoint, runner
    async with asyncio.timeout(DEADLINE):
        while server() is not None or app() is not None:
            await asyncio.sleep(0)  # the last connections end
            gc.collect()
