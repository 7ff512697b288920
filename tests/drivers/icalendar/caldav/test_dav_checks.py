"""Every link of a CalDAV connection, tried: each that is broken is reported with what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from placed.driver import Finding, OffersDiagnosis, Surroundings, Verdict, find_drivers
from placed_icalendar.caldav.diagnosis import DavExamination
from placed_icalendar.simulator.caldav_host import DavFault, Kind, Where
from tests.drivers.icalendar.caldav.caldav_setup import at
from tests.support.free_ports import free_port
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.drivers.icalendar.caldav.caldav_setup import CalDavSetup

GOOD, DOUBTFUL, BAD = Verdict.GOOD, Verdict.DOUBTFUL, Verdict.BAD
CHAIN = ["files", "dns", "tls", "clock", "sign-in", "discovery", "calendars", "tags", "privileges"]


async def examine(setup: CalDavSetup, *, ahead: float = 0.0, **changes: Any) -> list[Finding]:
    """What is found by a machine whose clock is so many seconds ahead."""

    def now() -> datetime:
        return setup.clock() + timedelta(seconds=ahead)

    surroundings = Surroundings(now, 8, details=False, version="1.2.3")
    found = [one async for one in DavExamination(setup.settings(**changes), surroundings).examine()]
    reported = "\n".join(f"{finding.text} {finding.remedy}" for finding in found)
    assert setup.host.account.password not in reported
    return found


def verdicts(found: list[Finding]) -> dict[str, Verdict]:
    return {finding.check: finding.verdict for finding in found}


def only(found: list[Finding], check: str) -> Finding:
    (finding,) = (finding for finding in found if finding.check == check)
    return finding


def waiting(found: list[Finding]) -> set[str]:
    """The checks that could not be made; each waits for one that is bad, and has its remedy."""
    for finding in found:
        if finding.blocked_by:
            assert finding.remedy in [one.remedy for one in found if one.check == finding.blocked_by]
    return {finding.check for finding in found if finding.blocked_by}


async def test_without_errors_every_check_passes(caldav_setup: CalDavSetup) -> None:
    found = await examine(caldav_setup)
    assert [finding.check for finding in found] == CHAIN
    assert set(verdicts(found).values()) == {GOOD}
    assert only(found, "sign-in").text == "the server accepts placed"
    assert only(found, "privileges").text == "reading only"
    assert "2 calendars in the home; 1 for other things" in only(found, "calendars").text


def test_the_driver_offers_a_diagnosis(caldav_setup: CalDavSetup) -> None:
    kind = find_drivers()["caldav"]
    assert isinstance(kind, OffersDiagnosis)
    assert isinstance(kind.diagnosis(caldav_setup.settings(), caldav_setup.surroundings()), DavExamination)


async def test_discovery_is_reported_step_by_step(caldav_setup: CalDavSetup) -> None:
    found = await examine(caldav_setup, url=caldav_setup.host.url)
    assert [one.text for one in found if one.check == "discovery"] == [
        "/.well-known/caldav: it leads to /dav/; the principal is /dav/principals/placed/",
        "/dav/principals/placed/: the home is /dav/calendars/placed/",
    ]


async def test_the_step_of_discovery_that_fails_is_named(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.account.names_home = False
    found = await examine(caldav_setup, url=caldav_setup.host.url)
    *_, last = (one for one in found if one.check == "discovery")
    assert last.verdict is BAD
    assert last.text == "/dav/principals/placed/: the principal has no calendar home"
    assert waiting(found) == {"calendars", "tags", "privileges"}


async def test_a_wrong_password_is_the_sign_in(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.account.locked = True
    found = await examine(caldav_setup)
    assert only(found, "sign-in").verdict is BAD
    assert "app password" in only(found, "sign-in").remedy
    assert waiting(found) == {"discovery", "calendars", "tags", "privileges"}


async def test_a_server_with_errors_is_worth_another_try(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.faults.add(DavFault(kind=Kind.STATUS, where=Where.HOME, status=503, retry_after="1"))
    found = await examine(caldav_setup)
    assert "run placed doctor again" in only(found, "sign-in").remedy


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        (DavFault(kind=Kind.HTML, status=200), "is a page"),
        (DavFault(kind=Kind.STATUS, status=403), "refuses this account"),
        (DavFault(kind=Kind.STATUS, status=404), "nothing at the address"),
        (DavFault(kind=Kind.STATUS, status=405), "no CalDAV"),
        (DavFault(kind=Kind.ENTITIES), "document type"),
    ],
)
async def test_what_is_no_calendar_home_is_found_by_discovery(
    caldav_setup: CalDavSetup, fault: DavFault, text: str
) -> None:
    caldav_setup.host.faults.add(fault)
    bad = [one for one in await examine(caldav_setup) if one.check == "discovery" and one.verdict is BAD]
    assert text in bad[-1].text
    assert bad[-1].remedy


async def test_a_missing_password_file_names_what_to_do(caldav_setup: CalDavSetup, tmp_path: Path) -> None:
    found = await examine(caldav_setup, password_file=tmp_path / "none")
    assert only(found, "files").verdict is BAD
    assert only(found, "tls").verdict is GOOD
    assert waiting(found) == {"sign-in", "discovery", "calendars", "tags", "privileges"}


async def test_an_empty_password_file_is_reported(caldav_setup: CalDavSetup, tmp_path: Path) -> None:
    write_secret(tmp_path / "empty", "\n")
    finding = only(await examine(caldav_setup, password_file=tmp_path / "empty"), "files")
    assert finding.verdict is BAD
    assert "expected one with the secret" in finding.text


async def test_a_certificate_of_another_authority_asks_for_ca_file(
    caldav_setup: CalDavSetup, tmp_path: Path
) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    found = await examine(caldav_setup, ca_file=tmp_path / "other.pem")
    assert only(found, "tls").verdict is BAD
    assert "ca_file" in only(found, "tls").remedy


async def test_a_host_without_a_name_or_a_listener_is_reported(caldav_setup: CalDavSetup) -> None:
    found = await examine(caldav_setup, url="https://calendars.invalid/rooms/")
    assert only(found, "dns").verdict is BAD
    assert "correct url" in only(found, "dns").remedy
    found = await examine(caldav_setup, url=f"https://localhost:{free_port()}/rooms/")
    assert only(found, "tls").verdict is BAD


async def test_a_clock_that_is_wrong_is_reported(caldav_setup: CalDavSetup) -> None:
    assert only(await examine(caldav_setup, ahead=900), "clock").verdict is BAD


async def test_a_home_without_calendars_asks_for_shares(caldav_setup: CalDavSetup) -> None:
    for room in ("boardroom", "library"):
        caldav_setup.host.account.unshare(room)
    finding = only(await examine(caldav_setup, url=caldav_setup.host.url), "calendars")
    assert (finding.verdict, "share the rooms' calendars" in finding.remedy) == (BAD, True)


async def test_a_named_calendar_that_is_not_there_is_reported(caldav_setup: CalDavSetup) -> None:
    finding = only(await examine(caldav_setup, calendars=["boardroom", "studio"]), "calendars")
    assert (finding.verdict, "not there: studio" in finding.text) == (DOUBTFUL, True)


async def test_calendars_without_tags_are_reported(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.faults.add(DavFault(kind=Kind.NO_TAG, room="library"))
    finding = only(await examine(caldav_setup), "tags")
    assert (finding.verdict, finding.text[:18]) == (DOUBTFUL, "1 of 2 calendars h")


async def test_rights_to_change_bookings_are_reported(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.account.share("library", "write")
    finding = only(await examine(caldav_setup), "privileges")
    assert finding.verdict is DOUBTFUL
    assert "may change bookings of library" in finding.text
    assert "reading only" in finding.remedy


async def test_a_server_that_sends_invitations_is_reported(caldav_setup: CalDavSetup) -> None:
    caldav_setup.host.scheduling = True
    finding = only(await examine(caldav_setup), "privileges")
    assert "calendar-auto-schedule" in finding.text


async def habits(setup: CalDavSetup, *, details: bool = True) -> dict[str, Finding]:
    examination = DavExamination(setup.settings(), setup.surroundings(details=details))
    rooms = await setup.open().find_rooms()
    return {finding.check: finding for finding in await examination.look_at_habits(rooms)}


async def test_titles_and_private_meetings_are_counted(caldav_setup: CalDavSetup) -> None:
    caldav_setup.store.book("boardroom", at(8), at(9), summary="Budget")
    caldav_setup.store.book("boardroom", at(10), at(11), summary="Secret", private=True)
    found = await habits(caldav_setup)
    assert {finding.verdict for finding in found.values()} == {GOOD}
    assert found["private"].text.startswith("1 of 2 meetings")
    assert "Budget" not in "".join(finding.text for finding in found.values())


async def test_a_server_that_leaves_meetings_out_of_a_time_range_is_found_out(
    caldav_setup: CalDavSetup,
) -> None:
    caldav_setup.store.book("boardroom", at(8), at(9))
    caldav_setup.store.book("boardroom", at(10), at(11))
    caldav_setup.host.faults.add(DavFault(kind=Kind.TIME_RANGE, where=Where.CALENDAR))
    finding = (await habits(caldav_setup))["time-range"]
    assert finding.verdict is BAD
    assert "leaves 1 of 2 meetings out" in finding.text
