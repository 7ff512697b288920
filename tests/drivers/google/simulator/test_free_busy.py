"""`freeBusy` answers 200, and each calendar by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from placed_google.simulator import Role, Where
from tests.drivers.google.simulator.conftest import BOARDROOM, LIBRARY

if TYPE_CHECKING:
    from placed_google.simulator import SimRoom, Workspace
    from tests.drivers.google.simulator.plain_client import Answer, PlainClient

SCOPE = "https://www.googleapis.com/auth/calendar.events.freebusy"
NOT_FOUND = {"errors": [{"domain": "global", "reason": "notFound"}], "busy": []}


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, 2, hour, minute, tzinfo=UTC)


async def ask(client: PlainClient, *calendars: str, **changes: Any) -> Answer:
    await client.sign_in(scope=SCOPE)
    question = {
        "timeMin": "2026-12-02T00:00:00Z",
        "timeMax": "2026-12-03T00:00:00Z",
        "timeZone": "UTC",
        "items": [{"id": one} for one in calendars],
        **changes,
    }
    return await client.post("/calendar/v3/freeBusy", question)


async def busy(client: PlainClient, **changes: Any) -> list[str]:
    answer = await ask(client, BOARDROOM, **changes)
    return [
        f"{one['start'][11:16]}-{one['end'][11:16]}" for one in answer.json["calendars"][BOARDROOM]["busy"]
    ]


async def test_what_touches_is_one_and_what_does_not_occupy_does_not_count(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book(boardroom, at(8), at(9))
    workspace.book(boardroom, at(9), at(10))
    workspace.book(boardroom, at(9), at(10), summary="declined")
    workspace.book(boardroom, at(12), at(13), transparency="transparent")
    workspace.cancel(workspace.book(boardroom, at(14), at(15)))
    assert await busy(client) == ["08:00-10:00"]


async def test_times_are_cut_to_the_window_and_written_in_the_zone(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book(boardroom, at(8), at(12))
    assert await busy(client, timeMin="2026-12-02T09:00:00Z", timeMax="2026-12-02T10:00:00Z") == [
        "09:00-10:00"
    ]
    assert await busy(client, timeZone="Europe/Berlin") == ["09:00-13:00"]


async def test_a_calendar_that_is_not_shared_fails_alone(client: PlainClient) -> None:
    answer = await ask(client, BOARDROOM, "ada@fabrikam.example", "nobody@fabrikam.example")
    assert answer.status == 200
    assert answer.json["calendars"] == {
        BOARDROOM: {"busy": []},
        "ada@fabrikam.example": NOT_FOUND,
        "nobody@fabrikam.example": NOT_FOUND,
    }


async def test_free_busy_readers_are_enough(
    client: PlainClient, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.share(boardroom, client.account, Role.FREE_BUSY_READER)
    workspace.book(boardroom, at(8), at(9))
    assert await busy(client) == ["08:00-09:00"]


async def test_a_question_has_fifty_calendars_at_most(client: PlainClient) -> None:
    asked = [f"c{number}@fabrikam.example" for number in range(51)]
    answer = (await ask(client, *asked)).json["calendars"]
    assert answer[asked[49]] == NOT_FOUND
    assert answer[asked[50]]["errors"][0]["reason"] == "tooManyCalendarsRequested"


async def test_one_calendar_may_fail(client: PlainClient, workspace: Workspace) -> None:
    workspace.faults.status(500, room="boardroom", where=Where.FREE_BUSY)
    answer = (await ask(client, BOARDROOM, LIBRARY)).json["calendars"]
    assert answer[BOARDROOM]["errors"][0]["reason"] == "internalError"
    assert answer[LIBRARY] == {"busy": []}


async def test_a_group_is_expanded_unless_it_is_too_big(client: PlainClient, workspace: Workspace) -> None:
    group = workspace.add_group("rooms", members=[BOARDROOM, LIBRARY])
    answer = (await ask(client, group.address)).json
    assert answer["groups"] == {group.address: {"calendars": [BOARDROOM, LIBRARY]}}
    assert answer["calendars"] == {BOARDROOM: {"busy": []}, LIBRARY: {"busy": []}}
    answer = (await ask(client, group.address, groupExpansionMax=1)).json
    assert answer["groups"][group.address]["errors"][0]["reason"] == "groupTooBig"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"timeMin": None}, "required"),
        ({"timeMax": "2026-12-01T00:00:00Z"}, "timeRangeEmpty"),
        ({"timeMin": "yesterday"}, "parseError"),
        ({"items": "all"}, "parseError"),
    ],
)
async def test_a_wrong_question_is_refused(client: PlainClient, changes: dict[str, Any], reason: str) -> None:
    answer = await ask(client, BOARDROOM, **changes)
    assert (answer.status, answer.reason) == (400, reason)


async def test_the_scope_for_events_is_none_for_free_busy(client: PlainClient) -> None:
    await client.sign_in()
    answer = await client.post("/calendar/v3/freeBusy", {})
    assert (answer.status, answer.reason) == (403, "insufficientPermissions")
