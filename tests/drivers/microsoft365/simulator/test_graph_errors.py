"""Every error that Graph is known to answer can be had of it: for a calendar, in a batch, and elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed_microsoft365.simulator import Where

if TYPE_CHECKING:
    from placed_microsoft365.simulator import Tenant
    from tests.drivers.microsoft365.simulator.simulator_client import Client

BOARDROOM = "boardroom@contoso.example"
VIEW = "/calendarView?startDateTime=2026-10-06T00:00:00Z&endDateTime=2026-10-07T00:00:00Z"
URLS = [f"/users/{room}@contoso.example{VIEW}" for room in ("boardroom", "library")]

# Microsoft: graph/errors and graph/json-batching; threads of microsoft-graph-docs for what is on neither.
ERRORS = [
    (400, "ErrorInvalidRequest"),
    (400, "ErrorInvalidUrlQuery"),
    (400, "ErrorInvalidParameter"),
    (400, "BadRequest"),
    (400, "Request_BadRequest"),
    (400, "RequestBroker--ParseUri"),
    (400, "ErrorTimeIntervalTooBig"),
    (400, "TimeZoneNotSupportedException"),
    (401, "InvalidAuthenticationToken"),
    (401, "UnknownError"),
    (403, "ErrorAccessDenied"),
    (403, "Authorization_RequestDenied"),
    (403, "accessDenied"),
    (403, "ExtensionError"),
    (403, "extensionError"),
    (403, "insufficient_claims"),
    (404, "ErrorItemNotFound"),
    (404, "ErrorInvalidUser"),
    (404, "MailboxNotEnabledForRESTAPI"),
    (404, "ResourceNotFound"),
    (404, "Request_ResourceNotFound"),
    (405, "Request_BadRequest"),
    (410, "SyncStateNotFound"),
    (410, "resyncRequired"),
    (424, "FailedDependency"),
    (429, "TooManyRequests"),
    (429, "ApplicationThrottled"),
    (429, "activityLimitReached"),
    (500, "ErrorInternalServerTransientError"),
    (500, "ErrorInternalServerError"),
    (503, "ErrorServerBusy"),
    (503, "ErrorMailboxStoreUnavailable"),
    (503, "ErrorMailboxMoveInProgress"),
    (503, "serviceNotAvailable"),
    (503, "MailboxInfoStale"),
    (502, "UnknownError"),
    (504, "UnknownError"),
]
MESSAGE = "written by the service"


async def test_an_error_for_one_calendar_is_the_same_alone_and_in_a_batch(
    client: Client, tenant: Tenant
) -> None:
    for status, code in ERRORS:
        tenant.faults.status(status, code=code, message=MESSAGE, room="boardroom", retry_after="7")
        alone = await client.view(BOARDROOM)
        assert (alone.status, alone.code, alone.headers["Retry-After"]) == (status, code, "7")
        assert alone.json["error"]["message"] == MESSAGE
        assert set(alone.json["error"]["innerError"]) == {"date", "request-id", "client-request-id"}
        boardroom, library = await items(client)
        assert (boardroom["status"], boardroom["body"]["error"]["code"]) == (status, code)
        assert boardroom["headers"]["Retry-After"] == "7"
        assert library["status"] == 200
        tenant.faults.clear()


@pytest.mark.parametrize(
    ("where", "path"),
    [
        (Where.BATCH, "/$batch"),
        (Where.GROUPS, "/groups"),
        (Where.PLACES, "/places/microsoft.graph.room"),
        (Where.GRAPH, "/$batch"),
        (Where.GRAPH, "/groups"),
        (Where.GRAPH, "/places/microsoft.graph.room"),
        (Where.GRAPH, URLS[0]),
    ],
)
async def test_of_a_whole_request(client: Client, tenant: Tenant, where: Where, path: str) -> None:
    async def ask() -> tuple[int, str]:
        answer = await (client.post_batch(URLS) if path == "/$batch" else client.get(path))
        return answer.status, "" if answer.status == 200 else answer.code

    for status, code in ERRORS:
        tenant.faults.status(status, code=code, where=where, times=1)
        assert await ask() == (status, code)
        assert await ask() == (200, "")


async def test_the_control_interface_can_have_any_of_them(client: Client) -> None:
    fault = {"kind": "status", "status": 403, "code": "insufficient_claims", "message": "", "room": "library"}
    await client.play("POST", "faults", fault)
    boardroom, library = await items(client)
    assert (boardroom["status"], library["status"]) == (200, 403)
    assert library["body"]["error"]["message"] == ""


async def items(client: Client) -> list[Any]:
    """The answers of a batch for both rooms, in their order."""
    answers = await client.batch(URLS)
    return [answers[number] for number in "01"]
