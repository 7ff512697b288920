from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from placed.domain.action import Action, Outcome, Refusal
from placed.domain.connection_health import ConnectionState
from placed.domain.model import Reason, Status
from placed.domain.problem import Problem
from placed.domain.room_readability import Access, ReadFailure
from placed.driver import Consent, Fence, FenceState
from placed.http.api import openapi
from placed.polling.readability_tracker import ReadabilityTracker
from tests.support.board_setup import NINE, meeting

if TYPE_CHECKING:
    from tests.support.board_setup import BoardSetup
    from tests.support.status_endpoint import Answer, Endpoint

DESCRIPTION: dict[str, Any] = json.loads(openapi.description("1.2.3"))
SCHEMAS = DESCRIPTION["components"]["schemas"]


def resolve(node: Any) -> Any:
    """What a reference inside the description points to."""
    while "$ref" in node:
        target = DESCRIPTION
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        node = target
    return node


def closed(node: Any) -> Any:
    """The same, letting nothing in that is not described; the parts of an `allOf` stay open."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    new = {key: value if key == "allOf" else closed(value) for key, value in node.items()}
    if node.get("type") == "object" and "properties" in node and node is not SCHEMAS["Problem"]:
        new["additionalProperties"] = False
    return new


def validate(instance: Any, schema: Any) -> None:
    """Raises unless the instance is what the schema describes, and nothing more."""
    whole = {**closed(schema), "components": closed(DESCRIPTION["components"])}
    jsonschema.Draft202012Validator(
        whole, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(instance)


def described(path: str, answer: Answer, method: str = "get") -> Any:
    """The schema of an answer, by the description."""
    responses = DESCRIPTION["paths"][path][method]["responses"]
    response = resolve(responses.get(str(answer.status), responses["default"]))
    return response["content"][answer.headers["Content-Type"].split(";")[0]]["schema"]


def test_the_schemas_are_schemas() -> None:
    for schema in SCHEMAS.values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere() -> None:
    def walk(node: Any) -> None:
        if isinstance(node, dict):
            resolve(node)
            node = list(node.values())
        if isinstance(node, list):
            for item in node:
                walk(item)

    walk(DESCRIPTION)


def test_the_words_are_those_of_the_model() -> None:
    assert SCHEMAS["Status"]["enum"] == list(Status)
    assert SCHEMAS["Reason"]["enum"] == list(Reason)
    connection = SCHEMAS["Connection"]["properties"]
    assert connection["state"]["enum"] == list(ConnectionState)
    assert connection["consent"]["enum"] == list(Consent)
    assert connection["fence"]["properties"]["state"]["enum"] == list(FenceState)
    assert SCHEMAS["RoomStanding"]["properties"]["access"]["enum"] == list(Access)
    assert SCHEMAS["Action"]["enum"] == list(Action)
    assert SCHEMAS["RefusalReason"]["enum"] == list(Refusal)
    assert SCHEMAS["Reply"]["properties"]["outcome"]["enum"] == list(Outcome)


def test_every_address_is_described_and_no_other(endpoint: Endpoint) -> None:
    runner = endpoint.server._runner
    assert runner is not None
    served = {
        (resource.canonical, route.method.lower())
        for resource in runner.app.router.resources()
        for route in resource
        if route.method not in {"HEAD", "*"}  # as GET, and the refusal of all other methods
    }
    assert served == {(path, method) for path, item in DESCRIPTION["paths"].items() for method in item}


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [
        operation["operationId"] for item in DESCRIPTION["paths"].values() for operation in item.values()
    ]
    assert len(names) == len(set(names))


@pytest.fixture
def filled_board(board_setup: BoardSetup) -> BoardSetup:
    """Every field of everything has something in it somewhere."""
    board_setup.read("boardroom", meeting(-10, 30), meeting(0, 20), meeting(40, 50, private=True))
    board_setup.read("atrium", meeting(3, 60, all_day=True))
    board_setup.board.fail("library", Reason.FORBIDDEN)
    readability = ReadabilityTracker()
    readability.succeeded("boardroom", NINE)
    readability.failed("library", ReadFailure(Reason.FORBIDDEN, NINE, Problem("", "x")))
    board_setup.report(
        since=NINE,
        failing={"library": ReadFailure(Reason.FORBIDDEN, NINE, Problem("", "x"))},
        problem=Problem("", "a", "b"),
        consent=Consent.REQUESTED,
        consent_since=NINE,
        consent_until=NINE,
        fence=Fence(FenceState.EXCESS, NINE, excess=("Mail.Read",), warnings=(Problem("", "mind the gap"),)),
        readability=readability.snapshot,
    )
    return board_setup


@pytest.mark.parametrize(
    ("path", "address", "status"),
    [
        ("/api/v1/rooms", "/api/v1/rooms", 200),
        ("/api/v1/rooms", "/api/v1/rooms?free_for=45m&status=free", 200),
        ("/api/v1/rooms", "/api/v1/rooms?use=unbooked,booked_empty", 200),
        ("/api/v1/rooms", "/api/v1/rooms?free_for=soon&x=1", 400),
        ("/api/v1/rooms/{room}", "/api/v1/rooms/boardroom", 200),
        ("/api/v1/rooms/{room}", "/api/v1/rooms/atrium", 200),
        ("/api/v1/rooms/{room}", "/api/v1/rooms/library", 200),
        ("/api/v1/rooms/{room}", "/api/v1/rooms/nowhere", 404),
        ("/api/v1/days", "/api/v1/days?room=boardroom&room=library&room=nowhere", 200),
        ("/api/v1/days", "/api/v1/days", 400),
        ("/api/v1/connections", "/api/v1/connections", 200),
        ("/api/v1/connections/{connection}/rooms", "/api/v1/connections/contoso/rooms", 200),
        ("/api/v1/connections/{connection}/rooms", "/api/v1/connections/nowhere/rooms", 404),
        ("/api/v1/events", "/api/v1/events?last_event_id=x", 400),
        ("/healthz", "/healthz", 200),
        ("/readyz", "/readyz", 200),
        ("/openapi.json", "/openapi.json", 200),
    ],
)
@pytest.mark.usefixtures("filled_board")
async def test_what_is_answered_is_as_described(
    endpoint: Endpoint, path: str, address: str, status: int
) -> None:
    answer = await endpoint.get(address)
    assert answer.status == status
    validate(answer.json, described(path, answer))


async def test_what_is_not_ready_is_as_described(endpoint: Endpoint) -> None:
    answer = await endpoint.get("/readyz")
    assert answer.status == 503
    validate(answer.json, described("/readyz", answer))


async def test_events_are_as_described(endpoint: Endpoint, filled_board: BoardSetup) -> None:
    content = DESCRIPTION["paths"]["/api/v1/events"]["get"]["responses"]["200"]["content"]
    schemas = content["text/event-stream"]["x-events"]
    async with endpoint.listen() as listening:
        reported = await listening.take(5)
        filled_board.drop("library")
        reported.append(await listening.next())
    assert {t.event for t in reported} == set(schemas)
    for event in reported:
        validate(event.data, schemas[event.event])


def test_a_room_without_a_field_is_not_as_described() -> None:
    """That these tests would notice."""
    with pytest.raises(jsonschema.ValidationError):
        validate({"schema": 1, "epoch": 7, "seq": 4, "rooms": [{"room": "atrium"}]}, SCHEMAS["Rooms"])
    with pytest.raises(jsonschema.ValidationError):
        validate({"room": "atrium", "more": 1}, SCHEMAS["Removed"])


async def test_the_version_is_filled_in(endpoint: Endpoint) -> None:
    answer = await endpoint.get("/openapi.json")
    assert answer.json["info"]["version"] == "1.2.3"
