from __future__ import annotations

import asyncio
import gzip
import time
from typing import TYPE_CHECKING

import pytest
from aiohttp.test_utils import make_mocked_request
from msgspec.structs import replace

from placed.domain.model import Reason
from placed.domain.privacy import Show
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure
from placed.http.api.rooms import RoomDocuments, RoomsApi
from tests.support.board_setup import NINE, BoardSetup, meeting, minutes
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.domain.state_document import Statement


async def test_a_listing_has_every_room_by_its_id(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    answer = await endpoint.get("/api/v1/rooms")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-cache"
    listing = answer.json
    assert (listing["schema"], listing["epoch"], listing["seq"]) == (1, 7, board_setup.board.seq)
    assert answer.ids == ["atrium", "boardroom", "library"]


async def test_a_room_is_its_state_document_and_where_it_is(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.read("boardroom", meeting(-10, 30))
    answer = await endpoint.get("/api/v1/rooms/boardroom")
    statement = board_setup.board.statement("boardroom")
    assert statement is not None
    assert answer.body == statement.document[:-1] + (
        b',"building":"Headquarters","floor":"1","capacity":12,"time_zone":"Europe/Berlin"}'
    )
    assert (answer.json["status"], answer.json["busy_until"]) == ("busy", "2026-01-08T09:30:00Z")
    listing = await endpoint.get("/api/v1/rooms")
    assert listing.json["rooms"][1] == answer.json


async def test_a_room_that_moved_is_listed_with_its_new_place(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    before = await endpoint.get("/api/v1/rooms/library")
    board_setup.enrolled["contoso"]["library"] = replace(
        board_setup.enrolled["contoso"]["library"], floor="2"
    )
    board_setup.add()
    after = await endpoint.get("/api/v1/rooms/library", {"If-None-Match": before.headers["ETag"]})
    assert (before.json["floor"], after.json["floor"]) == ("1", "2")


async def test_a_room_that_is_not_there_is_a_problem(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.drop("library")
    for room_id in ("library", "nowhere", "Atrium", "%2e%2e", "atrium%00"):
        answer = await endpoint.get(f"/api/v1/rooms/{room_id}")
        assert (answer.status, answer.json["title"]) == (404, "Not Found")


async def test_a_room_that_is_not_read_any_more_turns_unknown(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.read("atrium")
    green = await endpoint.get("/api/v1/rooms?free_for=30m")
    assert green.ids == ["atrium"]
    board_setup.wait(minutes(15))
    answer = await endpoint.get("/api/v1/rooms", {"If-None-Match": green.headers["ETag"]})
    atrium = answer.json["rooms"][0]
    assert (atrium["status"], atrium["occupied"], atrium["reason"]) == ("unknown", None, "expired")
    assert (await endpoint.get("/api/v1/rooms?free_for=30m")).ids == []
    assert (await endpoint.get("/api/v1/rooms?status=unknown")).ids == ["atrium", "boardroom", "library"]


@pytest.mark.parametrize("path", ["/api/v1/rooms", "/api/v1/rooms/atrium", "/api/v1/rooms?floor=EG"])
async def test_what_a_client_has_already_is_not_sent_again(
    endpoint: Endpoint, board_setup: BoardSetup, path: str
) -> None:
    board_setup.read("atrium")
    first = await endpoint.get(path)
    tag = first.headers["ETag"]
    for field in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await endpoint.get(path, {"If-None-Match": field})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Cache-Control"] == "no-cache"
        assert again.headers["Vary"] == "Accept-Encoding"
    board_setup.read("atrium", meeting(0, 30))
    changed = await endpoint.get(path, {"If-None-Match": tag})
    assert changed.status == 200
    assert changed.headers["ETag"] != tag


async def test_tags_name_the_epoch_and_the_statement(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    listing = await endpoint.get("/api/v1/rooms")
    room = await endpoint.get("/api/v1/rooms/library")
    assert listing.headers["ETag"] == f'"7-{board_setup.board.seq}"'
    assert room.headers["ETag"] == f'"7-{room.json["seq"]}"'


async def test_a_filtered_listing_stays_while_nothing_in_it_changes(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.read("boardroom", meeting(-10, 30))
    busy = await endpoint.get("/api/v1/rooms?status=busy")
    board_setup.read("atrium")
    again = await endpoint.get("/api/v1/rooms?status=busy", {"If-None-Match": busy.headers["ETag"]})
    assert again.status == 304
    assert busy.json["seq"] == busy.json["rooms"][0]["seq"] < board_setup.board.seq
    board_setup.wait(minutes(30))
    free = await endpoint.get("/api/v1/rooms?status=busy", {"If-None-Match": busy.headers["ETag"]})
    assert (free.status, free.ids, free.json["seq"]) == (200, [], 0)


@pytest.mark.parametrize("path", ["/api/v1/rooms", "/api/v1/rooms/atrium", "/metrics", "/", "/api/v1/events"])
async def test_head_returns_only_the_header_fields(endpoint: Endpoint, path: str) -> None:
    head = await endpoint.ask("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Type"]
    if path.startswith("/api/v1/rooms"):
        get = await endpoint.get(path)
        assert head.headers["ETag"] == get.headers["ETag"]
        assert head.headers["Content-Length"] == get.headers["Content-Length"]


async def test_a_packed_listing_is_another_representation(board_setup: BoardSetup) -> None:
    board_setup.add(*(f"room-{number}" for number in range(20)))
    async with Endpoint(board_setup) as endpoint:
        plain = await endpoint.get("/api/v1/rooms")
        gzipped = {"Accept-Encoding": "gzip"}
        packed = await endpoint.get("/api/v1/rooms", gzipped)
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
        assert gzip.decompress(packed.body) == plain.body
        assert packed.headers["ETag"] != plain.headers["ETag"]
        for headers, status in (
            ({**gzipped, "If-None-Match": packed.headers["ETag"]}, 304),
            ({**gzipped, "If-None-Match": plain.headers["ETag"]}, 200),
            ({"If-None-Match": packed.headers["ETag"]}, 200),
        ):
            assert (await endpoint.get("/api/v1/rooms", headers)).status == status
        small = await endpoint.get("/api/v1/rooms/atrium", gzipped)
        assert "Content-Encoding" not in small.headers


async def test_connections_are_listed_with_their_health(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.report("fabrikam")
    board_setup.report(
        failing={"atrium": ReadFailure(Reason.FORBIDDEN, NINE, Problem("", "ErrorAccessDenied"))}
    )
    answer = await endpoint.get("/api/v1/connections")
    assert answer.json == {
        "schema": 1,
        "connections": [
            board_setup.board.health["contoso"].document(),
            board_setup.board.health["fabrikam"].document(),
        ],
        "clock": None,
        "undelivered": [],
    }
    again = await endpoint.get("/api/v1/connections", {"If-None-Match": answer.headers["ETag"]})
    assert again.status == 304


SECRETS = ("Takeover of Northwind", "Adele Vance", "@contoso.example", "guid-of-")


@pytest.mark.parametrize("show", [Show.NOTHING, Show.EVERYTHING])
async def test_what_is_hidden_is_in_no_byte_of_any_answer(show: Show) -> None:
    """With titles hidden by the site, and with a private meeting where the site shows all."""
    board_setup = BoardSetup(show=show)
    board_setup.add("boardroom")
    private = show is Show.EVERYTHING
    board_setup.read("boardroom", meeting(-10, 30, title=SECRETS[0], organizer=SECRETS[1], private=private))
    board_setup.report(
        failing={"boardroom": ReadFailure(Reason.FORBIDDEN, NINE, Problem("", "boardroom@contoso.example"))}
    )
    async with Endpoint(board_setup) as endpoint, endpoint.listen() as listening:
        paths = ("/", "/rooms/boardroom", "/api/v1/rooms", "/api/v1/rooms?status=busy", "/metrics")
        more = (
            "/api/v1/rooms/boardroom",
            "/api/v1/days?room=boardroom",
            "/api/v1/connections",
            "/readyz",
            "/openapi.json",
        )
        output = [(await endpoint.get(path)).body.decode() for path in (*paths, *more)]
        output += [str(reported) for reported in await listening.take(3)]
    for secret in SECRETS:
        assert not [text for text in output if secret in text]


async def test_the_privacy_setting_is_applied() -> None:
    board_setup = BoardSetup(show=Show.EVERYTHING)
    board_setup.add("boardroom")
    board_setup.read("boardroom", meeting(-10, 30, title="Standup", organizer="Adele Vance"))
    async with Endpoint(board_setup) as endpoint:
        current = (await endpoint.get("/api/v1/rooms/boardroom")).json["current"]
    assert (current["title"], current["organizer"]) == ("Standup", "Adele Vance")


@pytest.mark.slow  # 5,500 rooms are set up
async def test_thousands_of_rooms_are_listed_in_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    board_setup = BoardSetup()
    board_setup.add(*(f"room-{number:04}" for number in range(5500)), building="Headquarters", capacity=8)
    for number in range(5500):
        board_setup.read(f"room-{number:04}", meeting(-number % 60, 90), meeting(120, 180))
    measured: dict[str, float] = {}
    async with Endpoint(board_setup) as endpoint:

        async def take(name: str, path: str, headers: Mapping[str, str] | None = None) -> int:
            begun = time.perf_counter()
            answer = await endpoint.get(path, headers)
            measured[name] = (time.perf_counter() - begun) * 1000
            return len(answer.body)

        size = await take("first", "/api/v1/rooms")
        await take("again", "/api/v1/rooms")
        await take("304", "/api/v1/rooms", {"If-None-Match": f'"7-{board_setup.board.seq}"'})
        packed = await take("gzip", "/api/v1/rooms", {"Accept-Encoding": "gzip"})
        await take("gzip again", "/api/v1/rooms", {"Accept-Encoding": "gzip"})
        await take("free_for=45m", "/api/v1/rooms?free_for=45m")
        await take("metrics", "/metrics")
        await take("readyz", "/readyz")
        begun = time.perf_counter()
        async with endpoint.listen() as listening:
            await listening.take(5501)
        measured["events, snapshot"] = (time.perf_counter() - begun) * 1000
    with capsys.disabled():
        times = ", ".join(f"{name} {took:.1f} ms" for name, took in measured.items())
        print(f"\n5,500 rooms, {size:,} bytes, packed {packed:,}: {times}")  # noqa: T201 - to be read
    assert measured["first"] < 2000


# --- many rooms ---------------------------------------------------------------------------------------------


@pytest.fixture
def campus() -> BoardSetup:
    board_setup = BoardSetup()
    board_setup.add(*(f"room-{number}" for number in range(5000)), building="hq")
    return board_setup


@pytest.mark.parametrize("query", ["", "?building=hq"])
async def test_a_long_listing_gives_way_to_everything_else(campus: BoardSetup, query: str) -> None:
    """Edges are published and other requests answered meanwhile."""
    turns = 0

    async def everything_else() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(everything_else())
    api = RoomsApi(campus.board, RoomDocuments(), campus.now)
    answer = await api.rooms(make_mocked_request("GET", f"/api/v1/rooms{query}"))
    other.cancel()
    assert answer.status == 200
    assert turns >= 4


async def test_a_long_listing_is_built_once_for_concurrent_requests(campus: BoardSetup) -> None:
    made: list[str] = []

    class Documents(RoomDocuments):
        def document(self, statement: Statement) -> bytes:
            made.append(statement.room.id)
            return super().document(statement)

    api = RoomsApi(campus.board, Documents(), campus.now)
    await asyncio.gather(*(api.rooms(make_mocked_request("GET", "/api/v1/rooms")) for _ in range(3)))
    assert len(made) == len(campus.board.rooms)


async def test_a_request_after_a_change_is_not_answered_from_an_older_listing(campus: BoardSetup) -> None:
    api = RoomsApi(campus.board, RoomDocuments(), campus.now)
    request = make_mocked_request("GET", "/api/v1/rooms")
    before = asyncio.ensure_future(api.rooms(request))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    campus.read("room-0")
    after = await api.rooms(request)
    assert (await before).headers["ETag"] != after.headers["ETag"]
    assert after.headers["ETag"] == f'"7-{campus.board.seq}"'


async def test_a_listing_of_no_room_is_a_listing() -> None:
    async with Endpoint(BoardSetup()) as endpoint:
        assert (await endpoint.get("/api/v1/rooms")).json == {"schema": 1, "epoch": 7, "seq": 0, "rooms": []}
