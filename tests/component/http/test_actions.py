"""Commands of panels over HTTP: what is done, and what a panel may do."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from placed.domain.action import Action, Channel, Outcome, Refusal
from placed.domain.command_sink import Extension, Offer
from placed.http.listen_options import ListenOptions
from placed.settings.output_settings import Http
from tests.component.http.acting_panel import BOOK, DOOR, LOBBY, PANELS, Panel, digest
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.board_setup import BoardSetup

OUTCOME = "/api/v1/actions/{key}"


# --- what is done -------------------------------------------------------------------------------------------


async def test_a_command_is_answered_with_its_outcome(panel: Panel, board_setup: BoardSetup) -> None:
    key = str(uuid4())
    answer = await panel.press(idempotency_key=key)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "key": key,
        "action": "book",
        "room": "boardroom",
        "outcome": "done",
        "reason": None,
        "epoch": 7,
        "seq": 4,
    }
    (command,) = panel.sink.commands
    assert (command.key, command.action, command.room) == (key, Action.BOOK, "boardroom")
    assert (command.channel, command.sender) == (Channel.HTTP, "door")
    assert command.issued_at == board_setup.moment
    assert command.meeting is None
    assert command.until is not None
    assert command.until.isoformat() == "2026-01-08T09:30:00+00:00"


async def test_times_of_other_zones_are_taken(panel: Panel) -> None:
    await panel.press({"action": "check-in", "meeting": "2026-01-08T10:00:00+01:00"})
    (command,) = panel.sink.commands
    assert command.meeting is not None
    assert command.meeting.isoformat() == "2026-01-08T09:00:00+00:00"


async def test_an_outcome_that_takes_long_has_an_address(panel: Panel) -> None:
    panel.sink.at_once = None
    key = str(uuid4())
    answer = await panel.press(idempotency_key=key)
    assert (answer.status, answer.headers["Location"]) == (202, f"/api/v1/actions/{key}")
    assert answer.json["outcome"] == "accepted"
    assert (await panel.read(OUTCOME, key=key)).json["outcome"] == "accepted"
    panel.sink.executions[key].settle(Outcome.REFUSED, Refusal.CONFLICT)
    later = await panel.read(OUTCOME, key=key)
    assert (later.status, later.json["outcome"], later.json["reason"]) == (200, "refused", "conflict")


async def test_an_outcome_is_shown_only_to_panels_that_may_ask_for_it(panel: Panel) -> None:
    key = str(uuid4())
    command = {"action": "check-in", "meeting": "2026-01-08T09:00:00Z"}
    assert (await panel.press(command, idempotency_key=key)).status == 200
    assert (await panel.read(OUTCOME, key=key, token="none")).status == 401
    assert (await panel.read(OUTCOME, key=key, token=LOBBY)).status == 404
    assert (await panel.read(OUTCOME, key=key)).status == 200
    assert (await panel.read(OUTCOME, key=str(uuid4()))).status == 404


async def test_a_repeated_command_is_done_once(panel: Panel) -> None:
    key = str(uuid4())
    answers = [await panel.press(idempotency_key=key) for _ in range(10)]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    assert len(panel.sink.commands) == 1


async def test_another_command_under_a_known_key_is_refused(panel: Panel) -> None:
    key = str(uuid4())
    await panel.press(idempotency_key=key)
    answer = await panel.press({**BOOK, "until": "2026-01-08T10:00:00Z"}, idempotency_key=key)
    assert (answer.status, answer.json["reason"]) == (409, "changed")
    assert len(panel.sink.commands) == 1


async def test_the_key_may_stand_in_quotation_marks(panel: Panel) -> None:
    key = str(uuid4())
    assert (await panel.press(idempotency_key=f'"{key}"')).json["key"] == key


@pytest.mark.parametrize("reason", [one for one in Refusal if one is not Refusal.NO_SUCH_ROOM])
async def test_a_refusal_is_a_problem_with_its_reason(panel: Panel, reason: Refusal) -> None:
    panel.sink.at_once = Outcome.REFUSED, reason
    answer = await panel.press()
    assert (answer.status, answer.headers["Content-Type"]) == (409, "application/problem+json")
    assert (answer.json["outcome"], answer.json["reason"], answer.json["status"]) == ("refused", reason, 409)


async def test_an_uncertain_outcome_is_no_refusal(panel: Panel) -> None:
    panel.sink.at_once = Outcome.UNCERTAIN, Refusal.UNCERTAIN
    answer = await panel.press()
    assert (answer.status, answer.json["outcome"]) == (200, "uncertain")


# --- what a panel may do ------------------------------------------------------------------------------------


async def test_a_page_learns_what_its_token_allows(panel: Panel) -> None:
    panel.sink.offers["atrium"] = Offer(frozenset({Action.END}))
    answer = await panel.read("/api/v1/panel")
    assert answer.status == 200
    assert answer.json == {
        "schema": 1,
        "panel": "door",
        "rooms": [
            {
                "room": "boardroom",
                "actions": ["book", "check-in"],
                "longest_seconds": 7200,
                "again_seconds": 300,
                "extension": None,
                "epoch": answer.json["rooms"][0]["epoch"],
                "seq": answer.json["rooms"][0]["seq"],
            }
        ],
    }
    assert (await panel.read("/api/v1/panel", token=LOBBY)).json["rooms"][0]["actions"] == ["book"]
    lobby = {"Authorization": f"Bearer {LOBBY}"}
    assert (await panel.endpoint.get("/api/v1/panel?room=atrium", lobby)).json["rooms"] == []


async def test_a_page_learns_how_the_running_meeting_can_be_extended(panel: Panel, tokens: Path) -> None:
    start, begin, until = (datetime(2026, 1, 8, hour, tzinfo=UTC) for hour in (9, 10, 11))
    offered = Offer(frozenset({Action.BOOK, Action.EXTEND}), extension=Extension(start, begin, until))
    panel.sink.offers["boardroom"] = offered
    (room,) = (await panel.read("/api/v1/panel")).json["rooms"]
    assert (room["actions"], room["extension"]) == (["book"], None), "the token does not allow to extend"
    write_secret(tokens, PANELS.replace("rooms/boardroom:book", "rooms/boardroom:extend"))
    settings = Http(listen="127.0.0.1:0", panel_tokens=tokens)
    panel.endpoint.server.change(settings, ListenOptions.of(settings))
    (room,) = (await panel.read("/api/v1/panel")).json["rooms"]
    assert room["extension"] == {
        "meeting": "2026-01-08T09:00:00Z",
        "from": "2026-01-08T10:00:00Z",
        "until": "2026-01-08T11:00:00Z",
    }
    statement = (await panel.endpoint.get("/api/v1/rooms/boardroom")).json
    assert (room["epoch"], room["seq"]) == (statement["epoch"], statement["seq"])


async def test_a_reload_replaces_tokens_and_origins(panel: Panel, tokens: Path) -> None:
    write_secret(tokens, PANELS.replace(digest(DOOR), digest("a-new-one")))
    settings = Http(listen="127.0.0.1:0", panel_tokens=tokens, origins=frozenset({"https://rooms.example"}))
    panel.endpoint.server.change(settings, ListenOptions.of(settings))
    assert (await panel.press()).status == 401
    assert (await panel.press(authorization="Bearer a-new-one", origin="https://rooms.example")).status == 200


async def test_requests_that_become_no_command_are_counted_by_reason(panel: Panel) -> None:
    def lines(text: str) -> dict[str, float]:
        found = re.findall(
            r'^placed_commands_unused_total{channel="http",reason="(\w+)"} (\S+)$', text, re.MULTILINE
        )
        return {reason: float(count) for reason, count in found}

    before = lines((await panel.endpoint.get("/metrics")).body.decode())
    assert set(before.values()) == {0.0}
    await panel.press(authorization=None)
    await panel.press(authorization="Bearer forged")
    await panel.press(origin="https://elsewhere.example")
    await panel.press({"action": "end"})
    await panel.press(b"{")
    await panel.press(content_type="text/plain")
    await panel.press(room="nowhere")
    assert (await panel.press()).status == 200
    after = lines((await panel.endpoint.get("/metrics")).body.decode())
    assert {reason: count for reason, count in after.items() if count} == {
        "no_token": 2,
        "not_allowed": 2,
        "not_a_command": 2,
        "no_such_room": 1,
    }


async def test_other_methods_are_refused(panel: Panel) -> None:
    answer = await panel.endpoint.get("/api/v1/rooms/boardroom/actions")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert (await panel.endpoint.ask("POST", "/api/v1/panel")).headers["Allow"] == "GET,HEAD"
