"""Answers while thousands of rooms have an edge at the same second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.board_setup import BoardSetup, meeting, minutes

if TYPE_CHECKING:
    from tests.support.status_endpoint import Endpoint

MANY = 500


@pytest.fixture
def board_setup() -> BoardSetup:
    board_setup = BoardSetup()
    board_setup.add(*(f"room-{number:03}" for number in range(MANY)))
    for room in board_setup.board.rooms:
        board_setup.read(room.id, meeting(4, 40))
    return board_setup


async def test_an_answer_for_one_room_judges_only_this_room(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.moment += minutes(4)
    seq = board_setup.board.seq
    answer = await endpoint.get("/api/v1/rooms/room-321")
    assert answer.json["status"] == "busy"
    assert answer.json["seq"] == board_setup.board.seq == seq + 1


@pytest.mark.parametrize("path", ["/api/v1/days?room=room-321", "/api/v1/connections", "/readyz", "/metrics"])
async def test_an_answer_that_shows_no_statement_as_true_judges_none(
    endpoint: Endpoint, board_setup: BoardSetup, path: str
) -> None:
    board_setup.report()
    board_setup.moment += minutes(4)
    seq = board_setup.board.seq
    assert (await endpoint.get(path)).status in (200, 503)
    assert board_setup.board.seq == seq


@pytest.mark.parametrize("query", ["", "?status=busy"])
async def test_a_listing_shows_every_room_as_it_is(
    endpoint: Endpoint, board_setup: BoardSetup, query: str
) -> None:
    board_setup.moment += minutes(4)
    answer = await endpoint.get(f"/api/v1/rooms{query}")
    assert {room["status"] for room in answer.json["rooms"]} == {"busy"}
    assert len(answer.ids) == MANY


async def test_a_follower_of_one_room_has_only_this_room_judged(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.moment += minutes(4)
    seq = board_setup.board.seq
    async with endpoint.listen("?room=room-321") as listening:
        _, state = await listening.take(2)
    assert (state.data["status"], board_setup.board.seq) == ("busy", seq + 1)


async def test_a_new_follower_is_sent_every_room_as_it_is(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.moment += minutes(4)
    async with endpoint.listen() as listening:
        snapshot, *states = await listening.take(1 + MANY)
    assert snapshot.data["rooms"] == sorted(state.data["room"] for state in states)
    assert {state.data["status"] for state in states} == {"busy"}


async def test_followers_are_sent_rooms_as_they_are_judged_and_not_after_the_last(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    async with endpoint.listen(f"?last_event_id=7-{board_setup.board.seq}") as listening:
        await listening.block()
        await listening.block()  # it is up to date
        board_setup.moment += minutes(4)
        seq = board_setup.board.seq
        board_setup.board.judge_due(2)
        assert [s.data["status"] for s in await listening.take(2)] == ["busy", "busy"]
        assert board_setup.board.seq == seq + 2


async def test_a_follower_is_not_sent_a_statement_that_has_ended(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    async with endpoint.listen(f"?last_event_id=7-{board_setup.board.seq}") as listening:
        await listening.block()
        await listening.block()  # it is up to date
        board_setup.read("room-001", meeting(6, 40))  # it is on its way when the next edge comes
        board_setup.moment += minutes(6)
        board_setup.read("room-002", meeting(6, 50))
        board_setup.board.judge_if_due("room-001")
        reported = [(s.data["room"], s.data["status"]) for s in await listening.take(2)]
        assert reported == [("room-002", "busy"), ("room-001", "busy")]
        board_setup.read("room-003", meeting(10, 40))
        board_setup.moment += minutes(10)
        board_setup.read("room-004", meeting(16, 50))
        assert (await listening.next()).data["room"] == "room-004"
        board_setup.board.judge_if_due("room-003")
        assert (await listening.next()).data["room"] == "room-003"


async def test_after_a_step_of_the_clock_a_follower_is_sent_nothing_of_before(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    async with endpoint.listen(f"?last_event_id=7-{board_setup.board.seq}") as listening:
        await listening.block()
        await listening.block()  # it is up to date
        board_setup.read("room-001", meeting(-10, 40))  # it is on its way when the clock is set back
        board_setup.moment -= minutes(20)
        board_setup.board.clock_was_set(-minutes(20))
        board_setup.read("room-002", meeting(-30, 40))
        reported = await listening.next()
        assert (reported.data["room"], reported.data["status"]) == ("room-002", "busy")
        board_setup.board.judge_if_due("room-001")
        reported = await listening.next()
        assert (reported.data["room"], reported.data["status"]) == ("room-001", "free")
