"""The files of a connection: whether they are there, for whom, and until when the certificate is good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from cryptography import x509

from placed.driver import Finding, SettingsError, Verdict
from placed.driver.diagnosis import look_at_secrets, unreadable
from placed_microsoft365.auth.credential import judge_dates, load_credential
from placed_microsoft365.network.tls_and_proxy import tls_context

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from placed_microsoft365.auth.credential import Credential
    from placed_microsoft365.settings import Microsoft365Settings

NOTICE = timedelta(days=30)  # before its end a certificate is to be renewed
_CLOCK = "set this machine's clock: timedatectl set-ntp true"


@dataclass(frozen=True, slots=True)
class FileChecks:
    """What was found of a connection's files.

    Attributes:
        findings: all of them.
        no_credential: why the credential's file can not be read, or is not.
        no_ca: why the CA's file is of no use.
    """

    findings: tuple[Finding, ...]
    no_credential: Finding | None = None
    no_ca: Finding | None = None


def look_at_files(settings: Microsoft365Settings) -> FileChecks:
    """Tries them all."""
    key = "certificate" if settings.certificate is not None else "client_secret_file"
    path = settings.certificate or settings.client_secret_file
    if path is None:
        raise AssertionError("the settings see to it that there is a credential")
    make = "make the file" if settings.certificate is None else f"make it with placed setup {settings.name}"
    findings = look_at_secrets([(key, path)], make)
    no_credential = next((finding for finding in findings if finding.verdict is Verdict.BAD), None)
    no_ca = _problem_of_ca(settings.ca_file)
    return FileChecks((*findings, *([no_ca] if no_ca else [])), no_credential, no_ca)


def _problem_of_ca(path: Path | None) -> Finding | None:
    if path is None:
        return None
    try:
        path.read_bytes()
        tls_context(path)
    except OSError as error:
        return unreadable("ca_file", path, error)
    except SettingsError as error:
        remedy = "name the PEM file with the CA's certificate in ca_file"
        return Finding.of("files", Verdict.BAD, error.problem.line, remedy)
    return None


def look_at_credential(settings: Microsoft365Settings, now: datetime) -> tuple[Finding, Credential | None]:
    """Until when the certificate is good, and the credential if it can be used."""
    renew = f"make another with placed setup {settings.name} --renew, and register it with the application"
    try:
        credential = load_credential(settings)
        judge_dates(settings, credential, now)
    except SettingsError as error:
        remedy = _credential_remedy(settings, now, renew)
        return Finding.of("certificate", Verdict.BAD, error.problem.line, remedy), None
    ends = credential.expires_at
    if ends is None:
        said = "a client secret, of which nobody can tell when it ends"
        return Finding.of("certificate", Verdict.GOOD, said), credential
    said = f"good until {ends:%Y-%m-%d}, for {_days((ends - now).days)}"
    if ends - now <= NOTICE:
        return Finding.of("certificate", Verdict.DOUBTFUL, said, renew), credential
    return Finding.of("certificate", Verdict.GOOD, said), credential


def _credential_remedy(settings: Microsoft365Settings, now: datetime, renew: str) -> str:
    """What to do about a credential that is of no use."""
    if settings.certificate is None:
        return f"write the secret's value into {settings.client_secret_file}"
    try:
        found = x509.load_pem_x509_certificates(settings.certificate.read_bytes())
    except (OSError, ValueError):
        found = []
    if any(certificate.not_valid_after_utc <= now for certificate in found):
        return renew
    if any(certificate.not_valid_before_utc > now for certificate in found):
        return _CLOCK
    return f"make key and certificate with placed setup {settings.name}, and name the PEM file in certificate"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"
