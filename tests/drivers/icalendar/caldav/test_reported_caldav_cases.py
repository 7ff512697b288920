"""Cases that users of other programs reported about CalDAV, each by the issue in which it was."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from placed.domain.model import ShowAs
from placed.driver import Read
from placed_icalendar.simulator.caldav_host import DavFault, Kind, StoredBooking, Where
from tests.drivers.icalendar.caldav.caldav_setup import BERLIN, at, failure, names, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.domain.model import Meeting
    from tests.drivers.icalendar.caldav.caldav_setup import CalDavSetup

DAYS = 3  # of the window: yesterday, today, tomorrow


def starts(meetings: Sequence[Meeting], zone: str = BERLIN) -> list[str]:
    """As people of the zone see them."""
    return [f"{meeting.start.astimezone(ZoneInfo(zone)):%d %H:%M}" for meeting in meetings]


def series(*lines: str, overrides: tuple[str, ...] = ()) -> str:
    """An object with a series at nine in Berlin, for an hour."""
    event = (
        *("BEGIN:VEVENT", "UID:series", "DTSTAMP:20260101T000000Z", "SUMMARY:Stand-up"),
        *lines,
        "END:VEVENT",
    )
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *event, *overrides, "END:VCALENDAR", ""))


DAILY = (
    "DTSTART;TZID=Europe/Berlin:20261101T090000",
    "DTEND;TZID=Europe/Berlin:20261101T100000",
    "RRULE:FREQ=DAILY",
)
MOVED = (
    *("BEGIN:VEVENT", "UID:series", "DTSTAMP:20260101T000000Z"),
    "RECURRENCE-ID;TZID=Europe/Berlin:20261202T090000",
    "DTSTART;TZID=Europe/Berlin:20261202T143000",
    "DTEND;TZID=Europe/Berlin:20261202T150000",
    "END:VEVENT",
)


async def read(setup: CalDavSetup, text: str) -> Sequence[Meeting]:
    """The meetings of a room with this object, in Berlin."""
    setup.store.put_text("boardroom", "series", text)
    return await setup.meetings(setup.open(), setup.query("boardroom", BERLIN))


async def test_home_assistant_core_40127_every_day_of_a_series_is_there(caldav_setup: CalDavSetup) -> None:
    """There only the first day of a series was shown."""
    found = await read(caldav_setup, series(*DAILY))
    assert starts(found) == ["01 09:00", "02 09:00", "03 09:00"]


async def test_home_assistant_core_28720_no_meeting_is_an_hour_off(caldav_setup: CalDavSetup) -> None:
    """A series that began in summer time, read in winter."""
    text = series(
        "DTSTART;TZID=Europe/Berlin:20260701T090000",
        "DTEND;TZID=Europe/Berlin:20260701T100000",
        "RRULE:FREQ=DAILY",
    )
    found = await read(caldav_setup, text)
    assert starts(found) == ["01 09:00", "02 09:00", "03 09:00"]
    assert found[0].start == datetime(2026, 12, 1, 8, tzinfo=UTC)


async def test_home_assistant_core_126448_a_series_of_whole_days_is_no_day_early(
    caldav_setup: CalDavSetup,
) -> None:
    text = series("DTSTART;VALUE=DATE:20261125", "DTEND;VALUE=DATE:20261126", "RRULE:FREQ=WEEKLY;COUNT=4")
    (meeting,) = await read(caldav_setup, text)
    assert (meeting.all_day, starts([meeting])) == (True, ["02 00:00"])


async def test_radicale_662_and_1618_an_overridden_instance_is_moved_and_not_there_twice(
    caldav_setup: CalDavSetup,
) -> None:
    found = await read(caldav_setup, series(*DAILY, overrides=MOVED))
    assert starts(found) == ["01 09:00", "02 14:30", "03 09:00"]


async def test_radicale_1621_the_server_s_expansion_without_time_zones_is_never_seen(
    caldav_setup: CalDavSetup,
) -> None:
    await read(caldav_setup, series(*DAILY, "EXDATE;TZID=Europe/Berlin:20261203T090000"))
    assert caldav_setup.host.service.queries.expansions == 0
    (answer,) = await caldav_setup.read(caldav_setup.open(), caldav_setup.query("boardroom", BERLIN))
    assert isinstance(answer, Read)
    assert starts(answer.meetings) == ["01 09:00", "02 09:00"]


async def test_python_caldav_157_a_server_that_expands_nothing_loses_no_occurrence(
    caldav_setup: CalDavSetup,
) -> None:
    """SOGo, Google and Bedework return the series; what is calculated here does not depend on it."""
    caldav_setup.store.book(
        "boardroom", at(8) - timedelta(days=400), at(9) - timedelta(days=400), rule="FREQ=DAILY"
    )
    assert len(await caldav_setup.meetings(caldav_setup.open())) == DAYS


async def test_python_caldav_86_an_object_that_does_not_touch_the_window_makes_no_meeting(
    caldav_setup: CalDavSetup,
) -> None:
    """Servers return more than was asked for."""
    caldav_setup.store.put_text(
        "boardroom",
        "far",
        series("DTSTART:20270301T090000Z", "DTEND:20270301T100000Z"),
    )
    assert await caldav_setup.meetings(caldav_setup.open()) == ()


async def test_nextcloud_calendar_resource_management_194_and_47_a_shared_room_user_is_a_room(
    caldav_setup: CalDavSetup,
) -> None:
    """Rooms of that app cannot be read; a user for each room is the way, and its calendar is shared."""
    caldav_setup.host.account.own_calendar = True
    for name in ("boardroom", "library"):
        caldav_setup.host.account.unshare(name)
    caldav_setup.store.add_room("personal_shared_by_saal", "Großer Saal")
    caldav_setup.host.account.share("personal_shared_by_saal")
    driver = caldav_setup.open(calendars=["personal_shared_by_saal"])
    assert names(await driver.find_rooms()) == ["personal_shared_by_saal"]
    assert words(await caldav_setup.read(driver, "personal_shared_by_saal")) == ["read"]
    fence = {"canaries": [caldav_setup.host.url_of_person("ada")]}
    trial = await caldav_setup.open(calendars=["personal_shared_by_saal"], fence=fence).try_fence()
    assert (trial.state.value, trial.excess) == ("verified", ())


async def test_nextcloud_calendar_resource_management_199_a_double_booking_is_seen_as_two(
    caldav_setup: CalDavSetup,
) -> None:
    """And one that the room does not answer occupies it."""
    caldav_setup.store.book("boardroom", at(7), at(9), response="ACCEPTED")
    caldav_setup.store.book("boardroom", at(8), at(10), response="NEEDS-ACTION")
    first, second = await caldav_setup.meetings(caldav_setup.open())
    assert (first.show_as, second.show_as) == (ShowAs.BUSY, ShowAs.TENTATIVE)
    assert not first.declined
    assert not second.declined


async def test_nextcloud_calendar_resource_management_16_what_the_room_declined_is_declined(
    caldav_setup: CalDavSetup,
) -> None:
    caldav_setup.store.book("boardroom", at(7), at(9), response="DECLINED")
    (meeting,) = await caldav_setup.meetings(caldav_setup.open())
    assert meeting.declined


async def test_home_assistant_core_182407_an_occurrence_of_today_is_there_whenever_the_window_begins(
    caldav_setup: CalDavSetup,
) -> None:
    found = await read(caldav_setup, series(*DAILY))
    assert "02 09:00" in starts(found)
    caldav_setup.clock.advance(days=1)
    again = await caldav_setup.meetings(caldav_setup.open(), caldav_setup.query("boardroom", BERLIN))
    assert "02 09:00" in starts(again)


async def test_ics_calendar_45_and_113_one_unreadable_calendar_stops_no_other_and_recovers(
    caldav_setup: CalDavSetup,
) -> None:
    driver = caldav_setup.open()
    fault = caldav_setup.host.faults.add(
        DavFault(kind=Kind.EVENT, where=Where.CALENDAR, room="library", detail="<html>Sign in</html>")
    )
    good, bad = await caldav_setup.read(driver)
    assert words([good]) == ["read"]
    assert failure(bad)[0].value == "malformed"
    caldav_setup.host.faults.remove(fault)
    assert words(await caldav_setup.read(driver)) == ["unchanged", "read"]


@pytest.mark.parametrize("status", [200, 404])
async def test_an_empty_calendar_is_free_only_if_the_server_states_it(
    caldav_setup: CalDavSetup, status: int
) -> None:
    """An answer without an event is a free room; one that lacks the event that is there is not."""
    caldav_setup.store.put("library", StoredBooking("one", date(2026, 12, 2), date(2026, 12, 3)))
    if status == 200:
        caldav_setup.store.delete("one")
    caldav_setup.host.faults.add(DavFault(kind=Kind.NO_DATA, where=Where.CALENDAR, room="library"))
    (answer,) = await caldav_setup.read(caldav_setup.open(), "library")
    assert words([answer]) == (["read"] if status == 200 else ["malformed"])
