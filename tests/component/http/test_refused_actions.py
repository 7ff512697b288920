"""Commands of panels over HTTP that are refused: who sends them, what they are, and how many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.action import Outcome, Refusal
from placed.http.api.actions import MOST_PER_MINUTE
from tests.component.http.acting_panel import DOOR, LOBBY, READER, Panel, digest
from tests.support.hand_sink import EVERYTHING, HandSink
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.board_setup import BoardSetup


@pytest.mark.parametrize(
    "field",
    [None, f"Bearer {READER}", "Bearer ", "Basic ZG9vcjo=", f"Bearer {digest(DOOR)}", "Bearer " + "x" * 600],
)
async def test_only_the_token_of_a_panel_counts(
    board_setup: BoardSetup, tokens: Path, tmp_path: Path, field: str | None
) -> None:
    reading = tmp_path / "reading"
    write_secret(reading, READER)
    sink = HandSink(offers={"boardroom": EVERYTHING})
    async with Endpoint(board_setup, actions=sink, panel_tokens=tokens, token_file=reading) as endpoint:
        answer = await Panel(endpoint, sink).press(authorization=field)
        assert (answer.status, answer.json["title"]) == (401, "Unauthorized")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        assert (await endpoint.get("/api/v1/panel")).status == 401
        mine = {"Authorization": f"Bearer {DOOR}"}
        assert (await endpoint.get("/api/v1/rooms", mine)).status == 401, "a panel's token reads nothing"
    assert sink.commands == []


async def test_without_a_file_of_tokens_nobody_may_act(board_setup: BoardSetup) -> None:
    sink = HandSink(offers={"boardroom": EVERYTHING})
    async with Endpoint(board_setup, actions=sink) as endpoint:
        assert (await Panel(endpoint, sink).press()).status == 401
    assert sink.commands == []


async def test_where_no_connection_has_actions_a_command_is_refused(
    board_setup: BoardSetup, tokens: Path
) -> None:
    async with Endpoint(board_setup, panel_tokens=tokens) as endpoint:
        answer = await Panel(endpoint, HandSink()).press()
        assert (answer.status, answer.json["reason"]) == (409, "not_configured")


@pytest.mark.parametrize(
    ("action", "room"),
    [("end", "boardroom"), ("extend", "boardroom"), ("book", "atrium"), ("check-in", "library")],
)
async def test_a_token_counts_only_within_its_scopes(panel: Panel, action: str, room: str) -> None:
    answer = await panel.press({"action": action}, room=room)
    assert (answer.status, answer.json["reason"]) == (403, "not_allowed")
    assert panel.sink.commands == []


async def test_a_scope_may_be_for_all_rooms(panel: Panel) -> None:
    assert (await panel.press(room="atrium", authorization=f"Bearer {LOBBY}")).status == 200


@pytest.mark.parametrize("room", ["removed", "nowhere", "Boardroom"])
async def test_a_room_that_is_not_known_is_not_found(panel: Panel, room: str) -> None:
    answer = await panel.press(room=room)
    assert (answer.status, answer.json["reason"]) == (404, "no_such_room")


@pytest.mark.parametrize(
    "media_type", [None, "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_what_another_site_could_post_unasked_is_refused(panel: Panel, media_type: str | None) -> None:
    answer = await panel.press(content_type=media_type)
    assert (answer.status, panel.sink.commands) == (415, [])


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:{port}", 200),
        ("https://127.0.0.1:{port}", 200),
        ("http://127.0.0.1", 403),
        ("http://127.0.0.1:1", 403),
        ("https://evil.example", 403),
        ("https://evil.example:{port}", 403),
        ("http://127.0.0.1:{port}.evil.example", 403),
        ("http://evil@127.0.0.1:{port}", 403),
        ("null", 403),
        ("", 403),
    ],
)
async def test_a_page_of_another_site_may_not_act(panel: Panel, origin: str, status: int) -> None:
    answer = await panel.press(origin=origin.format(port=panel.endpoint.at[1]))
    assert answer.status == status
    assert len(panel.sink.commands) == (status == 200)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://rooms.contoso.example", 200),
        ("https://Rooms.contoso.example", 200),
        ("https://named.contoso.example", 200),
        ("https://named.contoso.example:8443", 403),
        ("https://rooms.contoso.example:8443", 403),
        ("https://forwarded.example", 403),
    ],
)
async def test_behind_a_proxy_the_settings_name_our_origins(
    board_setup: BoardSetup, tokens: Path, origin: str, status: int
) -> None:
    sink = HandSink(offers={"boardroom": EVERYTHING})
    settings: dict[str, Any] = {
        "origins": ["https://rooms.contoso.example"],
        "hosts": ["named.contoso.example"],
        "panel_tokens": tokens,
    }
    async with Endpoint(board_setup, actions=sink, **settings) as endpoint:
        answer = await Panel(endpoint, sink).press(origin=origin, x_forwarded_host="forwarded.example")
    assert answer.status == status


@pytest.mark.parametrize(
    "key", [None, "", "1", "8e03978e40d543e893bc6894a57f9324", "8e03978e-40d5-43e8-93bc-6894a57f932g", '"']
)
async def test_a_command_needs_a_key(panel: Panel, key: str | None) -> None:
    answer = await panel.press(idempotency_key=key)
    assert (answer.status, panel.sink.commands) == (400, [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"[" * 4000,
        b"{}",
        {"action": "explode"},
        {"action": "book", "name": "Ada Lovelace"},
        {"action": "book", "until": "tomorrow"},
        {"action": "book", "until": "2026-01-08T09:30:00"},
        {"action": "book", "until": "0001-01-01T00:00:00+14:00"},
        {"action": "book", "until": 1767864600},
        {"action": ["book"]},
    ],
)
async def test_a_body_that_is_no_command_is_refused_without_repeating_it(panel: Panel, body: Any) -> None:
    answer = await panel.press(body)
    assert (answer.status, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert b"Ada" not in answer.body
    assert b"explode" not in answer.body
    assert panel.sink.commands == []


async def test_a_large_body_is_not_read(panel: Panel) -> None:
    answer = await panel.press(b" " * 5000)
    assert (answer.status, panel.sink.commands) == (413, [])


async def test_too_many_commands_for_a_room_have_to_wait(panel: Panel) -> None:
    panel.sink.most = 6
    assert [(await panel.press()).status for _ in range(6)] == [200] * 6
    refused = await panel.press()
    assert (refused.status, refused.json["reason"], refused.json["outcome"]) == (429, "throttled", "refused")
    assert refused.headers["Retry-After"] == "10"
    lobby = f"Bearer {LOBBY}"
    assert (await panel.press(room="atrium", authorization=lobby)).status == 200, (
        "another room is not affected"
    )
    known = panel.sink.commands[0].key
    assert (await panel.press(idempotency_key=known)).status == 200, "a repetition is no further command"


async def test_commands_that_are_refused_have_a_limit_as_well(panel: Panel) -> None:
    panel.sink.at_once = Outcome.REFUSED, Refusal.CONFLICT
    statuses = [(await panel.press()).status for _ in range(MOST_PER_MINUTE + 1)]
    assert statuses == [409] * MOST_PER_MINUTE + [429]


async def test_a_panel_of_another_room_uses_up_nothing(panel: Panel) -> None:
    for _ in range(MOST_PER_MINUTE + 1):
        assert (await panel.press({"action": "end"})).status == 403
    assert (await panel.press()).status == 200
