"""The files of a connection's credential: missing, readable by others, expired or not yet valid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from placed.driver import Finding, Verdict
from placed_microsoft365.simulator import make_client_certificate
from tests.drivers.microsoft365.diagnosis.test_check_sequence import (
    BAD,
    DOUBTFUL,
    GOOD,
    certificate,
    examine,
    only,
    verdicts,
    waiting,
)
from tests.drivers.microsoft365.driver_setup import CERTIFICATE

if TYPE_CHECKING:
    from tests.drivers.microsoft365.driver_setup import DriverSetup


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
