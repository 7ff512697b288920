"""The QR code on a panel, and the ticket in it with which a phone checks in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import pytest
import zxingcpp

from placed.domain.action import Action
from placed.domain.check_in_rules import CheckedIn, CheckInRules
from placed.domain.command_sink import Offer
from placed.http.api.room_qr_code import draw
from placed.http.check_in_tickets import LIFE, CheckInTickets
from placed.http.limits import Limits
from tests.component.http.acting_panel import DOOR, LOBBY, PANELS, READER
from tests.component.http.test_openapi import described, validate
from tests.support.board_setup import NINE, meeting, minutes
from tests.support.hand_sink import EVERYTHING, HandSink
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from tests.support.board_setup import BoardSetup
    from tests.support.status_endpoint import Answer

PUBLIC = "https://rooms.contoso.example/placed/"
QR, ACT = "/api/v1/rooms/{room}/qr", "/api/v1/rooms/{room}/actions"
MEETING = "2026-01-08T09:00:00Z"
CHECK_IN = {"action": "check-in", "meeting": MEETING, "until": None}
RULES = CheckInRules(before=minutes(10), after=minutes(15))


def scanned(size: int, path: str) -> str:
    """What a scanner reads in a code, of which each module is drawn as four points by four."""
    picture = np.full((4 * size, 4 * size), 255, np.uint8)
    for x, y, length in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path):
        left, top = 4 * int(x), 4 * int(y)
        picture[top : top + 4, left : left + 4 * int(length)] = 0
    (found,) = zxingcpp.read_barcodes(picture)
    return str(found.text)


def ticket_in(answer: Answer) -> str:
    """The ticket in the code of an answer."""
    address, _, ticket = scanned(answer.json["size"], answer.json["path"]).partition("#check-in=")
    assert address == f"{PUBLIC}rooms/boardroom/day"
    return ticket


class PanelEndpoint(Endpoint):
    """An endpoint with a panel at the door of the boardroom, whose meeting began at nine."""

    async def code(self, token: str | None = DOOR, room: str = "boardroom") -> Answer:
        fields = {"Authorization": f"Bearer {token}"} if token is not None else {}
        answer = await self.get(QR.format(room=room), fields)
        validate(answer.json, described(QR, answer))
        return answer

    async def act(
        self, token: str, command: Any = CHECK_IN, room: str = "boardroom", key: str = ""
    ) -> Answer:
        fields = {"Authorization": f"Bearer {token}", "Idempotency-Key": key or str(uuid4())}
        answer = await self.ask("POST", ACT.format(room=room), fields, json=command)
        validate(answer.json, described(ACT, answer, "post"))
        return answer


@pytest.fixture
def sink() -> HandSink:
    return HandSink(offers={"boardroom": EVERYTHING, "atrium": EVERYTHING})


@pytest.fixture
def panels(tmp_path: Path, board_setup: BoardSetup) -> Path:
    board_setup.board.set_check_in_rules({"contoso": RULES})
    board_setup.read("boardroom", meeting(0, 60))
    board_setup.read("atrium", meeting(0, 60))
    write_secret(tmp_path / "panels.toml", PANELS)
    return tmp_path / "panels.toml"


@pytest.fixture
async def endpoint(board_setup: BoardSetup, sink: HandSink, panels: Path) -> AsyncIterator[PanelEndpoint]:
    limits = Limits(outcome=0.01)
    async with PanelEndpoint(
        board_setup, limits=limits, actions=sink, panel_tokens=panels, public_url=PUBLIC
    ) as endpoint:
        yield endpoint


# --- the code ---


@pytest.mark.parametrize("text", ["https://a.example/", "https://rooms.contoso.example/" + "x" * 200])
def test_a_scanner_reads_what_was_drawn(text: str) -> None:
    assert scanned(*draw(text)) == text


async def test_the_code_leads_to_the_rooms_day_at_the_address_that_phones_reach(
    endpoint: PanelEndpoint,
) -> None:
    for token, room in ((None, "boardroom"), (READER, "library"), (LOBBY, "boardroom"), (DOOR, "atrium")):
        answer = await endpoint.code(token, room)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json["check_in"] is None
        assert scanned(answer.json["size"], answer.json["path"]) == f"{PUBLIC}rooms/{room}/day"


async def test_there_are_no_codes_without_an_address_for_phones(board_setup: BoardSetup) -> None:
    async with PanelEndpoint(board_setup) as endpoint:
        assert (await endpoint.code(None)).status == 404
        assert b'data-qr-codes="no"' in (await endpoint.get("/rooms/boardroom")).body


async def test_a_room_that_does_not_exist_has_no_code(endpoint: PanelEndpoint) -> None:
    assert (await endpoint.code(room="cellar")).status == 404
    assert b'data-qr-codes="yes"' in (await endpoint.get("/rooms/boardroom")).body


async def test_a_ticket_is_for_panels_that_may_check_in_and_while_a_meeting_waits_for_it(
    endpoint: PanelEndpoint, board_setup: BoardSetup, sink: HandSink
) -> None:
    answer = await endpoint.code()
    assert answer.json["check_in"] == {"meeting": MEETING, "until": "2026-01-08T09:15:00Z"}
    assert ticket_in(answer)
    sink.offers["boardroom"] = Offer(frozenset({Action.BOOK}))
    assert (await endpoint.code()).json["check_in"] is None
    sink.offers["boardroom"] = EVERYTHING
    board_setup.board.check_in("boardroom", CheckedIn(meeting(0, 60).key, NINE, NINE))
    assert (await endpoint.code()).json["check_in"] is None


# --- the ticket ---


async def test_a_phone_checks_in_with_the_ticket_of_the_code(endpoint: PanelEndpoint, sink: HandSink) -> None:
    ticket = ticket_in(await endpoint.code())
    answer = await endpoint.act(ticket)
    assert (answer.status, answer.json["outcome"]) == (200, "done")
    (command,) = sink.commands
    assert (command.action, command.room, command.sender) == (Action.CHECK_IN, "boardroom", "phone")
    assert command.meeting == NINE


async def test_a_ticket_is_for_a_check_in_alone(endpoint: PanelEndpoint, sink: HandSink) -> None:
    """In its room, to its meeting; nor does it read anything or make further tickets."""
    ticket = ticket_in(await endpoint.code())
    book = {"action": "book", "meeting": None, "until": "2026-01-08T09:30:00Z"}
    end = {"action": "end", "meeting": MEETING, "until": None}
    for command in (book, end):
        assert (await endpoint.act(ticket, command)).status == 403
    assert (await endpoint.act(ticket, room="atrium")).status == 401
    later = await endpoint.act(ticket, {**CHECK_IN, "meeting": "2026-01-08T10:00:00Z"})
    assert (later.status, later.json["reason"]) == (409, "changed")
    assert (await endpoint.code(ticket)).json["check_in"] is None
    assert sink.commands == []


async def test_a_ticket_checks_in_once(
    endpoint: PanelEndpoint, board_setup: BoardSetup, sink: HandSink
) -> None:
    ticket, key = ticket_in(await endpoint.code()), str(uuid4())
    assert (await endpoint.act(ticket, key=key)).status == 200
    board_setup.board.check_in("boardroom", CheckedIn(meeting(0, 60).key, NINE, NINE))
    assert (await endpoint.act(ticket)).json["reason"] == "changed"
    assert (await endpoint.act(ticket, key=key)).status == 200, "a repetition is answered as before"
    assert len(sink.commands) == 1


async def test_a_ticket_expires_within_minutes_and_with_the_check_in(
    endpoint: PanelEndpoint, board_setup: BoardSetup, sink: HandSink
) -> None:
    ticket = ticket_in(await endpoint.code())
    board_setup.wait(LIFE)
    assert (await endpoint.act(ticket)).status == 401
    board_setup.wait(minutes(8))  # two minutes before the check-in closes
    ticket = ticket_in(await endpoint.code())
    board_setup.wait(minutes(2))
    assert (await endpoint.act(ticket)).status == 401
    assert sink.commands == []


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "1767862800",
        "1767862800.9999999999.AAAAAAAAAAAAAAAAAAAAAA",
        "١٧٦٧٨٦٢٨٠٠.9999999999.AAAAAAAAAAAAAAAAAAAAAA",
        "99999999999.99999999999.AAAAAAAAAAAAAAAAAAAAAA",
    ],
)
async def test_a_forged_ticket_is_refused(endpoint: PanelEndpoint, sink: HandSink, forged: str) -> None:
    assert (await endpoint.act(forged)).status == 401
    assert sink.commands == []


async def test_a_ticket_with_another_end_is_refused(endpoint: PanelEndpoint) -> None:
    start, expires, code = ticket_in(await endpoint.code()).split(".")
    assert (await endpoint.act(f"{start}.{int(expires) + 1}.{code}")).status == 401


def test_tickets_of_another_secret_or_room_are_none() -> None:
    moment = NINE
    tickets, others = CheckInTickets(b"a" * 32, lambda: moment), CheckInTickets(b"b" * 32, lambda: moment)
    ticket = tickets.ticket("boardroom", NINE, NINE + timedelta(hours=1))
    assert tickets.visitor("boardroom", ticket) is not None
    assert tickets.visitor("board", ticket) is None
    assert others.visitor("boardroom", ticket) is None


# --- what a panel may read ---


async def test_a_panel_reads_the_rooms_of_its_scopes_with_its_own_token(
    board_setup: BoardSetup, panels: Path, tmp_path: Path
) -> None:
    """So that a panel at a endpoint needs one token, also where reading needs one."""
    write_secret(tmp_path / "token", READER)
    async with PanelEndpoint(board_setup, panel_tokens=panels, token_file=tmp_path / "token") as endpoint:

        async def status(path: str, token: str) -> int:
            return (await endpoint.get(path, {"Authorization": f"Bearer {token}"})).status

        assert await status("/api/v1/rooms/boardroom", DOOR) == 200
        assert await status("/api/v1/days?room=boardroom", DOOR) == 200
        assert await status("/api/v1/rooms/atrium", DOOR) == 401
        assert await status("/api/v1/days?room=boardroom&room=atrium", DOOR) == 401
        assert await status("/api/v1/events?room=atrium", DOOR) == 401
        for path in ("/api/v1/rooms", "/api/v1/events", "/api/v1/connections", "/metrics", "/readyz"):
            assert await status(path, DOOR) == 401
        assert await status("/api/v1/rooms/atrium", LOBBY) == 200
        assert await status("/api/v1/rooms", LOBBY) == 401
        fields = {"Authorization": f"Bearer {DOOR}"}
        async with endpoint.listen("?room=boardroom", fields) as stream:
            assert (await stream.next()).data["rooms"] == ["boardroom"]
