"""What web pages of others can do with us: nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from tests.support.board_setup import BoardSetup

ADDRESSES = (
    "/",
    "/rooms/atrium",
    "/api/v1/rooms",
    "/api/v1/rooms/atrium",
    "/api/v1/days?room=atrium",
    "/api/v1/connections",
    "/healthz",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/nothing",
)
CROSS_SITE = {
    "Origin": "https://evil.example",
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
    "Access-Control-Request-Private-Network": "true",
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
async def test_no_path_allows_cross_site_reading(endpoint: Endpoint, method: str) -> None:
    for path in ADDRESSES:
        answer = await endpoint.ask(method, path, CROSS_SITE)
        assert [name for name in answer.headers if name.lower().startswith("access-control-")] == []
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        if method not in ("GET", "HEAD"):
            assert answer.status in (404, 405)


async def test_neither_does_the_event_stream(endpoint: Endpoint) -> None:
    async with endpoint.listen(headers=CROSS_SITE) as listening:
        headers = listening.response.headers
        assert [name for name in headers if name.lower().startswith("access-control-")] == []
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_pages_are_shown_in_nobodys_frame_unless_it_is_set(
    board_setup: BoardSetup, endpoint: Endpoint
) -> None:
    for path in ADDRESSES:
        assert "frame-ancestors 'none'" in (await endpoint.get(path)).headers["Content-Security-Policy"]
    sites = ("https://signage.contoso.example", "http://ha.contoso.example:8123")
    async with Endpoint(board_setup, frame_ancestors=sites) as framed:
        for path in ("/", "/rooms/atrium"):
            policy = (await framed.get(path)).headers["Content-Security-Policy"]
            assert f"frame-ancestors {' '.join(sites)};" in policy
            assert "default-src 'none'" in policy
        policy = (await framed.get("/api/v1/rooms")).headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
