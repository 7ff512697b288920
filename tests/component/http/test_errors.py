from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from placed.http.api.rooms import RoomsApi
from tests.component.http.raw_client import raw

if TYPE_CHECKING:
    from tests.support.board_setup import BoardSetup
    from tests.support.status_endpoint import Endpoint


@pytest.mark.parametrize(
    ("method", "path", "headers", "status", "title"),
    [
        ("GET", "/nothing", {}, 404, "Not Found"),
        ("GET", "/api/v1/rooms/", {}, 404, "Not Found"),
        ("GET", "/api/v1/rooms/nowhere", {}, 404, "Not Found"),
        ("GET", "/rooms/No such id", {}, 404, "Not Found"),
        ("GET", "/static/0/board.js", {}, 404, "Not Found"),
        ("GET", "/api/v1/days", {}, 400, "Bad Request"),
        ("POST", "/api/v1/rooms", {}, 405, "Method Not Allowed"),
        ("OPTIONS", "/api/v1/rooms", {"Origin": "https://evil.example"}, 405, "Method Not Allowed"),
        ("DELETE", "/", {}, 405, "Method Not Allowed"),
        ("TRACE", "/healthz", {}, 405, "Method Not Allowed"),
        ("GET", "/api/v1/rooms?color=red", {}, 400, "Bad Request"),
        ("GET", "/api/v1/rooms", {"Host": "rebind.evil.example"}, 421, "Misdirected Request"),
        ("GET", "/api/v1/rooms", {"Expect": "the-unexpected"}, 417, "Expectation Failed"),
        ("GET", "/readyz", {}, 503, "Service Unavailable"),
    ],
)
async def test_an_error_is_a_problem(  # noqa: PLR0913, PLR0917 - a row of the table
    endpoint: Endpoint, method: str, path: str, headers: dict[str, str], status: int, title: str
) -> None:
    answer = await endpoint.ask(method, path, headers)
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    problem = answer.json
    assert (problem["type"], problem["title"], problem["status"]) == ("about:blank", title, status)
    assert problem["detail"].endswith(".")
    assert "Access-Control-Allow-Origin" not in answer.headers
    if status == 405:
        assert answer.headers["Allow"] == "GET,HEAD"


async def test_a_body_is_not_swallowed(endpoint: Endpoint) -> None:
    answer = await endpoint.ask("GET", "/api/v1/rooms", data=b"x" * 100_000)
    assert (answer.status, answer.json["title"]) == (413, "Content Too Large")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET / HTTP/9.9.9\r\n\r\n", 400),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nA: " + b"a" * 9_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: a\r\n" * 70 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: <script>\r\n\r\n", 400),
        (b"GET /api/v1/rooms HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        (b"GET /healthz HTTP/1.0\r\n\r\n", 200),
    ],
)
async def test_what_is_no_request_is_a_problem_too(endpoint: Endpoint, request_: bytes, status: int) -> None:
    answer = await raw(endpoint, request_)
    assert answer.status == status
    assert answer.headers["Server"] == "placed"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert json.loads(answer.body)["status"] in (status, "ok")
    assert b"script" not in answer.body
    assert b"Error" not in answer.body


async def test_an_unexpected_error_is_logged_once_and_not_shown(
    endpoint: Endpoint, board_setup: BoardSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret plans")

    monkeypatch.setattr(RoomsApi, "_everything", broken)
    with capture_logs() as logs:
        answer = await endpoint.get("/api/v1/rooms")
    assert answer.json == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "detail": "Internal error; look for the cause in the log.",
    }
    assert logs == [
        {
            "event": "http.request_failed",
            "log_level": "error",
            "exc_info": True,
            "method": "GET",
            "path": "/api/v1/rooms",
        }
    ]
    board_setup.read("atrium")
    assert (await endpoint.get("/api/v1/rooms/atrium")).status == 200


@pytest.mark.parametrize("path", ["/", "/api/v1/rooms", "/api/v1/rooms/nowhere", "/metrics", "/healthz"])
async def test_every_answer_is_sealed(endpoint: Endpoint, path: str) -> None:
    headers = (await endpoint.get(path)).headers
    assert headers["Server"] == "placed"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
