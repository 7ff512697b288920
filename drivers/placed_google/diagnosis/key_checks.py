"""Checks the files of a connection, and what the key is of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed.driver import Finding, SettingsError, Verdict
from placed.driver.host_checks import problem_of_ca
from placed.driver.shared_findings import blocked, look_at_secrets
from placed_google.auth.key_file import ServiceAccountKey
from placed_google.client_factory import load_credential

if TYPE_CHECKING:
    from placed_google.auth.external_account import ExternalAccount
    from placed_google.settings import GoogleSettings

_PROJECT = re.compile(r".+@([a-z][a-z0-9-]*)\.iam\.gserviceaccount\.com")
_CREATE = "create it with gcloud iam workload-identity-pools create-cred-config"
_NEW_KEY = "make it with create-project.sh of the folder that placed setup {} writes"


@dataclass(frozen=True, slots=True)
class KeyChecks:
    """The result of all checks of files.

    Attributes:
        findings: `files`, and `key` last.
        credential: the key, or the configuration that takes its place; None if it cannot be used.
        no_ca: why the CA file cannot be used.
    """

    findings: tuple[Finding, ...]
    credential: ServiceAccountKey | ExternalAccount | None
    no_ca: Finding | None


def look_at_files(settings: GoogleSettings) -> KeyChecks:
    """Runs all checks of files."""
    no_ca = problem_of_ca(settings.ca_file)
    also = [no_ca] if no_ca else []
    name = "key_file" if settings.key_file is not None else "workload_identity"
    path = settings.key_file or settings.workload_identity
    if path is None:
        raise AssertionError("the settings require a credential")
    make = _NEW_KEY.format(settings.name) if settings.key_file is not None else _CREATE
    files = look_at_secrets([(name, path)], make)
    unusable = next((finding for finding in files if finding.verdict is Verdict.BAD), None)
    if unusable is not None:
        return KeyChecks((*files, *also, blocked("key", unusable)), None, no_ca)
    try:
        credential = load_credential(settings)
    except SettingsError as error:
        bad = Finding("key", Verdict.BAD, error.problem)
        return KeyChecks((*files, *also, bad), None, no_ca)
    return KeyChecks((*files, *also, _judge(credential)), credential, no_ca)


def _judge(key: ServiceAccountKey | ExternalAccount) -> Finding:
    """Returns the finding for a credential that can be used."""
    if not isinstance(key, ServiceAccountKey):
        return Finding.of("key", Verdict.GOOD, f"none: another identity signs in as {key.email}")
    named = _PROJECT.fullmatch(key.email)
    if named is not None and key.project and named[1] != key.project:
        text = f"of {key.email}, and names the project {key.project}: it was edited"
        return Finding.of("key", Verdict.DOUBTFUL, text, "download the key again as JSON")
    return Finding.of("key", Verdict.GOOD, f"of {key.email}")
