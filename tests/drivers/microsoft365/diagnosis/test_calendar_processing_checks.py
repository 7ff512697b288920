"""What calendars show of how Exchange treats titles and private meetings; no name is reported."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from placed.driver import DriverError, Finding, FoundRoom, Surroundings, Verdict
from placed_microsoft365.diagnosis import Examination
from placed_microsoft365.simulator import UNTOUCHED, CalendarProcessing, Fault, Kind, Where
from tests.drivers.microsoft365.driver_setup import ADDRESSES, BOARDROOM, LIBRARY

if TYPE_CHECKING:
    from tests.drivers.microsoft365.driver_setup import DriverSetup

GOOD, DOUBTFUL = Verdict.GOOD, Verdict.DOUBTFUL
ORGANIZER, SUBJECT = "Ada Example", "Salary review"
BOTH = [FoundRoom(address, address) for address in ADDRESSES]


async def look(driver_setup: DriverSetup, *, details: bool = True) -> dict[str, Finding]:
    """Of every room, for the fields that the settings show."""
    surroundings = Surroundings(driver_setup.clock, 8, details=details, version="1.2.3")
    found = await Examination(driver_setup.settings(), surroundings).look_at_habits(BOTH)
    assert [finding.check for finding in found] == ["titles", "private"]
    reported = " ".join(f"{finding.text} {finding.remedy}" for finding in found)
    assert not [word for word in ("Ada", "Salary", "@", "boardroom", "library") if word in reported]
    return {finding.check: finding for finding in found}


def book(
    driver_setup: DriverSetup, room: str, processing: CalendarProcessing, *, private: bool = False
) -> None:
    """Somebody books a room that treats it so."""
    driver_setup.tenant.set_processing(room, processing)
    now = driver_setup.clock()
    driver_setup.tenant.book(
        room,
        now + timedelta(hours=1),
        now + timedelta(hours=2),
        subject=SUBJECT,
        organizer=ORGANIZER,
        sensitivity="private" if private else "normal",
    )


def asked_for(driver_setup: DriverSetup) -> str:
    return "\n".join(item.path for record in driver_setup.simulator.requests for item in record.items)


async def test_titles_and_names_are_requested_only_if_they_are_shown(driver_setup: DriverSetup) -> None:
    book(driver_setup, BOARDROOM, CalendarProcessing())
    found = await look(driver_setup, details=False)
    assert {finding.verdict for finding in found.values()} == {GOOD}
    assert found["titles"].text == "not asked for: privacy.show hides them"
    assert "sensitivity" in asked_for(driver_setup)
    assert "subject" not in asked_for(driver_setup)
    assert "organizer" not in asked_for(driver_setup)


async def test_the_defaults_of_exchange_are_reported_if_titles_are_shown(driver_setup: DriverSetup) -> None:
    book(driver_setup, BOARDROOM, CalendarProcessing(), private=True)
    book(driver_setup, LIBRARY, UNTOUCHED)
    found = await look(driver_setup)
    titles, private = found["titles"], found["private"]
    assert titles.verdict is DOUBTFUL
    assert titles.text == "the organizer's name stands in place of the title in 1 of 2 rooms looked at"
    assert titles.remedy.startswith("Set-CalendarProcessing -DeleteSubject $false")
    assert private.verdict is DOUBTFUL
    assert "no meeting is marked private (2 looked at)" in private.text
    assert "-RemovePrivateProperty $false" in private.remedy


async def test_deleted_titles_are_reported(driver_setup: DriverSetup) -> None:
    book(driver_setup, BOARDROOM, CalendarProcessing(add_organizer_to_subject=False))
    titles = (await look(driver_setup))["titles"]
    assert (titles.verdict, titles.text) == (DOUBTFUL, "titles are deleted in 1 of 1 room looked at")


async def test_rooms_that_keep_titles_and_marks_are_good(driver_setup: DriverSetup) -> None:
    book(driver_setup, BOARDROOM, UNTOUCHED, private=True)
    book(driver_setup, LIBRARY, CalendarProcessing(delete_subject=False, remove_private_property=False))
    found = await look(driver_setup)
    assert {finding.verdict for finding in found.values()} == {GOOD}
    assert found["titles"].text == "kept in 2 rooms looked at"
    assert found["private"].text == "private meetings keep their mark: 1 of 2 meetings have it"


async def test_empty_calendars_are_reported_as_inconclusive(driver_setup: DriverSetup) -> None:
    found = await look(driver_setup)
    assert {finding.verdict for finding in found.values()} == {GOOD}
    assert {finding.text for finding in found.values()} == {
        "nothing is booked in 2 rooms, so nothing shows it"
    }


async def test_a_malformed_calendar_does_not_hide_the_others(driver_setup: DriverSetup) -> None:
    book(driver_setup, BOARDROOM, UNTOUCHED)
    book(driver_setup, LIBRARY, UNTOUCHED)
    driver_setup.tenant.faults.add(Fault(kind=Kind.WRONG_TYPES, detail="event_is_string", room=BOARDROOM))
    assert (await look(driver_setup))["titles"].text == "kept in 1 room looked at"
    driver_setup.tenant.faults.add(Fault(kind=Kind.STATUS, status=503, room=LIBRARY))
    assert {finding.verdict for finding in (await look(driver_setup)).values()} == {DOUBTFUL}


async def test_a_service_that_is_not_there_is_an_error(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.add(Fault(kind=Kind.STATUS, where=Where.BATCH, status=503))
    with pytest.raises(DriverError):
        await look(driver_setup)


async def test_it_signs_in_once_with_what_was_tried_before(driver_setup: DriverSetup) -> None:
    examination = Examination(
        driver_setup.settings(), Surroundings(driver_setup.clock, 8, details=True, version="1.2.3")
    )
    async for _ in examination.examine():
        pass
    await examination.look_at_habits(BOTH)
    assert driver_setup.sign_ins == 1
