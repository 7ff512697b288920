"""What the status endpoint reports of no-shows, and the signs of life of panels."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from placed.domain.action import Action
from placed.domain.command_sink import Offer
from placed.domain.panel_signs import AGAIN, SIGN_EVERY, NoSigns
from tests.component.http.test_openapi import described, validate
from tests.support.hand_sink import EVERYTHING, HandSink
from tests.support.no_show_setup import NoShowSetup, booked
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

    from tests.support.board_setup import BoardSetup

PATH = "/api/v1/no-shows"


async def test_the_numbers_of_the_week_are_as_described(board_setup: BoardSetup) -> None:
    setup = NoShowSetup(mode="rehearse")
    setup.book(booked(title="Merger", organizer="Ada Example", series="s"))
    await setup.pass_until("10:15")
    async with Endpoint(board_setup, no_shows=setup.service) as endpoint:
        answer = await endpoint.get(PATH)
        metrics = (await endpoint.get("/metrics")).body.decode()
    validate(answer.json, described(PATH, answer))
    (connection,) = answer.json["connections"]
    assert (connection["mode"], connection["last_week"]) == ("rehearse", None)
    sentence = "would have released 1 of 1 meeting, 0 of them had people in the room later"
    assert connection["this_week"]["sentence"] == sentence
    assert 'placed_no_shows_total{mode="rehearse",outcome="released"} 1.0' in metrics
    for text in (answer.body.decode(), metrics):
        assert "Merger" not in text
        assert "Ada" not in text


async def test_without_no_shows_there_are_no_numbers(board_setup: BoardSetup) -> None:
    async with Endpoint(board_setup) as endpoint:
        answer = await endpoint.get(PATH)
        validate(answer.json, described(PATH, answer))
        assert answer.json["connections"] == []
        assert "placed_no_shows" not in (await endpoint.get("/metrics")).body.decode()


# --- panels ---


@dataclass
class Signs(NoSigns):
    """Keeps the signs of life."""

    seen: list[tuple[str, str]] = field(default_factory=list)

    def again(self, room_id: str) -> timedelta:
        return SIGN_EVERY if room_id == "boardroom" else AGAIN

    def panel_is_there(self, room_id: str, panel: str) -> None:
        self.seen.append((room_id, panel))


async def asked(board_setup: BoardSetup, tmp_path: Path, scopes: str, query: str) -> tuple[Any, Signs]:
    tokens, signs = tmp_path / "panels.toml", Signs()
    write_secret(tokens, f'[door]\ntoken_sha256 = "{sha256(b"door").hexdigest()}"\nscopes = {scopes}\n')
    books_only = Offer(frozenset({Action.BOOK}))
    sink = HandSink(offers={"boardroom": EVERYTHING, "atrium": books_only})
    async with Endpoint(board_setup, actions=sink, panel_tokens=tokens, signs=signs) as endpoint:
        answer = await endpoint.get(f"/api/v1/panel{query}", {"Authorization": "Bearer door"})
        await endpoint.get(f"/api/v1/panel{query}", {"Authorization": "Bearer other"})
    validate(answer.json, described("/api/v1/panel", answer))
    return answer.json["rooms"], signs


async def test_a_panel_that_asks_for_its_room_is_there(board_setup: BoardSetup, tmp_path: Path) -> None:
    rooms, signs = await asked(board_setup, tmp_path, '["rooms/*:*"]', "?room=boardroom&room=atrium")
    assert signs.seen == [("boardroom", "door")]  # nobody can check in to the meetings of the other
    assert {room["room"]: room["again_seconds"] for room in rooms} == {"boardroom": 20, "atrium": 300}


async def test_a_panel_that_asks_for_all_rooms_is_in_none(board_setup: BoardSetup, tmp_path: Path) -> None:
    _, signs = await asked(board_setup, tmp_path, '["rooms/*:*"]', "")
    assert signs.seen == []


async def test_a_panel_that_may_not_check_in_is_no_way_to_do_so(
    board_setup: BoardSetup, tmp_path: Path
) -> None:
    rooms, signs = await asked(board_setup, tmp_path, '["rooms/boardroom:book"]', "?room=boardroom")
    assert (len(rooms), signs.seen) == (1, [])
