"""Every link of a connection is checked: each broken one is reported once, with a remedy."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from placed.driver import Finding, OffersDiagnosis, Surroundings, Verdict, find_drivers
from placed_microsoft365.auth.token_claims import Claims
from placed_microsoft365.diagnosis import Examination
from placed_microsoft365.diagnosis.token_claim_checks import judge_claims
from tests.drivers.microsoft365.driver_setup import ADA, CERTIFICATE
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from tests.drivers.microsoft365.driver_setup import DriverSetup


GOOD, DOUBTFUL, BAD = Verdict.GOOD, Verdict.DOUBTFUL, Verdict.BAD
CHAIN = ["files", "certificate", "dns", "tls", "clock", "token", "claims"]
RBAC = {"kind": "rbac"}


async def examine(driver_setup: DriverSetup, *, ahead: float = 0.0, **changes: Any) -> list[Finding]:
    """What is found by a machine whose clock is so many seconds ahead."""

    def now() -> datetime:
        return driver_setup.clock() + timedelta(seconds=ahead)

    settings = driver_setup.settings(**changes)
    examination = Examination(settings, Surroundings(now, 8, details=False, version="1.2.3"))
    found = [finding async for finding in examination.examine()]
    reported = "\n".join(f"{finding.text} {finding.remedy}" for finding in found)
    assert "s3cret" not in reported
    assert "@" not in reported
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


def certificate(driver_setup: DriverSetup, pem: bytes = CERTIFICATE, mode: int = 0o600) -> dict[str, Any]:
    """The settings that name a certificate."""
    path = driver_setup.folder / "contoso.pem"
    write_secret(path, pem)
    path.chmod(mode)
    return {"client_secret_file": None, "certificate": path}


# --- all good -----------------------------------------------------------------------------------------------


async def test_without_errors_every_check_passes_with_one_sign_in(driver_setup: DriverSetup) -> None:
    found = await examine(driver_setup, **certificate(driver_setup))
    assert [finding.check for finding in found] == CHAIN
    assert set(verdicts(found).values()) == {GOOD}
    assert not any(finding.remedy or finding.blocked_by for finding in found)
    assert "proven by a certificate" in only(found, "claims").text
    assert "2035-12-30" in only(found, "certificate").text
    assert driver_setup.sign_ins == 1


async def test_a_secret_passes_although_its_expiry_is_unknown(driver_setup: DriverSetup) -> None:
    found = await examine(driver_setup)
    assert set(verdicts(found).values()) == {GOOD}
    assert only(found, "certificate").text == "a client secret, whose end is not known here"
    assert "proven by a secret" in only(found, "claims").text


async def test_it_is_what_the_entry_point_gives(driver_setup: DriverSetup) -> None:
    kind = find_drivers()["microsoft365"]
    assert isinstance(kind, OffersDiagnosis)
    diagnosis = kind.diagnosis(
        driver_setup.settings(), Surroundings(driver_setup.clock, 8, details=False, version="1.2.3")
    )
    assert [finding.check async for finding in diagnosis.examine()] == CHAIN


# --- sign-in and claims -------------------------------------------------------------------------------------


async def test_a_wrong_secret_is_tried_once_and_reported_with_its_remedy(driver_setup: DriverSetup) -> None:
    wrong = driver_setup.folder / "wrong"
    write_secret(wrong, "s3cret of somebody else")
    found = await examine(driver_setup, client_secret_file=wrong)
    token = only(found, "token")
    assert token.text == "sign-in refused: AADSTS7000215"
    assert "write the secret's value" in token.remedy
    assert waiting(found) == {"claims": "token"}
    assert driver_setup.sign_ins == 1


async def test_an_unknown_client_id_is_reported(driver_setup: DriverSetup) -> None:
    found = await examine(driver_setup, client_id="12345678-1234-1234-1234-123456789abc")
    assert only(found, "token").text == "sign-in refused: AADSTS700016"
    assert "client_id" in only(found, "token").remedy
    assert waiting(found) == {"claims": "token"}


async def test_a_grant_that_is_missing_is_named_with_the_command_that_gets_it(
    driver_setup: DriverSetup,
) -> None:
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read", "GroupMember.Read.All", "Place.Read.All")
    claims = only(await examine(driver_setup), "claims")
    assert (claims.verdict, claims.text) == (BAD, "not granted: Calendars.Read")
    assert "placed consent contoso" in claims.remedy
    found = await examine(driver_setup, rooms=None, room_group="placed-rooms@contoso.example")
    assert only(found, "claims").text == "not granted: Calendars.Read, GroupMember.Read.All"


async def test_more_than_is_needed_is_named(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.grant(driver_setup.app, "Mail.Read", "Calendars.ReadWrite")
    claims = only(await examine(driver_setup), "claims")
    assert claims.verdict is DOUBTFUL
    assert claims.text == "more than placed asks for is granted: Calendars.ReadWrite, Mail.Read"
    assert "remove these permissions" in claims.remedy


async def test_under_rbac_a_grant_in_entra_is_one_too_many(driver_setup: DriverSetup) -> None:
    claims = only(await examine(driver_setup, fence=RBAC), "claims")
    assert claims.verdict is DOUBTFUL
    assert "cancels the scope" in claims.text
    assert "remove Calendars.Read" in claims.remedy
    driver_setup.tenant.revoke(driver_setup.app, "Calendars.Read", "GroupMember.Read.All", "Place.Read.All")
    assert only(await examine(driver_setup, fence=RBAC), "claims").verdict is GOOD


@pytest.mark.parametrize(
    ("claims", "reported"),
    [
        (Claims(tenant="11111111-1111-1111-1111-111111111111"), "of the tenant 11111111"),
        (Claims(application="12345678-1234-1234-1234-123456789abc"), "of the application 12345678"),
    ],
)
def test_a_token_of_another_app_is_reported(driver_setup: DriverSetup, claims: Claims, reported: str) -> None:
    claims = replace(claims, roles=("Calendars.Read",))
    (finding,) = judge_claims(driver_setup.settings(), claims, driver_setup.tenant.tenant_id)
    assert finding.verdict is BAD
    assert reported in finding.text


def test_an_opaque_token_is_no_failure(driver_setup: DriverSetup) -> None:
    (finding,) = judge_claims(driver_setup.settings(), None, None)
    assert finding.verdict is GOOD


def test_a_sufficient_smaller_permission_passes(driver_setup: DriverSetup) -> None:
    settings = driver_setup.settings(rooms=None, room_group="placed-rooms@contoso.example")
    (finding,) = judge_claims(settings, Claims(roles=("Calendars.Read", "GroupMember.ReadBasic.All")), None)
    assert finding.verdict is GOOD


def test_persons_are_not_named(driver_setup: DriverSetup) -> None:
    fence = {"kind": "access-policy", "canaries": (ADA,)}
    (finding,) = judge_claims(driver_setup.settings(fence=fence), Claims(roles=("Calendars.Read",)), None)
    assert ADA not in str(finding)
