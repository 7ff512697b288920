from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.domain.connection_health import ConnectionState
from placed.domain.fence_result import Fence, FenceState
from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure
from placed.http.api.readiness import unready
from tests.support.board_setup import NINE, BoardSetup, minutes, undelivered

if TYPE_CHECKING:
    from tests.support.status_endpoint import Endpoint


def problems(board_setup: BoardSetup) -> list[Problem]:
    return unready(board_setup.board, board_setup.bridge, board_setup.moment)


@pytest.fixture
def ready() -> BoardSetup:
    board_setup = BoardSetup()
    board_setup.add("boardroom", "atrium")
    board_setup.read("boardroom")
    board_setup.read("atrium")
    board_setup.report()
    return board_setup


def test_with_fresh_calendars_placed_is_ready(ready: BoardSetup) -> None:
    assert problems(ready) == []


def test_before_the_first_report_nothing_is_ready() -> None:
    assert problems(BoardSetup()) == [Problem("connections", "no connection was tried yet")]


def test_rooms_that_are_listed_and_not_read_are_not_ready() -> None:
    board_setup = BoardSetup()
    board_setup.add("boardroom")
    assert problems(board_setup) == [Problem("connection:contoso", "nothing was read yet")]


def test_a_connection_without_rooms_is_ready() -> None:
    board_setup = BoardSetup()
    board_setup.report()
    assert problems(board_setup) == []


@pytest.mark.parametrize(
    ("state", "detail"),
    [
        (ConnectionState.STARTING, "nothing was read yet"),
        (ConnectionState.FAILING, "the last round read no room"),
        (ConnectionState.REFUSED, "it is refused for good: a person has to change the configuration"),
        (ConnectionState.BREACHED, "the fence does not hold"),
    ],
)
def test_a_connection_that_is_not_ok_is_named(ready: BoardSetup, state: ConnectionState, detail: str) -> None:
    ready.report("fabrikam", state=state)
    assert problems(ready) == [Problem("connection:fabrikam", detail)]


def test_a_connection_problem_is_reported_first(ready: BoardSetup) -> None:
    ready.report(state=ConnectionState.FAILING, problem=Problem("", "the login service cannot be reached"))
    assert problems(ready) == [Problem("connection:contoso", "the login service cannot be reached")]


def test_one_forbidden_room_of_many_is_no_harm(ready: BoardSetup) -> None:
    ready.add("vault")
    ready.board.fail("vault", Reason.FORBIDDEN)
    ready.report(failing={"vault": ReadFailure(Reason.FORBIDDEN, NINE, Problem("", "ErrorAccessDenied"))})
    assert problems(ready) == []


def test_rooms_that_are_all_stale_are_not_ready(ready: BoardSetup) -> None:
    ready.wait(minutes(2))
    assert problems(ready) == [Problem("connection:contoso", "no room was read in time")]
    ready.read("atrium")
    assert problems(ready) == []


def test_a_board_without_a_running_edge_timer_is_named(ready: BoardSetup) -> None:
    ready.moment += minutes(1.6)
    assert problems(ready) == []
    ready.moment += minutes(0.2)
    assert problems(ready) == [Problem("board", "rooms are not judged in time")]


def test_a_broker_that_is_gone_is_named(ready: BoardSetup) -> None:
    ready.bridge.connected = False
    assert problems(ready) == [Problem("mqtt", "the broker is not connected")]


def test_where_no_broker_is_configured_none_is_missed(ready: BoardSetup) -> None:
    ready.bridge.configured = ready.bridge.connected = False
    assert problems(ready) == []


async def test_readyz_reports_readiness(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.bridge.connected = False
    before = await endpoint.get("/readyz")
    assert before.status == 503
    assert before.headers["Content-Type"] == "application/problem+json"
    assert before.json == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Not ready: connection:contoso: nothing was read yet; mqtt: the broker is not connected.",
        "problems": [
            {"part": "connection:contoso", "detail": "nothing was read yet"},
            {"part": "mqtt", "detail": "the broker is not connected"},
        ],
    }
    board_setup.read("atrium")
    board_setup.report()
    board_setup.bridge.connected = True
    after = await endpoint.get("/readyz")
    assert (after.status, after.json) == (200, {"status": "ready"})
    assert after.headers["Cache-Control"] == before.headers["Cache-Control"] == "no-store"


async def test_healthz_is_answered_whatever_is_broken(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    board_setup.report(state=ConnectionState.REFUSED)
    answer = await endpoint.get("/healthz")
    assert (answer.status, answer.json) == (200, {"status": "ok"})


async def test_states_that_the_broker_did_not_take_are_named_with_the_remedy(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    for room in ("boardroom", "atrium", "library"):
        board_setup.read(room)
    board_setup.report()
    board_setup.bridge.undelivered = (undelivered(),)
    answer = await endpoint.get("/readyz")
    assert answer.status == 503
    (problem,) = answer.json["problems"]
    assert problem["part"] == "mqtt"
    assert problem["detail"] == (
        "messages are refused by the broker: Not authorized (0x87); allow this login to write there"
    )
    listed = (await endpoint.get("/api/v1/connections")).json["undelivered"]
    assert [(u["topics"], u["reason"], u["state"]) for u in listed] == [
        ("placed/rooms/+/state", "not_authorized", True)
    ]


async def test_what_misleads_no_panel_is_a_warning(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    for room in ("boardroom", "atrium", "library"):
        board_setup.read(room)
    board_setup.report()
    board_setup.bridge.undelivered = (undelivered(state=False),)
    answer = await endpoint.get("/readyz")
    assert answer.status == 200
    assert answer.json["status"] == "ready"
    assert [warning["part"] for warning in answer.json["warnings"]] == ["mqtt"]


async def test_a_breach_of_what_writes_is_a_warning_since_reading_goes_on(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    for room in ("boardroom", "atrium", "library"):
        board_setup.read(room)
    board_setup.report(writer_fence=Fence(FenceState.BREACHED, NINE))
    answer = await endpoint.get("/readyz")
    assert answer.status == 200
    (warning,) = answer.json["warnings"]
    assert warning["part"] == "actions:contoso"
    assert warning["detail"].startswith("the fence of what writes does not hold, so nothing is written; ")


def test_until_every_state_is_acknowledged_it_is_not_ready(ready: BoardSetup) -> None:
    ready.bridge.all_acknowledged = False
    assert problems(ready) == [Problem("mqtt", "the broker has not yet acknowledged the states of all rooms")]
