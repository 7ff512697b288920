"""What an answer to calendar-query has to hold, so that nothing of a calendar is left out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

import pytest

from placed.domain.model import Reason, Room
from placed.driver import Failed, Query, Read
from placed_icalendar.caldav.change_tags import ChangeTags
from placed_icalendar.caldav.dav_client import DavClient, DavReply
from placed_icalendar.caldav.room_query import RoomReader
from placed_icalendar.occurrences.calendar_reader import CalendarReader
from tests.drivers.icalendar.calendar_bodies import calendar, event

if TYPE_CHECKING:
    from placed.driver import Answer

NOW = datetime(2026, 12, 2, tzinfo=UTC)
HOME = "/dav/boardroom/"
EMPTY = calendar().decode()


class OneAnswer:
    """A client that answers everything with one multistatus."""

    refusal = None

    def __init__(self, responses: str) -> None:
        text = f'<multistatus xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">{responses}</multistatus>'
        self._body = text.encode()

    async def ask(self, _method: str, path: str, _body: bytes, **_more: Any) -> DavReply:
        return DavReply(207, path, {}, self._body, None, NOW)


def booking(hour: int) -> str:
    times = (f"DTSTART:20261202T{hour:02}0000Z", f"DTEND:20261202T{hour:02}3000Z")
    return calendar(event(*times, uid=f"{hour}")).decode()


def response(href: str, properties: str, status: int = 200) -> str:
    propstat = f"<propstat><prop>{properties}</prop><status>HTTP/1.1 {status} -</status></propstat>"
    return f"<response><href>{href}</href>{propstat}</response>"


def data(text: str) -> str:
    return f"<c:calendar-data>{text}</c:calendar-data>"


async def read(*responses: str, default_zone: str | None = None) -> Answer:
    room = Room("boardroom", "dav", "boardroom", HOME, "Boardroom", ZoneInfo("UTC"))
    query = Query(room, NOW, datetime(2026, 12, 3, tzinfo=UTC))
    reader = RoomReader(
        cast("DavClient", OneAnswer("".join(responses))),
        CalendarReader(worker=False),
        ChangeTags(lambda: 0.0),
        lambda _mailbox: None,
        details=False,
        bookings=False,
        default_zone=default_zone,
    )
    return await reader.read(query, None)


async def test_objects_whose_addresses_look_alike_all_count() -> None:
    alike = ("a%2Fb.ics", "a/b.ics", "a/b.ics/", "a/b.ics")
    answer = await read(*(response(HOME + name, data(booking(8 + n))) for n, name in enumerate(alike)))
    assert isinstance(answer, Read)
    assert [meeting.start.hour for meeting in answer.meetings] == [8, 9, 10, 11]


async def test_the_calendar_itself_may_be_in_the_answer_without_data() -> None:
    for one in (response(HOME, "<getetag/>"), response(HOME, "<c:calendar-data/>", 404)):
        answer = await read(one, response(f"{HOME}a.ics", data(EMPTY)))
        assert isinstance(answer, Read)


@pytest.mark.parametrize(
    ("one", "text"),
    [
        (response(HOME, "<c:calendar-data/>", 507), "cut"),
        (response(HOME, "<getetag/>", 507), "cut"),
        (response(HOME, "<c:calendar-data/>", 403), "leaves an event"),
        (response(f"{HOME}b.ics", "<c:calendar-data/>", 404), "leaves an event"),
        (response(f"{HOME}b.ics", "<c:calendar-data/>", 507), "cut"),
        (response(f"{HOME}b.ics", data("")), "empty"),
        (response(f"{HOME}b.ics", data(f"{EMPTY}<x>{booking(8)}</x>")), "something else than calendar text"),
    ],
)
async def test_an_answer_that_may_leave_an_event_out_is_malformed(one: str, text: str) -> None:
    answer = await read(response(f"{HOME}a.ics", data(EMPTY)), one)
    assert isinstance(answer, Failed)
    assert answer.reason is Reason.MALFORMED
    assert text in answer.problem.text


@pytest.mark.parametrize(
    "href",
    [
        "/dav/library/b.ics",
        "/dav/boardroom2/b.ics",
        "/dav/boardroom/../library/b.ics",
        "/dav/boardroom/%2e%2e/library/b.ics",
        "/dav/boardroom/..%2Flibrary%2Fb.ics",
        "https://cal.example/dav/library/b.ics",
        "/b.ics",
    ],
)
async def test_an_event_outside_of_the_calendar_is_no_meeting_of_the_room_and_never_makes_it_free(
    href: str,
) -> None:
    for properties in (data(booking(9)), "<getetag/>"):
        answer = await read(response(f"{HOME}a.ics", data(EMPTY)), response(href, properties))
        assert isinstance(answer, Failed)
        assert answer.reason is Reason.MALFORMED
        assert "outside of the calendar" in answer.problem.text


async def test_an_address_in_another_spelling_is_within_the_calendar() -> None:
    hrefs = ("https://intern.example/dav/boardroom/a.ics", "/d%61v/boardroom/b.ics", "c.ics")
    answer = await read(*(response(href, data(booking(8 + n))) for n, href in enumerate(hrefs)))
    assert isinstance(answer, Read)
    assert len(answer.meetings) == 3


async def test_days_of_a_room_without_a_zone_last_through_the_zones_of_all_its_events() -> None:
    day = calendar(event("DTSTART;VALUE=DATE:20261202", uid="day")).decode()
    zone = ("BEGIN:VTIMEZONE", "TZID:America/New_York", "END:VTIMEZONE")
    objects = [
        response(f"{HOME}{n}.ics", data(text)) for n, text in enumerate((day, calendar(zone).decode()))
    ]
    for default, end in (
        ("UTC", datetime(2026, 12, 3, 5, tzinfo=UTC)),
        (None, datetime(2026, 12, 3, tzinfo=UTC)),
    ):
        answer = await read(*objects, default_zone=default)
        assert isinstance(answer, Read)
        assert [meeting.end for meeting in answer.meetings] == [end]
