"""Every link of a connection is checked: each broken one is reported once, with a remedy."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from placed.driver import Finding, OffersDiagnosis, Surroundings, Verdict, find_drivers
from placed_microsoft365.auth.token_claims import Claims
from placed_microsoft365.diagnosis import Examination
from placed_microsoft365.diagnosis.token_claim_checks import judge_claims
from placed_microsoft365.simulator import make_client_certificate
from tests.drivers.microsoft365.driver_setup import ADA, CERTIFICATE
from tests.support.free_ports import free_port
from tests.support.mosquitto import Authority
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

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


# --- files and certificate ----------------------------------------------------------------------------------


async def test_a_file_that_is_not_there_keeps_from_signing_in_and_nothing_else(
    driver_setup: DriverSetup,
) -> None:
    nothing = driver_setup.folder / "nothing"
    found = await examine(driver_setup, client_secret_file=nothing)
    files = only(found, "files")
    assert files.text == f"client_secret_file: {nothing}: No such file or directory"
    assert files.remedy == "make the file, or correct client_secret_file"
    assert waiting(found) == {"certificate": "files", "token": "files", "claims": "files"}
    assert {verdicts(found)[check] for check in ("dns", "tls", "clock")} == {GOOD}
    assert driver_setup.sign_ins == 0


async def test_a_certificate_that_is_not_there_is_made_by_placed_setup(driver_setup: DriverSetup) -> None:
    found = await examine(
        driver_setup, client_secret_file=None, certificate=driver_setup.folder / "nothing.pem"
    )
    assert only(found, "files").remedy == "make it with placed setup contoso, or correct certificate"


async def test_a_credential_available_only_to_the_service_is_reported_with_a_remedy(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    found = await examine(driver_setup, client_secret_file="$CREDENTIALS_DIRECTORY/secrets_contoso")
    assert "$CREDENTIALS_DIRECTORY is set for the service only" in only(found, "files").text
    assert "systemd-run" in only(found, "files").remedy


@pytest.mark.parametrize(
    ("mode", "verdict"), [(0o600, GOOD), (0o400, GOOD), (0o640, DOUBTFUL), (0o604, BAD), (0o666, BAD)]
)
async def test_a_private_key_readable_by_others_is_reported(
    driver_setup: DriverSetup, mode: int, verdict: Verdict
) -> None:
    found = await examine(driver_setup, **certificate(driver_setup, mode=mode))
    files = only(found, "files")
    assert files.verdict is verdict
    assert files.remedy == ("" if verdict is GOOD else f"chmod 600 {driver_setup.folder / 'contoso.pem'}")
    used = verdict is not BAD  # a group may be meant
    assert waiting(found) == ({} if used else dict.fromkeys(("certificate", "token", "claims"), "files"))
    assert driver_setup.sign_ins == used


async def test_what_systemd_keeps_is_not_judged_by_its_mode(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(driver_setup.folder))
    found = await examine(driver_setup, **certificate(driver_setup, mode=0o444))
    assert only(found, "files") == Finding.of("files", GOOD, "certificate is kept by systemd")


async def test_an_expired_certificate_is_reported_and_not_used(driver_setup: DriverSetup) -> None:
    pem = make_client_certificate(
        key_size=2048, valid_from=datetime(2025, 1, 1, tzinfo=UTC), lifetime=timedelta(days=365)
    )
    found = await examine(driver_setup, **certificate(driver_setup, pem))
    reported = only(found, "certificate")
    assert reported.verdict is BAD
    assert "expired on 2026-01-01" in reported.text
    assert "placed setup contoso --renew" in reported.remedy
    assert waiting(found) == {"token": "certificate", "claims": "certificate"}
    assert driver_setup.sign_ins == 0


@pytest.mark.parametrize(("days", "verdict"), [(31, GOOD), (30, DOUBTFUL), (1, DOUBTFUL)])
async def test_a_certificate_is_to_be_renewed_thirty_days_ahead(
    driver_setup: DriverSetup, days: int, verdict: Verdict
) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    pem = make_client_certificate(
        key_size=2048, valid_from=began, lifetime=driver_setup.clock() - began + timedelta(days=days)
    )
    reported = only(await examine(driver_setup, **certificate(driver_setup, pem)), "certificate")
    assert reported.verdict is verdict
    assert f"for {days} day" in reported.text
    assert ("--renew" in reported.remedy) == (verdict is DOUBTFUL)


async def test_a_certificate_that_is_not_valid_yet_is_a_matter_of_the_clock(
    driver_setup: DriverSetup,
) -> None:
    pem = make_client_certificate(key_size=2048, valid_from=datetime(2027, 1, 1, tzinfo=UTC))
    reported = only(await examine(driver_setup, **certificate(driver_setup, pem)), "certificate")
    assert (reported.verdict, reported.remedy) == (BAD, "set this machine's clock: timedatectl set-ntp true")


@pytest.mark.parametrize("content", [b"", b"no PEM", CERTIFICATE[: CERTIFICATE.index(b"-----BEGIN CERT")]])
async def test_a_file_without_key_and_certificate_is_reported(
    driver_setup: DriverSetup, content: bytes
) -> None:
    found = await examine(driver_setup, **certificate(driver_setup, content))
    assert only(found, "certificate").verdict is BAD
    assert "placed setup contoso" in only(found, "certificate").remedy
    assert waiting(found) == {"token": "certificate", "claims": "certificate"}


# --- network ------------------------------------------------------------------------------------------------


async def test_an_unresolved_host_name_is_reported(driver_setup: DriverSetup) -> None:
    found = await examine(driver_setup, authority="https://login..example")
    assert only(found, "dns").text == "login..example: no host can have this name"
    assert only(found, "dns").remedy.startswith("correct authority in the settings")
    assert waiting(found) == {"tls": "dns", "token": "dns", "claims": "dns"}
    assert verdicts(found)["clock"] is GOOD  # Graph's answers have the time as well


async def test_services_of_another_ca_are_not_trusted(driver_setup: DriverSetup, tmp_path: Path) -> None:
    found = await examine(driver_setup, ca_file=Authority(tmp_path / "stranger").ca_file)
    tls = only(found, "tls")
    assert tls.verdict is BAD
    assert "its certificate is not trusted" in tls.text
    assert tls.remedy == "set ca_file to the CA that signed it, or correct the address"
    assert waiting(found) == {"clock": "tls", "token": "tls", "claims": "tls"}
    assert driver_setup.sign_ins == 0


@pytest.mark.parametrize(
    ("issued", "reported", "remedy"),
    [
        (("elsewhere.example", -9, 9), "Hostname mismatch", "set authority to the name that the certificate"),
        (("localhost", -9, -1), "certificate has expired", "have the operator of localhost"),
        (("localhost", 1, 9), "certificate is not yet valid", "set this machine's clock: timedatectl"),
    ],
)
async def test_the_reason_of_an_untrusted_certificate_is_reported(
    driver_setup: DriverSetup, tmp_path: Path, issued: tuple[str, int, int], reported: str, remedy: str
) -> None:
    name, since, until = issued
    stranger, today = Authority(tmp_path / "stranger"), datetime.now(UTC)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    stranger.ca.issue_cert(
        name, not_before=today + timedelta(days=since), not_after=today + timedelta(days=until)
    ).configure_cert(context)
    async with await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0, ssl=context) as host:
        url = f"https://localhost:{host.sockets[0].getsockname()[1]}"
        found = await examine(driver_setup, authority=url, graph=url, ca_file=stranger.ca_file)
    tls = only(found, "tls")
    assert reported in tls.text
    assert tls.remedy.startswith(remedy)
    assert waiting(found) == {"clock": "tls", "token": "tls", "claims": "tls"}


async def test_a_ca_file_without_a_certificate_is_reported(driver_setup: DriverSetup) -> None:
    empty = driver_setup.folder / "empty.pem"
    empty.touch()
    found = await examine(driver_setup, ca_file=empty)
    assert [f.verdict for f in found if f.check == "files"] == [GOOD, BAD]
    assert waiting(found) == {"tls": "files", "clock": "files", "token": "files", "claims": "files"}


async def test_unreachable_services_are_reported(driver_setup: DriverSetup) -> None:
    async with driver_setup.simulator.outage():
        found = await examine(driver_setup)
    tls = only(found, "tls")
    assert "Connection refused" in tls.text
    assert tls.remedy.startswith("let this machine reach localhost")
    assert waiting(found) == {"clock": "tls", "token": "tls", "claims": "tls"}


async def test_an_unreachable_proxy_is_reported(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://somebody:hush@127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    found = await examine(driver_setup)
    assert only(found, "dns").text == "127.0.0.1, the proxy: found"
    assert "refuses connections" in only(found, "tls").text
    assert only(found, "tls").remedy.startswith("start the proxy, or correct HTTPS_PROXY")
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    ("ahead", "verdict", "reported"),
    [
        (0, GOOD, "within 1 s of the services'"),
        (50, GOOD, "within 50 s of the services'"),
        (90, DOUBTFUL, "1 min 30 s ahead of the services'"),
        (-200, DOUBTFUL, "3 min 20 s behind the services'"),
        (600, BAD, "10 min 0 s ahead of the services': TLS may take valid certificates for invalid"),
        (-86_400, BAD, "24 h behind the services': TLS may take valid certificates for invalid"),
    ],
)
async def test_the_clock_is_held_against_the_services(
    driver_setup: DriverSetup, ahead: int, verdict: Verdict, reported: str
) -> None:
    found = await examine(driver_setup, ahead=ahead + 0.5)
    clock = only(found, "clock")
    assert (clock.verdict, clock.text) == (verdict, reported)
    assert ("timedatectl" in clock.remedy) == (verdict is not GOOD)
    assert waiting(found) == {}


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
