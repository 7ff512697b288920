"""Google's own client library signs in, reads, pages and batches with the simulated Workspace."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from google.auth.exceptions import RefreshError
from googleapiclient.errors import HttpError

from tests.drivers.google.simulator.conftest import BOARDROOM, LIBRARY
from tests.drivers.google.simulator.google_client import GoogleClient

if TYPE_CHECKING:
    from googleapiclient.http import HttpRequest

    from placed_google.simulator import SimRoom, Simulator, Workspace

DAY = {"timeMin": "2026-12-02T00:00:00Z", "timeMax": "2026-12-03T00:00:00Z"}


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, 2, hour, minute, tzinfo=UTC)


async def test_it_signs_in_with_the_key_file(google: GoogleClient) -> None:
    assert (await google.sign_in()).startswith("ya29.")


async def test_it_reads_a_room(google: GoogleClient, workspace: Workspace, boardroom: SimRoom) -> None:
    workspace.book(boardroom, at(8), at(9), summary="Planning")
    answer = await google.events(BOARDROOM, **DAY, maxAttendees=1, timeZone="UTC")
    assert answer["accessRole"] == "reader"
    (event,) = answer["items"]
    assert event["summary"] == "Planning"
    assert event["start"] == {"dateTime": "2026-12-02T08:00:00Z", "timeZone": "Europe/Berlin"}
    assert [(one["self"], one["resource"], one["responseStatus"]) for one in event["attendees"]] == [
        (True, True, "accepted")
    ]


async def test_it_follows_pages(google: GoogleClient, workspace: Workspace, boardroom: SimRoom) -> None:
    for hour in range(8, 13):
        workspace.book(boardroom, at(hour), at(hour, 30), summary=f"{hour}")
    found = await google.every_event(BOARDROOM, **DAY, maxResults=2)
    assert [event["summary"] for event in found] == ["8", "9", "10", "11", "12"]


async def test_it_batches(google: GoogleClient, workspace: Workspace, boardroom: SimRoom) -> None:
    workspace.book(boardroom, at(8), at(9), summary="Planning")
    events = google.calendar.events()
    answers, failures = await google.batch(
        {
            "boardroom": events.list(calendarId=BOARDROOM, singleEvents=True, **DAY),
            "library": events.list(calendarId=LIBRARY, singleEvents=True, **DAY),
            "ada": events.list(calendarId="ada@fabrikam.example", singleEvents=True, **DAY),
        }
    )
    assert [event["summary"] for event in answers["boardroom"]["items"]] == ["Planning"]
    assert answers["library"]["items"] == []
    assert isinstance(failures["ada"], HttpError)
    assert failures["ada"].resp.status == 404


async def test_what_is_not_shared_is_not_found(google: GoogleClient) -> None:
    with pytest.raises(HttpError) as caught:
        await google.events("ada@fabrikam.example", **DAY)
    assert (caught.value.resp.status, caught.value.reason) == (404, "Not Found")


async def test_it_asks_for_free_and_busy_times(
    simulator: Simulator, key_file: str, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book(boardroom, at(8), at(9))
    scope = "https://www.googleapis.com/auth/calendar.freebusy"
    with GoogleClient(simulator, key_file, scope) as google:
        asked = {**DAY, "items": [{"id": BOARDROOM}, {"id": "ada@fabrikam.example"}]}
        answer = await google.run(google.calendar.freebusy().query(body=asked).execute)
    busy = {"start": "2026-12-02T08:00:00Z", "end": "2026-12-02T09:00:00Z"}
    assert answer["calendars"][BOARDROOM] == {"busy": [busy]}
    assert answer["calendars"]["ada@fabrikam.example"]["errors"][0]["reason"] == "notFound"


async def test_it_recognises_a_refusal_of_the_token_host(google: GoogleClient, workspace: Workspace) -> None:
    workspace.faults.oauth("admin_policy_enforced", "Access blocked.", status=403)
    with pytest.raises(RefreshError, match="admin_policy_enforced"):
        await google.sign_in()


async def test_it_recognises_delegation_that_is_not_granted(simulator: Simulator, key_file: str) -> None:
    with (
        GoogleClient(simulator, key_file, subject="ada@fabrikam.example") as google,
        pytest.raises(RefreshError, match="unauthorized_client"),
    ):
        await google.sign_in()


@pytest.mark.parametrize("status", [403, 429])
async def test_it_judges_a_throttled_answer_as_one_to_repeat(
    google: GoogleClient, workspace: Workspace, status: int
) -> None:
    workspace.faults.throttled(status, times=1)
    asked = google.calendar.events().list(calendarId=BOARDROOM, singleEvents=True, **DAY)
    without_waiting(asked)
    answer = await google.run(lambda: asked.execute(num_retries=1))
    assert answer["accessRole"] == "reader"


def without_waiting(request: HttpRequest) -> None:
    """The library sleeps by the request's own clock, which a test may replace."""
    request._sleep = lambda _seconds: None
