"""What goes wrong at a CalDAV server: the reason of a room or of the connection, and the remedy."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
import trustme
from msgspec.structs import replace

from placed.domain.model import Reason
from placed.driver import (
    DriverError,
    Failed,
    NotPermitted,
    Read,
    Refused,
    ServiceTime,
    Throttled,
    Unavailable,
    UnexpectedAnswer,
)
from placed.driver.network import http_session
from placed_icalendar import CalDav
from placed_icalendar.simulator.caldav_host import DavFault, Kind, Where
from tests.drivers.icalendar.caldav.caldav_setup import at, failure, names, words

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drivers.icalendar.caldav.caldav_setup import CalDavSetup


async def refused_reading(setup: CalDavSetup, driver: CalDav) -> DriverError:
    """The error that ends a reading."""
    with pytest.raises(DriverError) as raised:
        await setup.read(driver)
    return raised.value


# --- one room ---


@pytest.mark.parametrize(
    ("status", "reason", "remedy"),
    [
        (401, Reason.FORBIDDEN, "share the calendar"),
        (403, Reason.FORBIDDEN, "share the calendar"),
        (404, Reason.NOT_FOUND, "share the calendar"),
        (410, Reason.NOT_FOUND, "share the calendar"),
        (429, Reason.THROTTLED, ""),
        (500, Reason.UNAVAILABLE, ""),
        (503, Reason.UNAVAILABLE, ""),
        (507, Reason.MALFORMED, "limit of results"),
        (400, Reason.MALFORMED, ""),
        (303, Reason.UNAVAILABLE, "gateway"),
    ],
)
async def test_a_status_of_one_calendar_is_that_room_s_alone(
    caldav_setup: CalDavSetup, status: int, reason: Reason, remedy: str
) -> None:
    driver = caldav_setup.open()
    fault = DavFault(kind=Kind.STATUS, where=Where.CALENDAR, room="library", status=status)
    caldav_setup.host.faults.add(fault)
    good, bad = await caldav_setup.read(driver)
    assert isinstance(good, Read)
    found, text, advice = failure(bad)
    assert (found, str(status) in text or status == 507) == (reason, True)
    assert remedy in advice
    caldav_setup.host.faults.clear()
    assert words(await caldav_setup.read(driver)) == ["unchanged", "read"]


@pytest.mark.parametrize("status", [403, 404, 500, 507])
async def test_one_failing_response_in_the_list_of_tags_is_that_room_s_alone(
    caldav_setup: CalDavSetup, status: int
) -> None:
    driver = caldav_setup.open()
    await caldav_setup.read(driver)
    caldav_setup.host.faults.add(
        DavFault(kind=Kind.RESPONSE, where=Where.HOME, room="library", status=status)
    )
    good, bad = await caldav_setup.read(driver)
    assert words([good]) == ["unchanged"]
    assert words([bad])[0] in ("forbidden", "not_found", "unavailable", "malformed")


@pytest.mark.parametrize("kind", [Kind.RESPONSE, Kind.NO_DATA])
async def test_an_event_that_the_server_does_not_give_makes_the_room_malformed_and_never_free(
    caldav_setup: CalDavSetup, kind: Kind
) -> None:
    caldav_setup.store.book("library", at(7), at(9))
    caldav_setup.host.faults.add(DavFault(kind=kind, where=Where.CALENDAR, room="library", status=404))
    good, bad = await caldav_setup.read(caldav_setup.open())
    assert isinstance(good, Read)
    reason, text, _ = failure(bad)
    assert reason is Reason.MALFORMED
    assert "leaves an event" in text


@pytest.mark.parametrize("kind", [Kind.CUT, Kind.TOO_MANY])
async def test_a_cut_answer_is_no_shorter_calendar(caldav_setup: CalDavSetup, kind: Kind) -> None:
    caldav_setup.store.book("library", at(7), at(9))
    caldav_setup.store.book("library", at(10), at(11))
    caldav_setup.host.faults.add(DavFault(kind=kind, where=Where.CALENDAR, room="library"))
    good, bad = await caldav_setup.read(caldav_setup.open())
    assert isinstance(good, Read)
    reason, text, remedy = failure(bad)
    assert reason is Reason.MALFORMED
    assert "cut" in text
    assert "raise its limit" in remedy


@pytest.mark.parametrize("kind", [Kind.TRUNCATED, Kind.ENTITIES, Kind.HTML])
async def test_an_answer_that_is_no_sound_xml_is_that_room_s_alone(
    caldav_setup: CalDavSetup, kind: Kind
) -> None:
    caldav_setup.store.book("library", at(7), at(9))
    fault = DavFault(kind=kind, where=Where.CALENDAR, room="library", status=200)
    caldav_setup.host.faults.add(fault)
    good, bad = await caldav_setup.read(caldav_setup.open())
    assert isinstance(good, Read)
    assert failure(bad)[0] is Reason.MALFORMED


async def test_a_megabyte_of_xml_that_nobody_asked_for_is_read_over(caldav_setup: CalDavSetup) -> None:
    caldav_setup.store.book("library", at(7), at(9))
    caldav_setup.host.faults.add(DavFault(kind=Kind.HUGE, where=Where.CALENDAR, room="library"))
    (meeting,) = await caldav_setup.meetings(caldav_setup.open(), "library")
    assert meeting.start == at(7)


async def test_an_answer_beyond_the_limit_of_size_is_that_room_s_alone(
    caldav_setup: CalDavSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_session, "LARGEST", 2**19)
    caldav_setup.host.faults.add(DavFault(kind=Kind.HUGE, where=Where.CALENDAR, room="library"))
    good, bad = await caldav_setup.read(caldav_setup.open())
    assert isinstance(good, Read)
    assert failure(bad)[0] is Reason.MALFORMED


async def test_an_event_that_is_not_understood_makes_the_room_malformed(caldav_setup: CalDavSetup) -> None:
    lines = (
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        "UID:1",
        "DTSTART:soon",
        "SUMMARY:Salary of Ada",
        "END:VEVENT",
    )
    caldav_setup.store.put_text("library", "bad", "\r\n".join((*lines, "END:VCALENDAR", "")))
    good, bad = await caldav_setup.read(caldav_setup.open())
    assert isinstance(good, Read)
    reason, text, _ = failure(bad)
    assert reason is Reason.MALFORMED
    assert "DTSTART" in text
    assert "soon" not in text
    assert "Ada" not in text


async def test_a_throttled_calendar_is_left_alone_for_as_long_as_the_server_asks(
    caldav_setup: CalDavSetup,
) -> None:
    caldav_setup.host.faults.add(
        DavFault(kind=Kind.STATUS, where=Where.CALENDAR, room="library", status=429, retry_after="0.25")
    )
    _, bad = await caldav_setup.read(caldav_setup.open())
    assert isinstance(bad, Failed)
    assert (bad.reason, bad.problem.retry_after) == (Reason.THROTTLED, 0.25)


# --- the connection ---


async def test_a_wrong_password_is_tried_once_in_five_minutes(caldav_setup: CalDavSetup) -> None:
    driver = caldav_setup.open()
    caldav_setup.host.account.locked = True
    error = await refused_reading(caldav_setup, driver)
    assert isinstance(error, Refused)
    assert (error.problem.lasting, error.problem.retry_after) == (True, 300.0)
    assert "app password" in error.problem.remedy
    tried = len(caldav_setup.host.requests)
    for _ in range(4):
        caldav_setup.clock.advance(minutes=1)
        assert isinstance(await refused_reading(caldav_setup, driver), Refused)
    with pytest.raises(Refused):
        await driver.find_rooms()
    with pytest.raises(Refused):
        await driver.try_fence()
    assert len(caldav_setup.host.requests) == tried
    caldav_setup.host.account.locked = False
    caldav_setup.clock.advance(minutes=1)
    assert words(await caldav_setup.read(driver)) == ["read", "read"]


async def test_a_server_with_digest_authentication_only_is_named(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.account.digest = True
    error = await refused_reading(caldav_setup, caldav_setup.open())
    assert "offers Digest authentication only" in str(error)
    assert "Basic" in error.problem.remedy


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, Throttled), (503, Unavailable), (500, Unavailable)],
)
async def test_a_server_with_errors_is_asked_again_later(
    caldav_setup: CalDavSetup, status: int, kind: type[DriverError]
) -> None:
    driver = caldav_setup.open()
    await caldav_setup.read(driver)
    caldav_setup.host.faults.add(DavFault(kind=Kind.STATUS, where=Where.HOME, status=status, retry_after="7"))
    error = await refused_reading(caldav_setup, driver)
    assert (type(error), error.problem.retry_after) == (kind, 7.0)


@pytest.mark.parametrize("kind", [Kind.TRUNCATED, Kind.ENTITIES, Kind.HTML])
async def test_without_a_sound_list_of_tags_every_calendar_is_read(
    caldav_setup: CalDavSetup, kind: Kind
) -> None:
    driver = caldav_setup.open()
    await caldav_setup.read(driver)
    caldav_setup.host.faults.add(DavFault(kind=kind, where=Where.HOME, status=200))
    assert words(await caldav_setup.read(driver)) == ["unchanged", "unchanged"]
    caldav_setup.store.book("library", at(8), at(9))
    assert words(await caldav_setup.read(driver)) == ["unchanged", "read"]


async def test_a_server_that_does_not_answer_is_given_up_after_three_calendars(
    caldav_setup: CalDavSetup,
) -> None:
    for number in range(20):
        caldav_setup.store.add_room(f"room-{number}")
        caldav_setup.host.account.share(f"room-{number}")
    driver = caldav_setup.open()
    caldav_setup.host.faults.add(DavFault(kind=Kind.DROP, where=Where.CALENDAR))
    queries = [caldav_setup.query(f"room-{number}") for number in range(20)]
    with pytest.raises(Unavailable):
        await caldav_setup.read(driver, *queries)
    assert len(caldav_setup.asked("REPORT")) < 12


async def test_a_certificate_of_another_authority_asks_for_ca_file(
    caldav_setup: CalDavSetup, tmp_path: Path
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    error = await refused_reading(caldav_setup, caldav_setup.open(ca_file=other))
    assert isinstance(error, Refused)
    assert "ca_file" in error.problem.remedy


async def test_all_rooms_lost_at_once_are_the_connection_s_error(caldav_setup: CalDavSetup) -> None:
    driver = caldav_setup.open()
    await caldav_setup.read(driver)
    for room in ("boardroom", "library"):
        caldav_setup.host.account.unshare(room)
    error = await refused_reading(caldav_setup, driver)
    assert isinstance(error, NotPermitted)
    assert "none of the 2 calendars" in str(error)
    assert "still shared" in error.problem.remedy


async def test_one_lost_room_is_its_own(caldav_setup: CalDavSetup) -> None:
    driver = caldav_setup.open()
    await caldav_setup.read(driver)
    caldav_setup.host.account.unshare("library")
    assert words(await caldav_setup.read(driver)) == ["unchanged", "not_found"]


async def test_a_page_in_place_of_the_home_names_the_remedy(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.faults.add(DavFault(kind=Kind.HTML, where=Where.HOME, status=200))
    with pytest.raises(UnexpectedAnswer) as raised:
        await caldav_setup.open().find_rooms()
    assert "is a page" in str(raised.value)
    assert "set url" in raised.value.problem.remedy


async def test_the_server_s_time_is_reported(caldav_setup: CalDavSetup) -> None:
    times: list[ServiceTime] = []
    surroundings = replace(caldav_setup.surroundings(), report_time=times.append)
    driver = CalDav.open(caldav_setup.settings(), surroundings)
    caldav_setup.drivers.append(driver)
    await driver.find_rooms()
    assert times[0].moment == caldav_setup.clock()


async def test_rooms_appear_and_disappear_while_running(caldav_setup: CalDavSetup) -> None:
    driver = caldav_setup.open()
    assert names(await driver.find_rooms()) == ["boardroom", "library"]
    caldav_setup.store.add_room("studio")
    caldav_setup.host.account.share("studio")
    caldav_setup.host.account.unshare("boardroom")
    assert names(await driver.find_rooms()) == ["library", "studio"]
    assert words(await caldav_setup.read(driver, "library", "studio")) == ["read", "read"]
    caldav_setup.clock.moment += timedelta(seconds=30)
    assert words(await caldav_setup.read(driver, "library", "studio")) == ["unchanged", "unchanged"]
