from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.http.endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.http.boards import Site


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


async def test_another_address_of_loopback_is_a_name_of_its_own(site: Site) -> None:
    async with Endpoint(site, listen="127.0.0.2:0") as endpoint:
        assert (await endpoint.get("/healthz")).status == 200
        assert (await endpoint.get("/healthz", {"Host": "127.0.0.3"})).status == 421


async def test_beyond_loopback_any_name_will_do(site: Site) -> None:
    async with Endpoint(site, listen="0.0.0.0:0", allow_anonymous=True) as endpoint:
        assert (await endpoint.get("/healthz", {"Host": "rooms.contoso.example"})).status == 200


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text("correct-horse\n")
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
async def test_with_a_token_only_who_shows_it_is_answered(
    site: Site, token_file: Path, field: str | None, status: int
) -> None:
    headers = {} if field is None else {"Authorization": field}
    async with Endpoint(site, token_file=token_file) as endpoint:
        for path in ("/api/v1/rooms", "/api/v1/days?room=atrium", "/metrics", "/openapi.json"):
            answer = await endpoint.get(path, headers)
            assert answer.status == status
            if status == 401:
                assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="placed"')
                assert answer.headers["Content-Type"] == "application/problem+json"
                assert b"horse" not in answer.body


async def test_without_the_token_it_is_not_told_what_there_is(site: Site, token_file: Path) -> None:
    async with Endpoint(site, token_file=token_file) as endpoint:
        for method, path in (("GET", "/nothing"), ("POST", "/api/v1/rooms"), ("GET", "/api/v1/events")):
            assert (await endpoint.ask(method, path)).status == 401


async def test_what_tells_nothing_needs_no_token(site: Site, token_file: Path) -> None:
    async with Endpoint(site, token_file=token_file) as endpoint:
        for path in ("/healthz", "/", "/rooms/atrium", "/rooms/nowhere"):
            answer = await endpoint.get(path)
            assert answer.status == 200
            assert b"Atrium" not in answer.body
        assert (await endpoint.get("/rooms/nowhere")).body == (await endpoint.get("/rooms/atrium")).body
