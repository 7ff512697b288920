"""/api/v1/connections/<name>/rooms: how each room of a connection is read."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from placed.domain.connection_health import ConnectionHealth
from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure
from placed.polling.readability_tracker import ReadabilityTracker
from tests.support.board_setup import NINE, BoardSetup, minutes
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from placed.domain.model import Room
    from placed.domain.room_readability import RoomReadability

PATH = "/api/v1/connections/contoso/rooms"


def readability() -> RoomReadability:
    """The boardroom is readable, the library is not found, the atrium was not asked for yet."""
    found = ReadabilityTracker()
    found.succeeded("boardroom", NINE)
    problem = Problem("", "404 ErrorInvalidUser", "check it")
    found.failed("library", ReadFailure(Reason.NOT_FOUND, NINE + minutes(5), problem))
    return found.snapshot


async def test_every_room_carries_its_readability_with_start_and_reason(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.report(readability=readability())
    answer = await endpoint.get(PATH)
    assert answer.status == 200
    assert (answer.json["schema"], answer.json["connection"]) == (1, "contoso")
    reported = {r["room"]: (r["access"], r["since"], r["reason"], r["remedy"]) for r in answer.json["rooms"]}
    assert reported["boardroom"] == ("readable", "2026-01-08T09:00:00Z", None, None)
    assert reported["library"] == ("not_found", "2026-01-08T09:05:00Z", "not_found", "check it")
    assert reported["atrium"] == ("waiting", None, None, None)
    assert list(reported) == sorted(reported)


async def test_rooms_of_other_connections_are_not_there(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.add("annex", connection="fabrikam")
    board_setup.report("fabrikam")
    answer = await endpoint.get("/api/v1/connections/fabrikam/rooms")
    assert [room["room"] for room in answer.json["rooms"]] == ["annex"]


async def test_a_connection_problem_is_reported_for_each_room(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    whole = ReadFailure(
        Reason.BREACHED, NINE, Problem("", "a mailbox outside of the fence is readable", "fix it")
    )
    board_setup.report(readability=readability(), whole=whole)
    answer = await endpoint.get(PATH)
    assert {room["access"] for room in answer.json["rooms"]} == {"breached"}


async def test_a_connection_that_is_not_there_is_a_problem(endpoint: Endpoint) -> None:
    answer = await endpoint.get("/api/v1/connections/nowhere/rooms")
    assert answer.status == 404
    assert "/api/v1/connections" in answer.json["detail"]


async def test_no_address_is_in_it(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.report(readability=readability())
    assert b"@" not in (await endpoint.get(PATH)).body


async def test_it_is_answered_with_304_while_it_stays_the_same(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.report(readability=readability())
    first = await endpoint.get(PATH)
    again = await endpoint.get(PATH, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status == 304


async def test_thousands_of_rooms_are_listed_while_everything_else_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    board_setup = BoardSetup()
    board_setup.add(*(f"room-{number}" for number in range(5000)))
    board_setup.report(readability=readability())
    turns = 0
    listed: Counter[int] = Counter()  # rooms by the turn of the loop
    make = ConnectionHealth.rooms_document

    def counted(health: ConnectionHealth, rooms: Sequence[Room]) -> list[dict[str, str | None]]:
        listed[turns] += len(rooms)
        return make(health, rooms)

    async def everything_else() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    monkeypatch.setattr(ConnectionHealth, "rooms_document", counted)
    async with Endpoint(board_setup) as endpoint:
        other = asyncio.create_task(everything_else())
        answer = await endpoint.get(PATH)
        again = await endpoint.get(PATH, {"If-None-Match": answer.headers["ETag"]})
        other.cancel()
    assert [room["room"] for room in answer.json["rooms"]] == [room.id for room in board_setup.board.rooms]
    assert max(listed.values()) <= 1000
    assert again.status == 304
