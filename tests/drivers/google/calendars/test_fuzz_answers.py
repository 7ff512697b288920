"""Whatever a calendar, free/busy or an error looks like, it becomes an answer or a known error."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.domain.model import Reason, Room, window
from placed.driver import Failed, Query, Read, UnexpectedAnswer
from placed.driver.network.concurrency_limit import ConcurrencyLimit
from placed_google.api.error_codes import CALENDAR_ERRORS
from placed_google.api.json_structs import CalendarPage, CalendarResources, FreeBusy
from placed_google.api.reply import Advice, Reply, decode, meaning_of
from placed_google.calendars.request_budget import RequestBudget
from placed_google.calendars.room_calendar import FirstPage, RoomCalendars
from tests.support.arbitrary_json import anything

NOW = datetime(2026, 12, 2, 8, 30, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")
QUERY = Query(Room("one", "c", "a@b", "a@b", "one", ZONE), *window(NOW, ZONE, 1))
EVENT: dict[str, Any] = {
    "id": "4kq",
    "status": "confirmed",
    "start": {"dateTime": "2026-12-02T08:00:00Z", "timeZone": "Europe/Berlin"},
    "end": {"dateTime": "2026-12-02T09:00:00Z"},
    "attendees": [{"self": True, "resource": True, "responseStatus": "accepted"}],
    "organizer": {"displayName": "Ada Example"},
    "summary": "Budget",
}


def calendars() -> RoomCalendars:
    return RoomCalendars(None, ConcurrencyLimit(1), RequestBudget(1), details=True, zone=ZONE)  # type: ignore[arg-type]


def spoiled(value: Any, path: list[str], by: Any) -> Any:
    """The value with something else at a place."""
    if not path:
        return by
    return {**value, path[0]: spoiled(value.get(path[0], {}), path[1:], by)}


@given(st.sampled_from([[key] for key in EVENT] + [["start", "dateTime"], ["end", "date"]]), anything)
def test_a_field_of_any_kind_is_read_or_malformed(path: list[str], by: object) -> None:
    body = json.dumps({"items": [spoiled(EVENT, path, by)], "accessRole": "reader"}).encode()
    answer = calendars().answer(QUERY, body, NOW)
    assert isinstance(answer, Read | Failed | FirstPage)


@given(st.sampled_from(["items", "nextPageToken", "timeZone", "accessRole"]), anything)
def test_a_page_of_any_kind_is_read_or_malformed(key: str, by: object) -> None:
    body = json.dumps({"items": [EVENT], key: by}).encode()
    assert isinstance(calendars().answer(QUERY, body, NOW), Read | Failed | FirstPage)


@given(st.one_of(st.binary(max_size=200), anything.map(lambda value: json.dumps(value).encode())))
def test_a_body_of_any_kind_has_a_meaning(body: bytes) -> None:
    assert isinstance(calendars().answer(QUERY, body, NOW), Read | Failed | FirstPage)
    for status in (400, 403, 404, 429, 500):
        problem = meaning_of(
            Reply(status, None, body), CALENDAR_ERRORS, Advice("a", "p", "i", "s"), NOW
        ).problem
        assert problem.text.startswith(str(status))
    for shape in (FreeBusy, CalendarResources):
        try:
            assert isinstance(decode(body, shape), msgspec.Struct)
        except UnexpectedAnswer as error:
            assert shape.__name__ in str(error)  # noqa: PT017 - either is right


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc", "x" * 300, "a\0b"])
def test_a_time_zone_that_is_not_known_is_ignored(zone: str) -> None:
    found = calendars()
    body = json.dumps({"items": [EVENT], "timeZone": zone}).encode()
    assert isinstance(found.answer(QUERY, body, NOW), Read)
    assert found.zones == {}


@pytest.mark.parametrize(
    "body", ["{}", '{"status":"ok"}', '{"error":{"code":500}}', '{"kind":"x","etag":"y"}']
)
def test_json_that_is_no_page_of_a_calendar_frees_no_room(body: str) -> None:
    """A gateway may answer 200 with JSON of its own, which has none of a page's fields."""
    answer = calendars().answer(QUERY, body.encode(), NOW)
    assert isinstance(answer, Failed)
    assert answer.reason is Reason.MALFORMED
    for shape in CalendarPage.__subclasses__():  # before a booking is written, too
        with pytest.raises(UnexpectedAnswer, match="no page of a calendar"):
            decode(body.encode(), shape)


@pytest.mark.parametrize("body", ['{"items":[]}', '{"accessRole":"reader"}', '{"timeZone":"UTC"}'])
def test_a_page_with_any_of_its_fields_is_a_page(body: str) -> None:
    assert isinstance(calendars().answer(QUERY, body.encode(), NOW), Read)
