"""The simulated APIs are held to Google's machine-readable descriptions, as they come with its library."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from placed_google.simulator import Attendee, Role
from placed_google.simulator.calendar_host import calendar_access, event_listing, event_writing
from placed_google.simulator.calendar_host.calendar_api import BATCH
from placed_google.simulator.directory_host.directory_api import SCOPES
from placed_google.simulator.schemas import ANY, SCHEMAS
from tests.drivers.google.simulator.conftest import BOARDROOM
from tests.drivers.google.simulator.plain_client import events_path

if TYPE_CHECKING:
    from placed_google.simulator import SimRoom, Workspace
    from tests.drivers.google.simulator.plain_client import PlainClient

Json = dict[str, Any]
CALENDAR, DIRECTORY = "calendar.v3", "admin.directory_v1"
ROOTS = {
    "Events": CALENDAR,
    "FreeBusyResponse": CALENDAR,
    "Acl": CALENDAR,
    "Calendar": CALENDAR,
    "CalendarList": CALENDAR,
    "CalendarResources": DIRECTORY,
    "Buildings": DIRECTORY,
}
TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "array": list,
    "object": dict,
}


@cache
def document(name: str) -> Json:
    text = files("googleapiclient.discovery_cache.documents").joinpath(f"{name}.json").read_text("utf-8")
    found: Json = json.loads(text)
    return found


def method(name: str, *path: str) -> Json:
    found = document(name)
    for part in path[:-1]:
        found = found["resources"][part]
    return dict(found["methods"][path[-1]])


def expected_fields(name: str, schema: Json, where: str, found: dict[str, dict[str, str]]) -> None:
    """The table of `schemas.py`, made from a document."""
    if where in found:
        return
    fields = found[where] = {}
    for field, described in schema.get("properties", {}).items():
        fields[field] = inner(name, described, f"{where}.{field}", found)


def inner(name: str, described: Json, where: str, found: dict[str, dict[str, str]]) -> str:
    if "$ref" in described:
        expected_fields(name, document(name)["schemas"][described["$ref"]], described["$ref"], found)
        return str(described["$ref"])
    if described["type"] == "array":
        return inner(name, described["items"], where, found)
    if described["type"] == "object" and "additionalProperties" in described:
        found[where] = {"*": inner(name, described["additionalProperties"], f"{where}.*", found)}
        return where
    if described["type"] == "object":
        expected_fields(name, described, where, found)
        return where
    return ANY if described["type"] == "any" else ""


def test_the_fields_are_those_of_the_documents() -> None:
    found: dict[str, dict[str, str]] = {}
    for root, name in ROOTS.items():
        expected_fields(name, document(name)["schemas"][root], root, found)
    assert found == SCHEMAS


@pytest.mark.parametrize(
    ("path", "scopes"),
    [
        (("events", "list"), calendar_access.READ_EVENTS),
        (("events", "get"), calendar_access.READ_EVENTS),
        (("events", "insert"), calendar_access.WRITE_EVENTS),
        (("events", "patch"), calendar_access.WRITE_EVENTS),
        (("events", "delete"), calendar_access.WRITE_EVENTS),
        (("freebusy", "query"), calendar_access.QUERY_FREE_BUSY),
        (("calendars", "get"), calendar_access.READ_CALENDARS),
        (("calendarList", "list"), calendar_access.READ_CALENDAR_LIST),
        (("acl", "list"), calendar_access.READ_ACL),
        (("acl", "insert"), calendar_access.WRITE_ACL),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_each_method_takes_the_scopes_of_the_document(path: tuple[str, ...], scopes: frozenset[str]) -> None:
    assert scopes == set(method(CALENDAR, *path)["scopes"])


@pytest.mark.parametrize("kind", ["calendars", "buildings"])
def test_the_directory_takes_the_scopes_of_the_document(kind: str) -> None:
    assert set(method(DIRECTORY, "resources", kind, "list")["scopes"]) == SCOPES


def test_parameters_are_those_of_the_document() -> None:
    listed = method(CALENDAR, "events", "list")["parameters"].keys() - {"calendarId"}
    assert set(event_listing.PARAMETERS) == listed - {"privateExtendedProperty", "sharedExtendedProperty"}
    verbs = ("get", "insert", "patch", "delete")
    written = {name for verb in verbs for name in method(CALENDAR, "events", verb)["parameters"]}
    assert set(event_writing.PARAMETERS) == written - {"calendarId", "eventId"}


def test_a_batch_is_sent_to_the_path_of_the_document() -> None:
    assert f"/{document(CALENDAR)['batchPath']}" == BATCH


def disagreements(name: str, described: Json, value: object, where: str) -> list[str]:
    """What of a value is not as described."""
    if "$ref" in described:
        described = document(name)["schemas"][described["$ref"]]
    kind = described["type"]
    if kind == "any":
        return []
    wrong_bool = isinstance(value, bool) and kind != "boolean"
    if not isinstance(value, TYPES[kind]) or wrong_bool:
        return [f"{where}: {value!r} is no {kind}"]
    if isinstance(value, list):
        return [line for one in value for line in disagreements(name, described["items"], one, f"{where}[]")]
    if not isinstance(value, dict):
        return []
    properties = described.get("properties", {})
    found = []
    for key, one in value.items():
        inside = properties.get(key, described.get("additionalProperties"))
        if inside is None:
            found.append(f"{where}.{key} is unknown")
        else:
            found += disagreements(name, inside, one, f"{where}.{key}")
    return found


def at(hour: int) -> datetime:
    return datetime(2026, 12, 2, hour, tzinfo=UTC)


@pytest.fixture
def _busy_day(workspace: Workspace, boardroom: SimRoom) -> None:
    guests = [Attendee(email="ben@fabrikam.example", name="Ben Sample", optional=True)]
    workspace.book(boardroom, at(8), at(9), guests=guests)
    workspace.book(boardroom, at(8), at(9), visibility="private", status="tentative")
    workspace.book(boardroom, at(12), at(13), transparency="transparent", event_type="focusTime")
    workspace.hold(boardroom, date(2026, 12, 2), date(2026, 12, 3))
    workspace.book_series(boardroom, at(14), at(15), count=3)
    workspace.cancel(workspace.book(boardroom, at(16), at(17)))


@pytest.mark.usefixtures("_busy_day")
@pytest.mark.parametrize("role", [Role.FREE_BUSY_READER, Role.READER, Role.OWNER])
@pytest.mark.parametrize("query", ["singleEvents=true&showDeleted=true", "maxAttendees=1&maxResults=1"])
async def test_lists_of_events_are_as_described(
    client: PlainClient, workspace: Workspace, role: Role, query: str
) -> None:
    workspace.share(BOARDROOM, client.account, role)
    answer = await client.events(BOARDROOM, query)
    assert answer.items
    assert disagreements(CALENDAR, {"$ref": "Events"}, answer.json, "Events") == []


@pytest.mark.usefixtures("_busy_day")
async def test_every_other_answer_is_as_described(client: PlainClient, workspace: Workspace) -> None:
    workspace.share(BOARDROOM, client.account, Role.OWNER)
    client.account.reads_directory = True
    base = "https://www.googleapis.com/auth"
    await client.sign_in(scope=f"{base}/calendar {base}/admin.directory.resource.calendar")
    resources = f"/admin/directory/v1/customer/{workspace.customer_id}/resources"
    window = {"timeMin": "2026-12-02T00:00:00Z", "timeMax": "2026-12-03T00:00:00Z"}
    event = {"start": {"date": "2026-12-05"}, "end": {"date": "2026-12-06"}}
    busy = {"items": [{"id": BOARDROOM}, {"id": "nobody@fabrikam.example"}], **window}
    answers = [
        (CALENDAR, "FreeBusyResponse", await client.post("/calendar/v3/freeBusy", busy)),
        (CALENDAR, "Event", await client.post(events_path(BOARDROOM), event)),
        (CALENDAR, "Calendar", await client.get(f"/calendar/v3/calendars/{BOARDROOM}")),
        (CALENDAR, "CalendarList", await client.get("/calendar/v3/users/me/calendarList")),
        (CALENDAR, "Acl", await client.get(f"/calendar/v3/calendars/{BOARDROOM}/acl")),
        (DIRECTORY, "CalendarResources", await client.get(f"{resources}/calendars?maxResults=1")),
        (DIRECTORY, "Buildings", await client.get(f"{resources}/buildings")),
    ]
    for name, schema, answer in answers:
        assert answer.status == 200, answer.body
        assert disagreements(name, {"$ref": schema}, answer.json, schema) == []


def test_a_disagreement_is_found() -> None:
    wrong = {"items": [{"id": 7, "start": {"time": "8:00"}}], "accessRole": "reader"}
    assert disagreements(CALENDAR, {"$ref": "Events"}, wrong, "Events") == [
        "Events.items[].id: 7 is no string",
        "Events.items[].start.time is unknown",
    ]
