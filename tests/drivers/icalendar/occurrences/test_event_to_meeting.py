from __future__ import annotations

import pytest

from placed.domain.model import ShowAs
from tests.drivers.icalendar.calendar_bodies import NINE, calendar, event, meeting, meetings, window

STATUS = "X-MICROSOFT-CDO-BUSYSTATUS"
ROOM = "ATTENDEE;CUTYPE=ROOM;PARTSTAT={}:mailto:boardroom@rooms.example"


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ((), ShowAs.BUSY),
        (("TRANSP:OPAQUE",), ShowAs.BUSY),
        (("TRANSP:TRANSPARENT",), ShowAs.FREE),
        (("transp:transparent",), ShowAs.FREE),
        (("TRANSP: TRANSPARENT",), ShowAs.UNRECOGNISED),
        (("TRANSP:1",), ShowAs.UNRECOGNISED),
        (("TRANSP:OPAQUE", "TRANSP:TRANSPARENT"), ShowAs.UNRECOGNISED),
        ((f"{STATUS}:FREE",), ShowAs.FREE),
        ((f"{STATUS}:TENTATIVE",), ShowAs.TENTATIVE),
        ((f"{STATUS}:BUSY",), ShowAs.BUSY),
        ((f"{STATUS}:OOF",), ShowAs.OOF),
        ((f"{STATUS}:WORKINGELSEWHERE",), ShowAs.WORKING_ELSEWHERE),
        ((f"{STATUS}:ELSEWHERE",), ShowAs.UNRECOGNISED),
        ((f"{STATUS}:FREE", f"{STATUS}:BUSY"), ShowAs.UNRECOGNISED),
        ((f"{STATUS}:BUSY", "TRANSP:TRANSPARENT"), ShowAs.BUSY),
        ((f"{STATUS}:TENTATIVE", "TRANSP:TRANSPARENT"), ShowAs.TENTATIVE),
        ((f"{STATUS}:FREE", "TRANSP:OPAQUE"), ShowAs.FREE),
        (("X-MICROSOFT-CDO-INTENDEDSTATUS:FREE",), ShowAs.BUSY),
        (("STATUS:TENTATIVE",), ShowAs.TENTATIVE),
        (("STATUS:TENTATIVE", f"{STATUS}:BUSY"), ShowAs.TENTATIVE),
        (("STATUS:CONFIRMED",), ShowAs.BUSY),
        (("STATUS:MAYBE",), ShowAs.UNRECOGNISED),
        ((ROOM.format("TENTATIVE"),), ShowAs.TENTATIVE),
        ((ROOM.format("NEEDS-ACTION"),), ShowAs.TENTATIVE),
        ((ROOM.format("ACCEPTED"),), ShowAs.BUSY),
        (("ATTENDEE;PARTSTAT=TENTATIVE:mailto:guest@rooms.example",), ShowAs.BUSY),
    ],
)
async def test_an_event_shows_as_its_properties_state(lines: tuple[str, ...], shown: ShowAs) -> None:
    assert (await meeting(*lines)).show_as is shown


@pytest.mark.parametrize(
    ("lines", "cancelled"),
    [
        ((), False),
        (("STATUS:CANCELLED",), True),
        (("status:cancelled ",), True),
        (("STATUS: CANCELLED",), False),  # a line of a description that is not folded
        (("STATUS:CONFIRMED", "STATUS:CANCELLED"), False),
    ],
)
async def test_only_a_clear_statement_cancels_a_meeting(lines: tuple[str, ...], *, cancelled: bool) -> None:
    assert (await meeting(*lines)).cancelled is cancelled


@pytest.mark.parametrize(
    ("address", "attendees", "declined"),
    [
        (None, ["ROOM/boardroom/DECLINED"], True),
        (None, ["RESOURCE/projector/DECLINED"], False),
        (None, ["ROOM/boardroom/DECLINED", "RESOURCE/projector/ACCEPTED"], True),
        ("boardroom@rooms.example", ["RESOURCE/boardroom/DECLINED"], True),
        (None, ["INDIVIDUAL/guest/DECLINED"], False),
        (None, ["ROOM/boardroom/ACCEPTED", "ROOM/annex/DECLINED"], False),
        ("Boardroom@rooms.example", ["ROOM/boardroom/DECLINED", "ROOM/annex/ACCEPTED"], True),
        ("boardroom@rooms.example", ["ROOM/boardroom/ACCEPTED", "ROOM/annex/DECLINED"], False),
        ("boardroom@rooms.example", ["INDIVIDUAL/boardroom/DECLINED"], True),
        ("boardroom@rooms.example", ["ROOM/annex/DECLINED"], False),
        ("boardroom@rooms.example", ["ROOM/boardroom/DECLINED", "ROOM/boardroom/ACCEPTED"], False),
    ],
)
async def test_only_the_room_itself_declines(
    address: str | None, attendees: list[str], *, declined: bool
) -> None:
    parts = [attendee.split("/") for attendee in attendees]
    lines = [
        f"ATTENDEE;CUTYPE={kind};PARTSTAT={part}:MAILTO:{name}@rooms.example" for kind, name, part in parts
    ]
    assert (await meeting(*lines, asked=window(address=address))).declined is declined


@pytest.mark.parametrize(
    ("lines", "private"),
    [
        ((), False),
        (("CLASS:PUBLIC",), False),
        (("CLASS:PRIVATE",), True),
        (("CLASS:CONFIDENTIAL",), True),
        (("CLASS:Test",), True),
        (("CLASS:PUBLIC", "CLASS:PRIVATE"), True),
    ],
)
async def test_every_class_but_public_is_private(lines: tuple[str, ...], *, private: bool) -> None:
    assert (await meeting(*lines)).private is private


@pytest.mark.parametrize(
    ("lines", "title", "organizer"),
    [
        (("SUMMARY:Budget\\, 2nd round",), "Budget, 2nd round", None),
        (("SUMMARY: ",), None, None),
        (("SUMMARY:Ada", "ORGANIZER;CN=Ada:mailto:ada@rooms.example"), None, "Ada"),
        (("SUMMARY:Ada Budget", "ORGANIZER;CN=Ada:mailto:ada@rooms.example"), "Budget", "Ada"),
        (("SUMMARY:Budget", "ORGANIZER;CN=Boardroom:mailto:boardroom@rooms.example"), "Budget", None),
        (("SUMMARY:Budget", "ORGANIZER:mailto:ada@rooms.example"), "Budget", None),
        (("SUMMARY:Budget", "SUMMARY:Other"), None, None),
    ],
)
async def test_title_and_organizer_are_those_of_the_event(
    lines: tuple[str, ...], title: str | None, organizer: str | None
) -> None:
    found = await meeting(*lines, asked=window(address="boardroom@rooms.example"))
    assert (found.title, found.organizer) == (title, organizer)


async def test_details_that_are_not_wanted_are_not_read() -> None:
    lines = ("SUMMARY:Budget", "ORGANIZER;CN=Ada:mailto:ada@rooms.example")
    found = await meeting(*lines, asked=window(details=False))
    assert (found.title, found.organizer) == (None, None)


@pytest.mark.parametrize("title", ["Busy", "Tentative", "Free", "Away", "Working elsewhere"])
async def test_a_calendar_with_availability_only_has_no_titles(title: str) -> None:
    found = await meeting(f"SUMMARY:{title}")
    assert (found.title, found.private) == (None, True)
    organized = await meeting(f"SUMMARY:{title}", "ORGANIZER;CN=Ada:mailto:ada@rooms.example")
    assert (organized.title, organized.private) == (title, False)


@pytest.mark.parametrize(
    ("start", "end", "all_day", "begin"),
    [
        (";VALUE=DATE:20261202", ";VALUE=DATE:20261203", True, "2026-12-01T23:00"),
        (
            ";TZID=Europe/Berlin:20261202T000000",
            ";TZID=Europe/Berlin:20261203T000000",
            True,
            "2026-12-01T23:00",
        ),
        (":20261202T000000Z", ":20261203T000000Z", True, "2026-12-01T23:00"),
        (":20261201T230000Z", ":20261202T230000Z", True, "2026-12-01T23:00"),
        (";TZID=Asia/Tokyo:20261202T000000", ";TZID=Asia/Tokyo:20261203T000000", True, "2026-12-01T23:00"),
        (
            ";TZID=Europe/Berlin:20261202T090000",
            ";TZID=Europe/Berlin:20261202T100000",
            False,
            "2026-12-02T08:00",
        ),
    ],
)
async def test_whole_days_are_those_of_the_room(start: str, end: str, begin: str, *, all_day: bool) -> None:
    body = calendar(event(f"DTSTART{start}", f"DTEND{end}", "X-MICROSOFT-CDO-ALLDAYEVENT:TRUE"))
    (found,) = await meetings(body)
    assert (found.all_day, found.start.isoformat()[:16]) == (all_day, begin)


async def test_the_time_of_booking_is_reported_where_it_is_wanted() -> None:
    lines = ("CREATED:20261101T093000Z",)
    assert (await meeting(*lines)).created_at is None
    booked = (await meeting(*lines, asked=window(bookings=True))).created_at
    assert booked is not None
    assert booked.isoformat() == "2026-11-01T09:30:00+00:00"
    for odd in ("CREATED:yesterday", "CREATED:20261101T093000", "CREATED;TZID=Europe/Berlin:20261101T093000"):
        assert (await meeting(odd, asked=window(bookings=True))).created_at is None


async def test_two_reports_of_one_meeting_are_one_that_occupies() -> None:
    body = calendar(event(*NINE, "TRANSP:TRANSPARENT"), event(*NINE))
    (found,) = await meetings(body)
    assert found.show_as is ShowAs.BUSY
