"""The parameter `fields` selects, and refuses what the answer cannot have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from placed_google.simulator.api_messages import ApiError
from placed_google.simulator.field_mask import parse_mask
from tests.drivers.google.simulator.conftest import BOARDROOM

if TYPE_CHECKING:
    from placed_google.simulator import SimRoom, Workspace
    from tests.drivers.google.simulator.plain_client import PlainClient

DOCUMENT = {
    "accessRole": "reader",
    "timeZone": "UTC",
    "items": [
        {
            "id": "a",
            "summary": "Planning",
            "start": {"dateTime": "2026-12-02T08:00:00Z", "timeZone": "UTC"},
            "attendees": [{"email": "room", "self": True}, {"email": "ada"}],
        },
        {"id": "b"},
    ],
}
MASK = (
    "accessRole,timeZone,nextPageToken,items(id,status,start,end,transparency,visibility,eventType,"
    "attendees(self,resource,responseStatus))"
)


@pytest.mark.parametrize(
    ("text", "selected"),
    [
        ("accessRole", {"accessRole": "reader"}),
        ("items/id", {"items": [{"id": "a"}, {"id": "b"}]}),
        ("items(id)", {"items": [{"id": "a"}, {"id": "b"}]}),
        ("items(id),timeZone", {"timeZone": "UTC", "items": [{"id": "a"}, {"id": "b"}]}),
        ("items(start/timeZone)", {"items": [{"start": {"timeZone": "UTC"}}, {}]}),
        ("items/start/timeZone", {"items": [{"start": {"timeZone": "UTC"}}, {}]}),
        ("items(attendees(self))", {"items": [{"attendees": [{"self": True}, {}]}, {}]}),
        ("items/id,items/summary", {"items": [{"id": "a", "summary": "Planning"}, {"id": "b"}]}),
        ("items(id),items", {"items": DOCUMENT["items"]}),
        ("*", DOCUMENT),
        ("items(*)", {"items": DOCUMENT["items"]}),
        ("nextPageToken", {}),
    ],
)
def test_a_mask_selects(text: str, selected: object) -> None:
    assert parse_mask(text, "Events").apply(DOCUMENT) == selected


@pytest.mark.parametrize(
    "text",
    [
        "",
        ",",
        "items(",
        "items(id",
        "items(id))",
        "items()",
        "items//id",
        "/items",
        "items(id,)",
        "items;id",
        "items (id)",
        "nothing",
        "items(nothing)",
        "items(start(nothing))",
        "items(id(nothing))",
        "accessrole",
        "items(attendees(response))",
    ],
)
def test_a_wrong_mask_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_mask(text, "Events")
    assert (caught.value.status, caught.value.reason) == (400, "invalidParameter")


async def test_an_answer_holds_only_what_is_selected(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    begin = datetime(2026, 12, 2, 8, tzinfo=UTC)
    workspace.book(boardroom, begin, begin.replace(hour=9), summary="Planning")
    answer = await client.events(BOARDROOM, fields=MASK, maxAttendees=1, timeZone="UTC")
    (event,) = answer.json.pop("items")
    assert {name: value for name, value in answer.json.items() if name != "items"} == {
        "timeZone": "UTC",
        "accessRole": "reader",
    }
    assert event.keys() == {"id", "status", "start", "end", "eventType", "attendees"}
    assert event["attendees"] == [{"self": True, "resource": True, "responseStatus": "accepted"}]


async def test_an_unknown_field_gets_400(client: PlainClient) -> None:
    answer = await client.events(BOARDROOM, fields="items(id,title)")
    assert (answer.status, answer.reason) == (400, "invalidParameter")
    assert answer.json["error"]["errors"][0]["location"] == "fields"


async def test_the_other_answer_lacks_the_role(client: PlainClient, workspace: Workspace) -> None:
    workspace.answers.access_role_is_masked = True
    assert "accessRole" not in (await client.events(BOARDROOM, fields=MASK)).json
    assert (await client.events(BOARDROOM)).json["accessRole"] == "reader"
