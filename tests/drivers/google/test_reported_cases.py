"""Cases that users of other programs reported, each by the issue in which it was; here they are answered."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from placed.domain.model import Reason
from placed.driver import Failed, NotPermitted, Read
from placed_google.calendars import change_detector, paced_reader
from placed_google.simulator import Attendee, CalendarKind, Role, Where
from tests.drivers.google.driver_setup import BOARDROOM, LIBRARY, DriverSetup, at, failure, words
from tests.drivers.google.poller_with_workspace import PolledWorkspace

if TYPE_CHECKING:
    from placed.domain.model import Meeting

BERLIN = "Europe/Berlin"
SECOND = date(2026, 12, 2)


async def polled(driver_setup: DriverSetup, zone: str = "UTC", **settings: Any) -> PolledWorkspace:
    """Polled once."""
    workspace = PolledWorkspace(driver_setup, driver_setup.open(**settings), zone)
    await workspace.poll()
    return workspace


async def test_case_01_roombelt_16_a_booking_that_the_room_declined_is_not_shown(
    driver_setup: DriverSetup,
) -> None:
    """It is not shown when the meeting that won the room ends early, either."""
    won = driver_setup.workspace.book(BOARDROOM, at(7), at(9), summary="Won")
    driver_setup.workspace.book(BOARDROOM, at(7), at(10), summary="Rejected")
    workspace = await polled(driver_setup)
    current = workspace.occupancy("c_188boardroom").current
    assert current is not None
    assert current.title == "Won"
    driver_setup.workspace.cancel(won)
    await workspace.poll(31)
    assert workspace.status("c_188boardroom") == "free"


async def test_case_02_effective_office_pr_351_the_same_with_several_resources(
    driver_setup: DriverSetup,
) -> None:
    """The answer of another room that is invited does not count."""
    other = Attendee(email=LIBRARY, name="Library", resource=True, response="accepted")
    driver_setup.workspace.book(BOARDROOM, at(7), at(9), guests=[other], response="declined")
    refused = Attendee(email=BOARDROOM, name="Boardroom", resource=True, response="declined")
    driver_setup.workspace.book(LIBRARY, at(7), at(9), guests=[refused], response="accepted")
    workspace = await polled(driver_setup)
    assert [workspace.status(f"c_188{name}") for name in ("boardroom", "library")] == ["free", "busy"]


async def test_case_03_meetingbar_224_a_guest_who_declines_frees_no_room(driver_setup: DriverSetup) -> None:
    guest = Attendee(email="ben@fabrikam.example", name="Ben Sample")
    event = driver_setup.workspace.book(BOARDROOM, at(7), at(9), guests=[guest])
    driver_setup.workspace.guest_responds(event, "ben", "declined")
    workspace = await polled(driver_setup)
    assert workspace.status("c_188boardroom") == "busy"


async def test_case_04_aerolab_rooms_3_shared_as_free_busy_only(driver_setup: DriverSetup) -> None:
    """Occupancy is right, and nothing else is shown."""
    driver_setup.workspace.limit_external_sharing(Role.FREE_BUSY_READER, CalendarKind.SECONDARY)
    driver_setup.workspace.book(BOARDROOM, at(7), at(9), summary="Secret")
    (meeting,) = await driver_setup.meetings(driver_setup.open())
    assert (meeting.start, meeting.end) == (at(7), at(9))
    assert (meeting.private, meeting.title, meeting.organizer) == (True, None, None)
    assert (await polled(driver_setup)).status("c_188boardroom") == "busy"


async def test_case_05_nodejs_client_3000_a_failed_calendar_of_free_busy_is_not_free(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paced_reader, "_MANY", 0.0)
    monkeypatch.setattr(change_detector, "_RESERVE", 1.0)
    driver_setup.workspace.book(BOARDROOM, at(7), at(20))
    workspace = await polled(driver_setup)
    driver_setup.workspace.unshare(BOARDROOM, driver_setup.account)
    await workspace.poll(20 * 60)
    assert (workspace.status("c_188boardroom"), workspace.status("c_188library")) == ("unknown", "free")


async def test_case_06_auth_library_python_312_not_shared_names_the_address_to_share_with(
    driver_setup: DriverSetup,
) -> None:
    """The same in google-auth-library-nodejs 1452 and youtube/api-samples 311."""
    driver_setup.workspace.unshare(LIBRARY, driver_setup.account)
    _, library = await driver_setup.read(driver_setup.open())
    reason, remedy = failure(library)
    assert reason is Reason.NOT_FOUND
    assert f"share the room's calendar with {driver_setup.account.email}" in remedy
    with capture_logs() as logs:
        await polled(driver_setup)
    (logged,) = [log for log in logs if log["event"] == "rooms.became_unreadable"]
    assert (logged["rooms"], logged["remedy"]) == (["c_188library"], remedy)


async def test_case_07_dotnet_client_844_all_rooms_lost_at_once_are_one_report(
    driver_setup: DriverSetup,
) -> None:
    workspace = await polled(driver_setup)
    for room in (BOARDROOM, LIBRARY):
        driver_setup.workspace.unshare(room, driver_setup.account)
    await workspace.poll(31)
    problem = workspace.poller.problem
    assert isinstance(problem, NotPermitted)
    assert "none of the 2 rooms" in str(problem)
    assert driver_setup.account.email in problem.problem.remedy
    driver_setup.workspace.share_rooms(driver_setup.account)
    await workspace.poll(600)
    assert workspace.poller.problem is None


async def test_case_07_one_room_that_is_lost_is_its_own_report(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.workspace.unshare(LIBRARY, driver_setup.account)
    assert words(await driver_setup.read(driver)) == ["unchanged", "not_found"]


async def test_case_08_googleapis_dart_204_the_directory_knows_no_my_customer(
    driver_setup: DriverSetup,
) -> None:
    """The same in google-api-python-client 214."""
    driver_setup.account.reads_directory = True
    with pytest.raises(NotPermitted, match="404") as caught:
        await driver_setup.open(rooms=None, customer="my_customer").find_rooms()
    assert "customer" in caught.value.problem.remedy
    assert "C01abc234" in caught.value.problem.remedy


async def test_case_09_nodejs_client_1884_the_directory_needs_a_role(driver_setup: DriverSetup) -> None:
    """The same in google-api-go-client 1724."""
    driver = driver_setup.open(rooms=None, customer=driver_setup.workspace.customer_id)
    with pytest.raises(NotPermitted, match="403 forbidden") as caught:
        await driver.find_rooms()
    assert "admin role" in caught.value.problem.remedy


async def test_case_10_php_client_2214_delegation_takes_a_while(driver_setup: DriverSetup) -> None:
    """The same in google-api-php-client 1379 and google-auth-library-ruby 210."""
    driver = driver_setup.open(subject="ben@fabrikam.example")
    workspace = PolledWorkspace(driver_setup, driver)
    await workspace.poll()
    problem = workspace.poller.problem
    assert isinstance(problem, NotPermitted)
    assert not problem.problem.lasting
    assert driver_setup.account.client_id in problem.problem.remedy
    assert "calendar.events.readonly" in problem.problem.remedy
    driver_setup.workspace.delegate(
        driver_setup.account, "https://www.googleapis.com/auth/calendar.events.readonly"
    )
    await workspace.poll(15 * 60)
    assert (workspace.poller.problem, workspace.status("c_188boardroom")) == (None, "free")


@pytest.mark.parametrize("status", [403, 429])
async def test_case_11_easyappointments_995_a_quota_makes_no_room_free(
    driver_setup: DriverSetup, status: int
) -> None:
    """The same in Inky-Calendar-Server 104: stale, then unknown, and asked for less and less often."""
    driver_setup.workspace.book(BOARDROOM, at(7), at(9))
    workspace = await polled(driver_setup)
    driver_setup.workspace.faults.throttled(status)
    seen = []
    for _ in range(40):
        await workspace.poll(30)
        occupancy = workspace.occupancy("c_188boardroom")
        seen.append(f"{occupancy.status.value}{', stale' * occupancy.stale}")
    assert list(dict.fromkeys(seen)) == ["busy", "busy, stale", "unknown, stale"]
    assert workspace.occupancy("c_188boardroom").reason is Reason.THROTTLED


async def test_case_12_nodejs_client_3422_a_usage_limit_rests_for_minutes(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    driver_setup.workspace.faults.abused()
    for answer in await driver_setup.read(driver):
        assert isinstance(answer, Failed)
        assert (answer.reason, answer.problem.retry_after) == (Reason.THROTTLED, 180)
    driver_setup.workspace.faults.clear()
    driver_setup.workspace.faults.abused(where=Where.BATCH)
    with pytest.raises(Exception, match="quotaExceeded") as caught:
        await driver_setup.read(driver)
    assert caught.value.problem.retry_after == 180  # type: ignore[attr-defined]


async def test_case_13_compass_calendar_335_one_throttled_room_is_its_own_failure(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.workspace.faults.throttled(room=LIBRARY)
    assert words(await driver_setup.read(driver_setup.open())) == ["read", "throttled"]


@pytest.mark.parametrize("zone", [BERLIN, "America/Los_Angeles"])
async def test_case_14_home_assistant_23720_an_all_day_event_ends_at_local_midnight(
    driver_setup: DriverSetup, zone: str
) -> None:
    """The same in home-assistant/core 37474 and 167562."""
    driver_setup.workspace.hold(BOARDROOM, SECOND, SECOND + timedelta(days=1))
    query = driver_setup.query(BOARDROOM, zone)
    (meeting,) = await driver_setup.meetings(driver_setup.open(time_zone=zone), query)
    local = [moment.astimezone(query.room.time_zone) for moment in (meeting.start, meeting.end)]
    assert [(moment.day, moment.hour) for moment in local] == [(2, 0), (3, 0)]
    assert meeting.all_day


async def test_case_15_home_assistant_71167_the_calendar_s_zone_counts_not_the_server_s(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.workspace.calendar(BOARDROOM).zone = "America/New_York"
    driver_setup.workspace.hold(BOARDROOM, SECOND, SECOND + timedelta(days=1))
    driver = driver_setup.open()
    (meeting,) = await driver_setup.meetings(driver)
    assert (meeting.start, meeting.end) == (at(5), at(29))
    zones = {room.mailbox: room.time_zone for room in await driver.find_rooms()}
    assert zones[BOARDROOM] == "America/New_York"
    driver = driver_setup.open(time_zone="Asia/Tokyo")  # what the settings name goes before
    (meeting,) = await driver_setup.meetings(driver, driver_setup.query(BOARDROOM, "Asia/Tokyo"))
    assert meeting.start == datetime(2026, 12, 1, 15, tzinfo=UTC)


@pytest.mark.parametrize("transparency", ["transparent", "opaque"])
async def test_case_16_home_assistant_6076_an_all_day_event_hides_no_meeting(
    driver_setup: DriverSetup, transparency: str
) -> None:
    """The same in home-assistant/core 35765 and 69401."""
    driver_setup.workspace.book(
        BOARDROOM,
        SECOND,
        SECOND + timedelta(days=1),
        transparency=transparency,  # type: ignore[arg-type]
        response="accepted",
    )
    driver_setup.workspace.book(BOARDROOM, at(7), at(8), response="accepted", summary="Meeting")
    found: list[Meeting] = [*await driver_setup.meetings(driver_setup.open())]
    assert sorted(meeting.all_day for meeting in found) == [False, True]
    workspace = await polled(driver_setup)
    occupancy = workspace.occupancy("c_188boardroom")
    assert occupancy.status.value == "busy"
    assert occupancy.current is not None
    assert occupancy.current.all_day == (transparency == "opaque")
    assert occupancy.busy_until == (at(24) if transparency == "opaque" else at(8))


async def test_case_17_home_assistant_178730_an_all_day_busy_event_occupies(
    driver_setup: DriverSetup,
) -> None:
    """The same in home-assistant/core 44610."""
    driver_setup.workspace.hold(BOARDROOM, SECOND, SECOND + timedelta(days=1))
    workspace = await polled(driver_setup)
    occupancy = workspace.occupancy("c_188boardroom")
    assert (occupancy.status.value, occupancy.busy_until) == ("busy", at(24))


async def test_case_18_gbrain_5015_an_endless_series_does_not_flood(driver_setup: DriverSetup) -> None:
    start = at(7) - timedelta(days=700)
    driver_setup.workspace.book_series(BOARDROOM, start, start + timedelta(hours=2), frequency="DAILY")
    found = await driver_setup.meetings(driver_setup.open())
    assert [meeting.start for meeting in found] == [at(7) + timedelta(days=n) for n in (-1, 0, 1)]


async def test_case_19_python_client_2007_a_room_that_cannot_be_booked_is_read(
    driver_setup: DriverSetup,
) -> None:
    """It is in the directory's list; whether people can book it does not matter."""
    driver_setup.account.reads_directory = True
    room = driver_setup.workspace.add_room("Crossed Out", auto_accept=False)
    driver_setup.workspace.share(room, driver_setup.account)
    driver_setup.workspace.hold(room, at(7), at(9))
    driver = driver_setup.open(rooms=None, customer=driver_setup.workspace.customer_id)
    workspace = PolledWorkspace(driver_setup, driver)
    await workspace.poll()
    assert workspace.status("crossed-out") == "busy"


async def test_case_20_ruby_client_210_the_other_parts_of_a_throttled_batch_are_used(
    driver_setup: DriverSetup,
) -> None:
    """The same in google-api-dotnet-client 1982: parts run side by side, and into the limit."""
    rooms = [driver_setup.workspace.add_room(f"Room {number}") for number in range(30)]
    driver_setup.workspace.share_rooms(driver_setup.account)
    driver_setup.workspace.limits.per_user_minute = 20
    driver = driver_setup.open(requests_per_minute=600)
    answers = await driver_setup.read(driver, *(room.address for room in rooms))
    assert sum(isinstance(answer, Read) for answer in answers) == 20
    assert [answer.reason for answer in answers if isinstance(answer, Failed)] == [Reason.THROTTLED] * 10
    assert driver.limit.window < 2.5
