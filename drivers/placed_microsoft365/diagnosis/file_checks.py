"""Checks the files of a connection: existence, permissions, and the certificate's validity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509

from placed.driver import SET_CLOCK, Finding, SettingsError, Verdict
from placed.driver.host_checks import problem_of_ca
from placed.driver.shared_findings import look_at_secrets
from placed_microsoft365.auth.credential import check_dates, load_credential

if TYPE_CHECKING:
    from datetime import datetime

    from placed_microsoft365.auth.credential import Credential
    from placed_microsoft365.settings import Microsoft365Settings

NOTICE = timedelta(days=30)  # before its end a certificate should be renewed


@dataclass(frozen=True, slots=True)
class FileChecks:
    """The result of all file checks.

    Attributes:
        findings: all findings.
        no_credential: why the credential cannot be used.
        no_ca: why the CA file cannot be used.
    """

    findings: tuple[Finding, ...]
    no_credential: Finding | None = None
    no_ca: Finding | None = None


def look_at_files(settings: Microsoft365Settings) -> FileChecks:
    """Runs all file checks."""
    key = "certificate" if settings.certificate is not None else "client_secret_file"
    path = settings.certificate or settings.client_secret_file
    if path is None:
        raise AssertionError("the settings require a credential")
    make = "make the file" if settings.certificate is None else f"make it with placed setup {settings.name}"
    findings = look_at_secrets([(key, path)], make)
    no_credential = next((finding for finding in findings if finding.verdict is Verdict.BAD), None)
    no_ca = problem_of_ca(settings.ca_file)
    return FileChecks((*findings, *([no_ca] if no_ca else [])), no_credential, no_ca)


def look_at_credential(settings: Microsoft365Settings, now: datetime) -> tuple[Finding, Credential | None]:
    """Returns the finding about the certificate's end, and the credential if it can be used."""
    renew = f"create another with placed setup {settings.name} --renew, and register it with the application"
    try:
        credential = load_credential(settings)
        check_dates(settings, credential, now)
    except SettingsError as error:
        remedy = _credential_remedy(settings, now, renew)
        return Finding.of("certificate", Verdict.BAD, error.problem.line, remedy), None
    ends = credential.expires_at
    if ends is None:
        text = "a client secret, whose end is not known here"
        return Finding.of("certificate", Verdict.GOOD, text), credential
    text = f"valid until {ends:%Y-%m-%d}, for {_days((ends - now).days)}"
    if ends - now <= NOTICE:
        return Finding.of("certificate", Verdict.DOUBTFUL, text, renew), credential
    return Finding.of("certificate", Verdict.GOOD, text), credential


def _credential_remedy(settings: Microsoft365Settings, now: datetime, renew: str) -> str:
    """Returns how to fix an unusable credential."""
    if settings.certificate is None:
        return f"write the secret's value into {settings.client_secret_file}"
    try:
        found = x509.load_pem_x509_certificates(settings.certificate.read_bytes())
    except (OSError, ValueError):
        found = []
    if any(certificate.not_valid_after_utc <= now for certificate in found):
        return renew
    if any(certificate.not_valid_before_utc > now for certificate in found):
        return SET_CLOCK
    return (
        f"create key and certificate with placed setup {settings.name}, and name the PEM file in certificate"
    )


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
