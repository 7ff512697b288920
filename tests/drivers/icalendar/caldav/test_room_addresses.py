"""The answer of the room among other attendees is found by the address of the user who owns its calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed_icalendar.simulator.caldav_host import DavFault, Kind
from tests.drivers.icalendar.caldav.caldav_setup import at, words

if TYPE_CHECKING:
    from tests.drivers.icalendar.caldav.caldav_setup import CalDavSetup

# Rooms are users at Nextcloud, so nothing shows which of the attendees is the room.
INVITED = "\r\n".join(
    (
        *("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:invited", "DTSTAMP:20261201T000000Z"),
        *("DTSTART:20261202T070000Z", "DTEND:20261202T090000Z", "SUMMARY:Budget"),
        "ATTENDEE;CUTYPE=INDIVIDUAL;PARTSTAT={}:mailto:ada@simulator.example",
        "ATTENDEE;CUTYPE=INDIVIDUAL;PARTSTAT={}:mailto:Boardroom@simulator.example",
        *("END:VEVENT", "END:VCALENDAR", ""),
    )
)


def asked(setup: CalDavSetup) -> list[str]:
    return setup.asked("PROPFIND", "/principals/")


@pytest.mark.parametrize(("person", "room"), [("ACCEPTED", "DECLINED"), ("DECLINED", "ACCEPTED")])
async def test_the_answer_of_the_room_counts_and_not_that_of_a_guest(
    caldav_setup: CalDavSetup, person: str, room: str
) -> None:
    caldav_setup.store.put_text("boardroom", "invited", INVITED.format(person, room))
    driver = caldav_setup.open()
    await driver.find_rooms()
    (meeting,) = await caldav_setup.meetings(driver)
    assert meeting.declined is (room == "DECLINED")


async def test_each_owner_is_asked_once(caldav_setup: CalDavSetup) -> None:
    driver = caldav_setup.open()
    for _ in range(3):
        await driver.find_rooms()
    assert sorted(asked(caldav_setup)) == ["/dav/principals/boardroom/", "/dav/principals/library/"]


async def test_an_owner_that_may_not_be_seen_is_not_asked_again(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.faults.add(DavFault(kind=Kind.STATUS, status=403, room="boardroom", times=1))
    driver = caldav_setup.open()
    for _ in range(3):
        await driver.find_rooms()
    assert len(asked(caldav_setup)) == 2
    assert words(await caldav_setup.read(driver)) == ["read", "read"]


async def test_an_owner_is_asked_again_after_an_error_of_the_server(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.faults.add(DavFault(kind=Kind.STATUS, status=503, room="boardroom", times=1))
    driver = caldav_setup.open()
    for _ in range(3):
        await driver.find_rooms()
    assert len(asked(caldav_setup)) == 3


async def test_the_address_of_a_booked_room_is_its_own(caldav_setup: CalDavSetup) -> None:
    caldav_setup.store.book("library", at(7), at(9), response="DECLINED")
    driver = caldav_setup.open()
    await driver.find_rooms()
    (meeting,) = await caldav_setup.meetings(driver, "library")
    assert meeting.declined
