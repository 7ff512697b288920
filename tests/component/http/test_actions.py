"""Commands of panels over HTTP."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from placed.domain.action import Action, Channel, Outcome, Refusal
from placed.domain.command_sink import Extension, Offer
from placed.http.api.actions import MOST_PER_MINUTE
from placed.http.limits import Limits
from placed.http.listen_options import ListenOptions
from placed.settings.output_settings import Http
from tests.component.http.test_openapi import described, validate
from tests.support.hand_sink import EVERYTHING, HandSink
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.board_setup import BoardSetup
    from tests.support.status_endpoint import Answer

DOOR, LOBBY, READER = "door-token", "lobby-token", "reading-token"
OUTCOME = "/api/v1/actions/{key}"
BOOK = {"action": "book", "meeting": None, "until": "2026-01-08T09:30:00Z"}


def digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()


PANELS = f"""
[door]
token_sha256 = "{digest(DOOR)}"
scopes = ["rooms/boardroom:book", "rooms/boardroom:check-in", "rooms/removed:book"]

[lobby]
token_sha256 = "{digest(LOBBY)}"
scopes = ["rooms/*:book"]
"""


@dataclass
class Panel:
    """A panel that presses buttons."""

    endpoint: Endpoint
    sink: HandSink
    headers: dict[str, str] = field(default_factory=dict)

    async def press(self, command: Any = BOOK, *, room: str = "boardroom", **headers: str | None) -> Answer:
        """Posts a command; an argument such as `content_type=None` leaves a header field out."""
        given: dict[str, str | None] = {
            "Authorization": f"Bearer {DOOR}",
            "Content-Type": "application/json",
            "Idempotency-Key": str(uuid4()),
            **{name.replace("_", "-").title(): value for name, value in headers.items()},
        }
        body = command if isinstance(command, bytes) else json.dumps(command).encode()
        fields = {name: value for name, value in given.items() if value is not None}
        left_out = ["Content-Type"] if "Content-Type" not in fields else []
        path = "/api/v1/rooms/{room}/actions"
        answer = await self.endpoint.ask(
            "POST", path.format(room=room), fields, data=body, skip_auto_headers=left_out
        )
        validate(answer.json, described(path, answer, "post"))
        return answer

    async def read(self, path: str, *, key: str = "", token: str = DOOR) -> Answer:
        """Reads what a panel may read; the answer is as /openapi.json describes it."""
        answer = await self.endpoint.get(path.format(key=key), {"Authorization": f"Bearer {token}"})
        validate(answer.json, described(path, answer))
        return answer


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "panels.toml"
    write_secret(path, PANELS)
    return path


@pytest.fixture
async def panel(board_setup: BoardSetup, tokens: Path) -> AsyncIterator[Panel]:
    """The panel at the door of the boardroom, where everything is allowed."""
    sink = HandSink(offers={"boardroom": EVERYTHING})
    limits = Limits(outcome=0.01)
    async with Endpoint(
        board_setup, limits=limits, actions=sink, panel_tokens=tokens, steady=lambda: 0.0
    ) as endpoint:
        yield Panel(endpoint, sink)


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


# --- what is refused ----------------------------------------------------------------------------------------


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
