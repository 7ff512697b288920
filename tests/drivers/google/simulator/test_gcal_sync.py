"""`gcal_sync`, the client of Home Assistant, reads the simulated calendars."""

from __future__ import annotations

import ssl
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import aiohttp
import pytest
from gcal_sync.api import GoogleCalendarService, ListEventsRequest
from gcal_sync.auth import AbstractAuth
from gcal_sync.exceptions import ApiException, ApiForbiddenException

from tests.drivers.google.simulator.conftest import BOARDROOM

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from placed_google.simulator import SimRoom, Simulator, Workspace
    from tests.drivers.google.simulator.plain_client import PlainClient


class Auth(AbstractAuth):
    """The token that the plain client has."""

    def __init__(self, session: aiohttp.ClientSession, client: PlainClient) -> None:
        super().__init__(session, f"{client.simulator.url}/calendar/v3")
        self._client = client

    async def async_get_access_token(self) -> str:
        return self._client.token


@pytest.fixture
async def service(simulator: Simulator, client: PlainClient) -> AsyncIterator[GoogleCalendarService]:
    context = ssl.create_default_context(cafile=str(simulator.ca_file))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        yield GoogleCalendarService(Auth(session, client))


def at(hour: int) -> datetime:
    return datetime(2026, 12, 2, hour, tzinfo=UTC)


def day() -> ListEventsRequest:
    return ListEventsRequest(calendarId=BOARDROOM, timeMin=at(0), timeMax=at(23))


async def test_it_reads_events_of_all_kinds(
    service: GoogleCalendarService, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.book(boardroom, at(8), at(9), summary="Planning")
    workspace.book_series(boardroom, at(10), at(11), summary="Daily", frequency="DAILY")
    workspace.hold(boardroom, date(2026, 12, 2), date(2026, 12, 3), summary="Closed")
    workspace.book(boardroom, at(12), at(13), summary="Free", transparency="transparent")
    found = [event async for page in await service.async_list_events(day()) for event in page.items]
    assert [event.summary for event in found] == ["Closed", "Planning", "Daily", "Free"]
    closed, planning, daily, free = found
    assert closed.start.date == date(2026, 12, 2)
    assert planning.start.date_time == at(8)
    assert [one.response_status.value for one in planning.attendees if one.is_self] == ["accepted"]
    assert daily.recurring_event_id is not None
    assert free.transparency == "transparent"


async def test_it_follows_pages(
    service: GoogleCalendarService, workspace: Workspace, boardroom: SimRoom
) -> None:
    workspace.most_on_a_page = 1
    for hour in (8, 10, 12):
        workspace.book(boardroom, at(hour), at(hour + 1), summary=f"{hour}")
    pages = [page async for page in await service.async_list_events(day())]
    assert [[event.summary for event in page.items] for page in pages] == [["8"], ["10"], ["12"]]


async def test_it_recognises_errors(service: GoogleCalendarService, workspace: Workspace) -> None:
    workspace.faults.throttled(times=1)
    with pytest.raises(ApiForbiddenException):
        await service.async_list_events(day())
    workspace.unshare(BOARDROOM, "placed@placed-rooms.iam.gserviceaccount.com")
    with pytest.raises(ApiException, match="404"):
        await service.async_list_events(day())
