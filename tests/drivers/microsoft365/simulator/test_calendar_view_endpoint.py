"""`calendarView` answers as Graph does."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed_microsoft365.simulator import UNTOUCHED, Tenant
from placed_microsoft365.simulator.graph.calendar_view_endpoint import CalendarViews
from placed_microsoft365.simulator.http_messages import Request
from placed_microsoft365.simulator.server import NOBODY

if TYPE_CHECKING:
    from tests.drivers.microsoft365.simulator.simulator_client import Client

NINE = datetime(2026, 10, 6, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _plain_subjects(tenant: Tenant) -> None:
    tenant.set_processing("boardroom", UNTOUCHED)


async def test_an_event_is_written_as_graph_writes_it(client: Client, tenant: Tenant) -> None:
    tenant.book("boardroom", NINE, NINE + HOUR, subject="Review", organizer="Ada Example")
    (event,) = (await client.view("boardroom@contoso.example")).json["value"]
    assert event["subject"] == "Review"
    assert event["start"] == {"dateTime": "2026-10-06T09:00:00.0000000", "timeZone": "UTC"}
    assert event["end"] == {"dateTime": "2026-10-06T10:00:00.0000000", "timeZone": "UTC"}
    assert event["organizer"]["emailAddress"]["name"] == "Ada Example"
    assert (event["type"], event["showAs"], event["sensitivity"]) == ("singleInstance", "busy", "normal")
    assert event["responseStatus"] == {"response": "accepted", "time": "0001-01-01T00:00:00Z"}
    assert event["@odata.etag"] == f'W/"{event["changeKey"]}"'


async def test_a_room_is_found_by_address_in_any_case_and_by_id(client: Client, tenant: Tenant) -> None:
    tenant.book("boardroom", NINE, NINE + HOUR)
    user_id = tenant.mailbox("boardroom").user_id
    for name in (
        "boardroom@contoso.example",
        "BoardRoom@Contoso.example",
        user_id,
        "boardroom%40contoso.example",
    ):
        assert len((await client.view(name)).json["value"]) == 1


@pytest.mark.parametrize(
    ("start", "end", "seen"),
    [
        ("09:00:00Z", "10:00:00Z", True),
        ("08:00:00Z", "09:00:00Z", False),  # the window ends as the meeting begins
        ("10:00:00Z", "11:00:00Z", False),  # it begins as the meeting ends
        ("09:59:59Z", "11:00:00Z", True),
        ("08:00:00", "09:00:01", True),  # no offset is UTC
        ("11:00:00%2B02:00", "11:30:00%2B02:00", True),  # an offset counts
        ("12:00:00%2B02:00", "13:00:00%2B02:00", False),
    ],
)
async def test_the_window_is_half_open(
    client: Client, tenant: Tenant, start: str, end: str, *, seen: bool
) -> None:
    tenant.book("boardroom", NINE, NINE + HOUR)
    answer = await client.get(
        "/users/boardroom@contoso.example/calendarView"
        f"?startDateTime=2026-10-06T{start}&endDateTime=2026-10-06T{end}"
    )
    assert bool(answer.json["value"]) is seen


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "ErrorInvalidParameter"),
        ("startDateTime=2026-10-06T09:00:00+02:00&endDateTime=2026-10-07", "ErrorInvalidParameter"),
        ("startDateTime=2026-10-07&endDateTime=2026-10-06", "ErrorInvalidParameter"),
        ("startDateTime=2021-10-06&endDateTime=2026-10-06", "ErrorInvalidRequest"),
        ("startDateTime=2026-10-06&endDateTime=2026-10-07&$top=0", "ErrorInvalidUrlQuery"),
        ("startDateTime=2026-10-06&endDateTime=2026-10-07&$top=1001", "ErrorInvalidUrlQuery"),
        ("startDateTime=2026-10-06&endDateTime=2026-10-07&$nonsense=1", "BadRequest"),
        ("startDateTime=2026-10-06&endDateTime=2026-10-07&$select=mood", "RequestBroker--ParseUri"),
        ("startDateTime=2026-10-06&endDateTime=2026-10-07&$orderby=mood", "ErrorInvalidUrlQuery"),
    ],
)
async def test_a_wrong_query_is_refused(client: Client, query: str, code: str) -> None:
    answer = await client.get(f"/users/boardroom@contoso.example/calendarView?{query}")
    assert (answer.status, answer.code) == (400, code)


async def test_ten_events_come_at_first_and_the_rest_by_the_next_link(client: Client, tenant: Tenant) -> None:
    for number in range(25):
        begin = NINE + timedelta(minutes=number)
        tenant.book("boardroom", begin, begin + HOUR, subject=f"{number:02}")
    answer = await client.view("boardroom@contoso.example", "&$orderby=start/dateTime&$select=subject")
    subjects = answer.subjects
    assert len(subjects) == 10
    while "@odata.nextLink" in answer.json:
        link = answer.json["@odata.nextLink"]
        assert link.startswith(f"{client.simulator.url}/v1.0/users/boardroom@contoso.example/calendarView?")
        answer = await client.get(link)
        subjects += answer.subjects
    assert subjects == [f"{number:02}" for number in range(25)]


async def test_without_an_order_events_come_as_they_were_booked(client: Client, tenant: Tenant) -> None:
    for subject, shift in (("late", 3), ("early", 0), ("between", 1)):
        tenant.book("boardroom", NINE + shift * HOUR, NINE + shift * HOUR + HOUR, subject=subject)
    assert (await client.view("boardroom@contoso.example")).subjects == ["late", "early", "between"]
    ordered = await client.view("boardroom@contoso.example", "&$orderby=start/dateTime%20desc")
    assert ordered.subjects == ["late", "between", "early"]


async def test_a_selection_keeps_the_etag_and_the_id(client: Client, tenant: Tenant) -> None:
    tenant.book("boardroom", NINE, NINE + HOUR)
    (event,) = (await client.view("boardroom@contoso.example", "&$select=subject,createdDateTime")).json[
        "value"
    ]
    assert set(event) == {"@odata.etag", "id", "subject"}


async def test_an_all_day_event_is_matched_and_returned_as_days(client: Client, tenant: Tenant) -> None:
    tenant.book("boardroom", date(2026, 10, 6), date(2026, 10, 7), all_day=True)
    answer = await client.view("boardroom@contoso.example", Prefer='outlook.timezone="Europe/Berlin"')
    (event,) = answer.json["value"]
    assert event["start"] == {"dateTime": "2026-10-06T00:00:00.0000000", "timeZone": "Europe/Berlin"}
    assert event["end"] == {"dateTime": "2026-10-07T00:00:00.0000000", "timeZone": "Europe/Berlin"}
    # The evening of the 5th in Berlin is no part of the 6th in UTC.
    before = await client.get(
        "/users/boardroom@contoso.example/calendarView"
        "?startDateTime=2026-10-05T00:00:00%2B02:00&endDateTime=2026-10-06T00:00:00%2B02:00"
    )
    assert before.json["value"] == []


@pytest.mark.parametrize("zone", ["W. Europe Standard Time", "Europe/Berlin"])
async def test_a_preferred_zone_is_honoured_and_echoed(client: Client, tenant: Tenant, zone: str) -> None:
    tenant.book("boardroom", NINE, NINE + HOUR)
    answer = await client.view("boardroom@contoso.example", Prefer=f'outlook.timezone="{zone}"')
    assert answer.json["value"][0]["start"] == {"dateTime": "2026-10-06T11:00:00.0000000", "timeZone": zone}
    assert answer.headers["Preference-Applied"] == f'outlook.timezone="{zone}"'


async def test_an_unknown_zone_is_refused(client: Client) -> None:
    answer = await client.view("boardroom@contoso.example", Prefer='outlook.timezone="Mars/Olympus"')
    assert (answer.status, answer.code) == (400, "TimeZoneNotSupportedException")


async def test_a_series_comes_as_its_occurrences(client: Client, tenant: Tenant) -> None:
    """At the same hour of the wall clock on both sides of the change to winter time."""
    first = datetime(2026, 10, 24, 7, tzinfo=UTC)
    tenant.book_series("boardroom", first, first + HOUR, count=2, time_zone="Europe/Berlin")
    answer = await client.get(
        "/users/boardroom@contoso.example/calendarView?startDateTime=2026-10-24&endDateTime=2026-10-26"
    )
    starts = [event["start"]["dateTime"][:16] for event in answer.json["value"]]
    assert starts == ["2026-10-24T07:00", "2026-10-25T08:00"]
    assert {event["type"] for event in answer.json["value"]} == {"occurrence"}
    assert len({event["seriesMasterId"] for event in answer.json["value"]}) == 1


async def test_a_change_shows_at_once_and_changes_the_etag(client: Client, tenant: Tenant) -> None:
    meeting = tenant.book("boardroom", NINE, NINE + HOUR)
    before = await client.view("boardroom@contoso.example")
    assert (await client.view("boardroom@contoso.example")).body == before.body
    tenant.move(meeting, NINE + HOUR, NINE + 2 * HOUR)
    after = await client.view("boardroom@contoso.example")
    assert after.json["value"][0]["start"]["dateTime"].startswith("2026-10-06T10:00")
    assert after.json["value"][0]["@odata.etag"] != before.json["value"][0]["@odata.etag"]
    tenant.delete(meeting)
    assert (await client.view("boardroom@contoso.example")).json["value"] == []


async def test_an_answer_carries_the_ids_and_the_clock_of_the_service(client: Client) -> None:
    answer = await client.view("boardroom@contoso.example", **{"client-request-id": "mine"})
    assert answer.headers["client-request-id"] == "mine"
    assert answer.headers["request-id"]
    assert answer.headers["Date"] == "Tue, 06 Oct 2026 07:30:00 GMT"


async def test_the_request_log_lists_the_requests(client: Client) -> None:
    client.simulator.clear_requests()
    await client.view("boardroom@contoso.example", "&$top=5")
    (record,) = client.simulator.requests
    assert (record.method, record.status, record.items) == ("GET", 200, ())
    assert record.path.endswith("endDateTime=2026-10-07T00:00:00Z&$top=5")


MINUTES = st.integers(min_value=-600, max_value=2_000)


@given(
    meetings=st.lists(st.tuples(MINUTES, st.integers(min_value=0, max_value=600)), max_size=30),
    window=st.tuples(MINUTES, st.integers(min_value=1, max_value=1_500)),
    top=st.integers(min_value=1, max_value=12),
)
def test_the_pages_together_hold_what_overlaps_the_window(
    meetings: list[tuple[int, int]], window: tuple[int, int], top: int
) -> None:
    tenant = Tenant(now=lambda: NINE)
    tenant.add_room("boardroom")
    start = NINE + timedelta(minutes=window[0])
    end = start + timedelta(minutes=window[1])
    expected = set()
    for begin, length in meetings:
        first = NINE + timedelta(minutes=begin)
        last = first + timedelta(minutes=length)
        meeting = tenant.book("boardroom", first, last)
        if (first < end and last > start) or first == last == start:
            expected.add(meeting)
    target = (
        f"/users/boardroom/calendarView?startDateTime={start:%Y-%m-%dT%H:%M}&endDateTime={end:%Y-%m-%dT%H:%M}"
        f"&$top={top}"
    )
    found: list[str] = []
    views = CalendarViews("https://localhost")
    while target:
        request = Request("GET", target, {}, NOBODY, "id", NINE)
        page = json.loads(views.answer(request, tenant.mailbox("boardroom"), target.partition("?")[2]).body)
        assert len(page["value"]) <= top
        found += [event["id"] for event in page["value"]]
        target = page.get("@odata.nextLink", "").removeprefix("https://localhost/v1.0")
    assert len(found) == len(set(found))
    assert set(found) == expected


async def test_events_are_counted_on_request(client: Client, tenant: Tenant) -> None:
    for _ in range(3):
        tenant.book("boardroom", NINE, NINE + HOUR)
    answer = await client.view("boardroom@contoso.example", "&$count=true&$top=1")
    assert (answer.json["@odata.count"], len(answer.json["value"])) == (3, 1)


async def test_a_calendar_can_only_be_read(client: Client) -> None:
    window = "startDateTime=2026-10-06&endDateTime=2026-10-07"
    answer = await client.post(f"/users/boardroom@contoso.example/calendarView?{window}", {})
    assert (answer.status, answer.code) == (405, "Request_BadRequest")
    assert (await client.get("/$batch")).status == 405
