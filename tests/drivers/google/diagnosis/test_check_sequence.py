"""Every link of a connection, tried: each that is broken is reported with what to do, and once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from placed.driver import Finding, OffersDiagnosis, Surroundings, Verdict, find_drivers
from placed_google.auth.token_errors import TOKEN_ERRORS
from placed_google.diagnosis import Examination
from placed_google.simulator import Where
from tests.drivers.google.driver_setup import ADA
from tests.support.free_ports import free_port
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from tests.drivers.google.driver_setup import DriverSetup

GOOD, DOUBTFUL, BAD = Verdict.GOOD, Verdict.DOUBTFUL, Verdict.BAD
CHAIN = ["files", "key", "dns", "tls", "clock", "token", "api"]


async def examine(driver_setup: DriverSetup, *, ahead: float = 0.0, **changes: Any) -> list[Finding]:
    """What is found by a machine whose clock is so many seconds ahead."""

    def now() -> datetime:
        return driver_setup.clock() + timedelta(seconds=ahead)

    settings = driver_setup.settings(**changes)
    examination = Examination(settings, Surroundings(now, 8, details=False, version="1.2.3"))
    found = [finding async for finding in examination.examine()]
    reported = "\n".join(f"{finding.text} {finding.remedy}" for finding in found)
    assert "PRIVATE" not in reported
    assert ADA not in reported
    return found


def verdicts(found: list[Finding]) -> dict[str, Verdict]:
    return {finding.check: finding.verdict for finding in found}


def only(found: list[Finding], check: str) -> Finding:
    (finding,) = (finding for finding in found if finding.check == check)
    return finding


def waiting(found: list[Finding]) -> dict[str, str]:
    """The checks that could not be made, and for which link they wait; the step is that link's."""
    for finding in found:
        if finding.blocked_by:
            assert finding.verdict is BAD
            assert finding.remedy in [f.remedy for f in found if f.check == finding.blocked_by]
    return {finding.check: finding.blocked_by for finding in found if finding.blocked_by}


# --- all good -----------------------------------------------------------------------------------------------


async def test_without_errors_every_check_passes_with_one_sign_in(driver_setup: DriverSetup) -> None:
    found = await examine(driver_setup)
    assert [finding.check for finding in found] == CHAIN
    assert set(verdicts(found).values()) == {GOOD}
    assert len(driver_setup.asked("/token")) == 2  # one of them looks at the host
    assert only(found, "key").text == f"of {driver_setup.account.email}"
    assert driver_setup.account.email in only(found, "token").text


def test_the_driver_offers_a_diagnosis(driver_setup: DriverSetup) -> None:
    kind = find_drivers()["google"]
    assert isinstance(kind, OffersDiagnosis)
    assert isinstance(kind.diagnosis(driver_setup.settings(), driver_setup.surroundings()), Examination)


async def test_rooms_of_the_directory_need_not_be_known_and_its_host_is_looked_at(
    driver_setup: DriverSetup,
) -> None:
    found = await examine(driver_setup, rooms=None, customer="C01abc", directory_url="https://no.invalid")
    assert only(found, "dns").verdict is BAD
    assert "directory_url" in only(found, "dns").remedy
    found = await examine(driver_setup, rooms=None, customer="C01abc")
    assert set(verdicts(found).values()) == {GOOD}


# --- files and key ------------------------------------------------------------------------------------------


async def test_a_missing_key_names_the_script_that_makes_it(driver_setup: DriverSetup) -> None:
    found = await examine(driver_setup, key_file=driver_setup.folder / "nowhere.json")
    assert only(found, "files").verdict is BAD
    assert "create-project.sh" in only(found, "files").remedy
    assert waiting(found) == dict.fromkeys(CHAIN[1:], "files")


async def test_a_key_that_everybody_can_read_is_refused(driver_setup: DriverSetup) -> None:
    driver_setup.key_file().chmod(0o644)
    found = await examine(driver_setup)
    assert only(found, "files").remedy == f"chmod 600 {driver_setup.key_file()}"
    assert waiting(found)["key"] == "files"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("not JSON", "is no key file: expected JSON"),
        ('{"type": "authorized_user"}', 'expected "type": "service_account"'),
        (
            '{"type": "service_account", "client_email": "a@b", "private_key": "x"}',
            "is no private key in PEM",
        ),
    ],
)
async def test_a_file_that_is_no_key_is_named(content: str, text: str, driver_setup: DriverSetup) -> None:
    file = driver_setup.folder / "other.json"
    write_secret(file, content)
    found = await examine(driver_setup, key_file=file)
    assert text in only(found, "key").text
    assert only(found, "key").remedy
    assert waiting(found) == dict.fromkeys(CHAIN[2:], "key")


async def test_a_key_of_another_project_than_it_names_is_doubtful(driver_setup: DriverSetup) -> None:
    content = json.loads(driver_setup.key_file().read_text())
    driver_setup.key_file().write_text(json.dumps({**content, "project_id": "other-project"}))
    found = await examine(driver_setup)
    assert only(found, "key").verdict is DOUBTFUL
    assert "other-project" in only(found, "key").text


async def test_a_ca_file_that_holds_no_ca_keeps_the_hosts_from_being_asked(driver_setup: DriverSetup) -> None:
    file = driver_setup.folder / "ca.pem"
    file.write_text("no certificate")
    found = await examine(driver_setup, ca_file=file)
    assert [f.verdict for f in found if f.check == "files"] == [GOOD, BAD]
    assert waiting(found) == {"tls": "files", "clock": "files", "token": "files", "api": "files"}


# --- hosts --------------------------------------------------------------------------------------------------


async def test_a_host_that_is_not_reached_is_named_with_its_key(driver_setup: DriverSetup) -> None:
    url = f"https://127.0.0.1:{free_port()}"
    found = await examine(driver_setup, calendar_url=url)
    assert "Connection refused" in only(found, "tls").text
    assert only(found, "token").verdict is GOOD
    assert waiting(found) == {"api": "tls"}
    found = await examine(driver_setup, token_url=f"{url}/token")
    assert waiting(found) == {"token": "tls", "api": "tls"}


async def test_a_clock_that_is_wrong_is_reported_before_the_sign_in_it_spoils(
    driver_setup: DriverSetup,
) -> None:
    found = await examine(driver_setup, ahead=2 * 3600)
    assert only(found, "clock").verdict is BAD
    assert "2 h ahead of the services'" in only(found, "clock").text


# --- the token ----------------------------------------------------------------------------------------------


async def test_the_remedy_for_a_deleted_key_is_a_new_one(driver_setup: DriverSetup) -> None:
    driver_setup.key_file()
    driver_setup.account.keys.clear()
    found = await examine(driver_setup)
    assert "invalid_grant" in only(found, "token").text
    assert "make a new key" in only(found, "token").remedy
    assert waiting(found) == {"api": "token"}


async def test_delegation_that_is_not_granted_names_client_id_and_scope(driver_setup: DriverSetup) -> None:
    found = await examine(driver_setup, subject=ADA)
    assert driver_setup.account.client_id in only(found, "token").remedy
    assert "calendar.events.readonly" in only(found, "token").remedy
    driver_setup.workspace.delegate(
        driver_setup.account, "https://www.googleapis.com/auth/calendar.events.readonly"
    )
    found = await examine(driver_setup, subject=ADA)
    assert only(found, "token").verdict is GOOD
    assert "acting for the user whom subject names" in only(found, "token").text


@pytest.mark.parametrize("row", TOKEN_ERRORS, ids=lambda row: f"{row.error} {row.described}".strip())
async def test_every_refusal_of_the_token_host_has_one_next_step(row: Any, driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.oauth(row.error, row.described.capitalize())
    found = await examine(driver_setup)
    token = only(found, "token")
    assert token.verdict is BAD
    assert row.error in token.text
    assert token.remedy.startswith(row.advice.partition("{")[0][:40])
    assert waiting(found) == {"api": "token"}


@pytest.mark.parametrize("status", [429, 503])
async def test_a_token_host_that_is_busy_asks_for_patience(status: int, driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.status(status, where=Where.TOKEN)
    found = await examine(driver_setup)
    assert only(found, "token").verdict is BAD
    assert "run placed doctor again" in only(found, "token").remedy


async def test_without_a_key_the_hosts_of_the_other_identity_are_looked_at(driver_setup: DriverSetup) -> None:
    identity = driver_setup.workspace.add_workload_identity(driver_setup.account)
    identity.subject_tokens.add("subject")
    subject, file = driver_setup.folder / "subject", driver_setup.folder / "identity.json"
    write_secret(subject, "subject")
    content = driver_setup.simulator.workload_identity_json(identity, driver_setup.account, subject)
    write_secret(file, content)
    keyless: dict[str, Any] = {"key_file": None, "workload_identity": file}
    found = await examine(driver_setup, **keyless)
    assert [finding.check for finding in found] == CHAIN
    assert set(verdicts(found).values()) == {GOOD}
    assert only(found, "key").text == f"none: another identity signs in as {driver_setup.account.email}"

    subject.unlink()
    found = await examine(driver_setup, **keyless)
    assert only(found, "token").verdict is BAD
    assert only(found, "token").remedy

    sts = json.loads(content)
    sts["token_url"] = f"https://127.0.0.1:{free_port()}/v1/token"
    file.write_text(json.dumps(sts))
    found = await examine(driver_setup, **keyless)
    assert "Connection refused" in only(found, "tls").text
    assert waiting(found) == {"token": "tls", "api": "tls"}

    file.unlink()
    found = await examine(driver_setup, **keyless)
    assert "create-cred-config" in only(found, "files").remedy


# --- the API ------------------------------------------------------------------------------------------------


async def test_an_api_that_is_not_enabled_names_the_page_that_enables_it(driver_setup: DriverSetup) -> None:
    driver_setup.account.project.apis.clear()
    found = await examine(driver_setup)
    assert verdicts(found) == {**dict.fromkeys(CHAIN, GOOD), "api": BAD}
    api = only(found, "api")
    assert "403 accessNotConfigured" in api.text
    assert (
        "https://console.cloud.google.com/apis/library/calendar-json.googleapis.com"
        f"?project={driver_setup.account.project.id}"
    ) in api.remedy


async def test_a_room_that_is_not_shared_is_no_fault_of_the_api(driver_setup: DriverSetup) -> None:
    for room in driver_setup.workspace.rooms():
        driver_setup.workspace.unshare(room, driver_setup.account)
    assert set(verdicts(await examine(driver_setup)).values()) == {GOOD}


async def test_an_api_that_limits_requests_is_doubtful(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.throttled()
    found = await examine(driver_setup)
    assert only(found, "api").verdict is DOUBTFUL
    assert "403 rateLimitExceeded" in only(found, "api").text


async def test_an_api_that_drops_connections_is_bad(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.drop(where=Where.API)
    assert only(await examine(driver_setup), "api").verdict is BAD
