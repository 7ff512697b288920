"""What the status endpoint reports of no-shows, and the signs of life of panels."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.action import Action
from placed.domain.command_sink import Offer
from placed.domain.panel_signs import AGAIN, SIGN_EVERY, NoSigns
from placed.http.listen_options import ListenOptions
from placed.settings.output_settings import Http
from tests.component.http.test_openapi import described, validate
from tests.support.hand_sink import EVERYTHING, HandSink
from tests.support.no_show_setup import NoShowSetup, booked
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import Hashable
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
    streams: set[tuple[str, Hashable]] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def again(self, room_id: str) -> timedelta:
        return SIGN_EVERY if room_id == "boardroom" else AGAIN

    def panel_is_there(self, room_id: str, panel: str) -> None:
        self.seen.append((room_id, panel))

    def panel_has_stream(self, room_id: str, stream: Hashable, *, is_open: bool) -> None:
        (self.streams.add if is_open else self.streams.remove)((room_id, stream))
        self.changed.set()

    @property
    def rooms(self) -> set[str]:
        """Those with an open stream of a panel."""
        return {room for room, _ in self.streams}


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


STREAMS = [
    ("?room=boardroom&room=atrium", ["rooms/*:*"], {}, {"boardroom"}),  # the other has no check-in
    ("?room=boardroom", ["rooms/boardroom:book"], {}, set()),
    ("", ["rooms/boardroom:check-in"], {}, {"boardroom"}),
    ("", ["rooms/*:check-in"], {}, set()),  # it may be a board for all rooms
    ("?room=boardroom", ["rooms/*:*"], {"Authorization": "Bearer other"}, set()),
    ("?room=boardroom", ["rooms/*:*"], {"X-Forwarded-For": "192.0.2.7"}, set()),
]


@pytest.mark.parametrize(("query", "scopes", "more", "rooms"), STREAMS)
async def test_a_panel_is_there_while_its_event_stream_is_open(  # noqa: PLR0913, PLR0917 - a row of the table
    board_setup: BoardSetup,
    tmp_path: Path,
    query: str,
    scopes: list[str],
    more: dict[str, str],
    rooms: set[str],
) -> None:
    tokens, signs = tmp_path / "panels.toml", Signs()
    digest = sha256(b"door").hexdigest()
    write_secret(tokens, f'[door]\ntoken_sha256 = "{digest}"\nscopes = {json.dumps(scopes)}\n')
    sink = HandSink(offers={"boardroom": EVERYTHING, "atrium": Offer(frozenset({Action.BOOK}))})
    headers = {"Authorization": "Bearer door", **more}
    async with Endpoint(board_setup, actions=sink, panel_tokens=tokens, signs=signs) as endpoint:
        async with endpoint.listen(query, headers=headers) as stream:
            await stream.next()
            assert signs.rooms == rooms
            signs.changed.clear()
        if rooms:
            await signs.changed.wait()
        assert signs.rooms == set()


async def test_a_panel_whose_token_is_removed_by_a_reload_is_not_there_any_more(
    board_setup: BoardSetup, tmp_path: Path
) -> None:
    tokens, signs = tmp_path / "panels.toml", Signs()
    write_secret(tokens, f'[door]\ntoken_sha256 = "{sha256(b"door").hexdigest()}"\nscopes = ["rooms/*:*"]\n')
    sink = HandSink(offers={"boardroom": EVERYTHING})
    async with (
        Endpoint(board_setup, actions=sink, panel_tokens=tokens, signs=signs) as endpoint,
        endpoint.listen("?room=boardroom", headers={"Authorization": "Bearer door"}) as stream,
    ):
        await stream.next()
        assert signs.rooms == {"boardroom"}
        settings = Http(listen="127.0.0.1:0")
        endpoint.server.change(settings, ListenOptions.of(settings))
        assert signs.rooms == set()
