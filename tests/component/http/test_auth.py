from __future__ import annotations

import hmac
import socket
from typing import TYPE_CHECKING

import pytest

from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.board_setup import BoardSetup


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LocalHost:8620", 200),
        ("127.0.0.1", 200),
        ("127.0.0.1:9", 200),
        ("[::1]", 200),
        ("[::1]:8620", 200),
        ("rebind.evil.example", 421),
        ("rebind.evil.example:8620", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("[::1].evil.example", 421),
        ("evil.example:localhost", 421),
        ("10.0.0.1", 421),
        ("", 421),
    ],
)
async def test_on_loopback_only_names_of_loopback_are_answered(
    endpoint: Endpoint, host: str, status: int
) -> None:
    assert (await endpoint.get("/healthz", {"Host": host})).status == status


async def test_another_address_of_loopback_is_a_name_of_its_own(board_setup: BoardSetup) -> None:
    async with Endpoint(board_setup, listen="127.0.0.2:0") as endpoint:
        assert (await endpoint.get("/healthz")).status == 200
        assert (await endpoint.get("/healthz", {"Host": "127.0.0.3"})).status == 421


async def test_beyond_loopback_a_page_of_another_name_reads_nothing(board_setup: BoardSetup) -> None:
    """Its name resolves to us now, but it is still its name that the browser sends."""
    async with Endpoint(
        board_setup, listen="0.0.0.0:0", allow_anonymous=True, hosts=["rooms.contoso.example"]
    ) as endpoint:
        for host in ("rooms.contoso.example", "192.0.2.7:8620", "[2001:db8::7]", socket.gethostname()):
            assert (await endpoint.get("/api/v1/rooms", {"Host": host})).status == 200, host
        answer = await endpoint.get("/api/v1/rooms", {"Host": "rebind.evil.example"})
        assert (answer.status, answer.json["title"]) == (421, "Misdirected Request")
        assert "http.hosts" in answer.json["detail"]
        assert b"atrium" not in answer.body


async def test_where_a_token_is_wanted_any_name_will_do(board_setup: BoardSetup, token_file: Path) -> None:
    headers = {"Host": "rooms.contoso.example", "Authorization": "Bearer correct-horse"}
    async with Endpoint(board_setup, listen="0.0.0.0:0", token_file=token_file) as endpoint:
        assert (await endpoint.get("/api/v1/rooms", headers)).status == 200


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    write_secret(path, "correct-horse\n")
    return path


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("Bearer correct-horse", 200),
        ("bearer correct-horse", 200),
        ("Bearer  correct-horse ", 200),
        ("Bearer correct-horse-battery", 401),
        ("Bearer correct", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearer \u00e4", 401),
        ("Basic correct-horse", 401),
        ("correct-horse", 401),
        (None, 401),
    ],
)
async def test_with_a_token_only_authorized_requests_are_answered(
    board_setup: BoardSetup, token_file: Path, field: str | None, status: int
) -> None:
    headers = {} if field is None else {"Authorization": field}
    async with Endpoint(board_setup, token_file=token_file) as endpoint:
        for path in ("/api/v1/rooms", "/api/v1/days?room=atrium", "/metrics", "/openapi.json"):
            answer = await endpoint.get(path, headers)
            assert answer.status == status
            if status == 401:
                assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="placed"')
                assert answer.headers["Content-Type"] == "application/problem+json"
                assert b"horse" not in answer.body


async def test_without_the_token_a_response_does_not_reveal_what_exists(
    board_setup: BoardSetup, token_file: Path
) -> None:
    async with Endpoint(board_setup, token_file=token_file) as endpoint:
        for method, path in (("GET", "/nothing"), ("POST", "/api/v1/rooms"), ("GET", "/api/v1/events")):
            assert (await endpoint.ask(method, path)).status == 401


async def test_the_token_is_compared_in_constant_time(
    board_setup: BoardSetup, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    compare = hmac.compare_digest

    def noted(shown: bytes, token: bytes) -> bool:
        compared.append((shown, token))
        return compare(shown, token)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    async with Endpoint(board_setup, token_file=token_file) as endpoint:
        assert (await endpoint.get("/metrics", {"Authorization": "Bearer correct-house"})).status == 401
    assert compared == [(b"correct-house", b"correct-horse")]


async def test_an_open_path_reports_its_methods_without_a_token(
    board_setup: BoardSetup, token_file: Path
) -> None:
    async with Endpoint(board_setup, token_file=token_file) as endpoint:
        for path in ("/healthz", "/", "/rooms/atrium"):
            for headers in ({}, {"Authorization": "Bearer wrong"}):
                answer = await endpoint.ask("TRACE", path, headers)
                assert (answer.status, answer.headers["Allow"]) == (405, "GET,HEAD")
        assert (await endpoint.ask("TRACE", "/metrics")).status == 401


async def test_paths_that_reveal_nothing_need_no_token(board_setup: BoardSetup, token_file: Path) -> None:
    async with Endpoint(board_setup, token_file=token_file) as endpoint:
        for path in ("/healthz", "/", "/rooms/atrium", "/rooms/nowhere"):
            answer = await endpoint.get(path)
            assert answer.status == 200
            assert b"Atrium" not in answer.body
        assert (await endpoint.get("/rooms/nowhere")).body == (await endpoint.get("/rooms/atrium")).body
