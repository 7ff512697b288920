"""What the rooms' calendars show of how they are shared, answered and set."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from placed.driver import Finding, FoundRoom, Verdict
from placed_google.diagnosis import Examination
from placed_google.simulator import Role
from tests.drivers.google.driver_setup import BOARDROOM, LIBRARY, at

if TYPE_CHECKING:
    from typing import Any

    from tests.drivers.google.driver_setup import DriverSetup

GOOD, DOUBTFUL = Verdict.GOOD, Verdict.DOUBTFUL
HABITS = ["titles", "private", "acceptance", "zones"]


async def look(
    driver_setup: DriverSetup, *, details: bool = True, rooms: int = 2, **changes: Any
) -> dict[str, Finding]:
    found = [FoundRoom(room, room) for room in (BOARDROOM, LIBRARY)[:rooms]]
    settings, surroundings = driver_setup.settings(**changes), driver_setup.surroundings(details=details)
    findings = await Examination(settings, surroundings).look_at_habits(found)
    assert [finding.check for finding in findings] == HABITS
    return {finding.check: finding for finding in findings}


async def test_empty_calendars_show_nothing_and_are_no_fault(driver_setup: DriverSetup) -> None:
    found = await look(driver_setup)
    assert {finding.verdict for finding in found.values()} == {GOOD}
    assert found["titles"].text == "nothing is booked in 2 rooms, so nothing shows it"


async def test_the_share_of_meetings_without_a_title_is_counted_private_ones_apart(
    driver_setup: DriverSetup,
) -> None:
    workspace = driver_setup.workspace
    workspace.book(BOARDROOM, at(9), at(10), summary="Plans")
    workspace.book(BOARDROOM, at(10), at(11), summary=None)
    workspace.book(LIBRARY, at(9), at(10), visibility="private")
    found = await look(driver_setup)
    assert found["titles"].text == "1 of 3 meetings have none, private ones apart"
    assert found["private"].text == "1 of 3 meetings are marked private; only their times are shown"
    assert {finding.verdict for finding in found.values()} == {GOOD}
    assert "Plans" not in "".join(finding.text for finding in found.values())


async def test_rooms_that_show_free_busy_only_are_counted_with_the_cap_as_the_cause(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.workspace.book(BOARDROOM, at(9), at(10), summary="Plans")
    driver_setup.workspace.share(BOARDROOM, driver_setup.account, Role.FREE_BUSY_READER)
    found = await look(driver_setup)
    assert found["titles"].verdict is DOUBTFUL
    assert found["titles"].text.startswith("1 of 2 rooms looked at is shared as free/busy only")
    assert "External sharing options" in found["titles"].remedy
    found = await look(driver_setup, details=False)
    assert found["titles"].verdict is GOOD
    assert "which suffices" in found["titles"].text


async def test_where_titles_are_hidden_they_are_not_asked_for(driver_setup: DriverSetup) -> None:
    await look(driver_setup, details=False)
    assert driver_setup.asked("/events?")
    assert not driver_setup.asked("summary")


async def test_a_room_that_never_answers_has_automatic_acceptance_switched_off(
    driver_setup: DriverSetup,
) -> None:
    workspace = driver_setup.workspace
    workspace.book(BOARDROOM, at(6), at(7), response="needsAction")
    workspace.book(LIBRARY, at(6), at(7), response="needsAction")
    workspace.book(LIBRARY, at(9), at(10))
    found = await look(driver_setup)
    assert found["acceptance"].verdict is DOUBTFUL
    assert found["acceptance"].text.startswith("1 of 2 rooms looked at left bookings unanswered")
    assert "Auto-accept invitations" in found["acceptance"].remedy


async def test_a_booking_that_waits_for_approval_still_may(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.book(BOARDROOM, at(9), at(10), response="needsAction")
    assert (await look(driver_setup))["acceptance"].verdict is GOOD


async def test_a_calendar_in_another_zone_than_the_settings_is_named(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.calendar(LIBRARY).zone = "America/New_York"
    found = await look(driver_setup, time_zone="UTC")
    assert found["zones"].verdict is DOUBTFUL
    assert "1 of 2 rooms looked at have another zone than UTC: America/New_York" in found["zones"].text
    found = await look(driver_setup)
    assert found["zones"].verdict is GOOD
    assert found["zones"].text == "each calendar's own time zone is used"
    assert (await look(driver_setup, rooms=1, time_zone="UTC"))["zones"].text == "UTC in 1 room looked at"


async def test_calendars_that_cannot_be_read_are_reported_in_a_line(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.status(503)
    found = await look(driver_setup)
    assert {finding.verdict for finding in found.values()} == {DOUBTFUL}
    assert {finding.text for finding in found.values()} == {"no calendar could be read"}


async def test_a_key_that_is_gone_keeps_all_from_being_looked_at(driver_setup: DriverSetup) -> None:
    found = await look(driver_setup, key_file=driver_setup.folder / "nowhere.json")
    assert {finding.blocked_by for finding in found.values()} == {"files"}


async def test_meetings_of_a_month_around_now_count(driver_setup: DriverSetup) -> None:
    for days in (-29, 29, -40, 40):
        start = at(9) + timedelta(days=days)
        driver_setup.workspace.book(BOARDROOM, start, start + timedelta(hours=1))
    assert (await look(driver_setup))["private"].text.startswith("0 of 2 meetings")
