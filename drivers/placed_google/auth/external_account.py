"""The file of workload identity federation: where another identity's token comes from, and what it is for.

Source: Google, "Workload identity federation", and AIP-4117.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from placed.driver import Problem, SettingsError, read_file

if TYPE_CHECKING:
    from pathlib import Path

_TYPE = "external_account"
_CREATE = "create it with gcloud iam workload-identity-pools create-cred-config --service-account=…"
_ACCOUNT = re.compile(r"/serviceAccounts/([^/]+):generateAccessToken")
_NAME, _VALUE = re.compile(r"[!#$%&'*+.^_`|~\w-]+", re.ASCII), re.compile(r"[\t -~]*")  # RFC 9110
_PROJECT = re.compile(r"/projects/([^/]+)/")


class TokenFormat(msgspec.Struct, frozen=True):
    """Whether the subject token is the whole text, or a field of JSON."""

    type: str = "text"
    subject_token_field_name: str = ""


class CredentialSource(msgspec.Struct, frozen=True):
    """Where the subject token comes from: a file, or a URL."""

    file: str | None = None
    url: str | None = None
    headers: dict[str, str] = {}
    format: TokenFormat = TokenFormat()


class ExternalAccount(msgspec.Struct, frozen=True):
    """The file's content."""

    audience: str
    subject_token_type: str
    token_url: str
    service_account_impersonation_url: str
    credential_source: CredentialSource
    type: str = ""

    @property
    def email(self) -> str:
        """The address of the service account."""
        found = _ACCOUNT.search(self.service_account_impersonation_url)
        return unquote(found[1]) if found else ""

    @property
    def project(self) -> str:
        """The number of the project of the identity pool."""
        found = _PROJECT.search(self.audience)
        return found[1] if found else ""


def load_external_account(path: Path) -> ExternalAccount:
    """Reads the file.

    Raises:
        SettingsError: it is missing, unreadable, readable by other users, or of another kind.
    """
    content = read_file("workload_identity", path)
    try:
        found = msgspec.json.decode(content, type=ExternalAccount)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _invalid(
            f"{path} is no configuration of workload identity federation with a service account"
        ) from None
    if found.type != _TYPE:
        raise _invalid(f'{path} is of another type: expected "type": "{_TYPE}"')
    if not found.email:
        raise _invalid(f"{path}: service_account_impersonation_url names no service account")
    if not (_is_url(found.token_url) and _is_url(found.service_account_impersonation_url)):
        raise _invalid(f"{path}: token_url and service_account_impersonation_url are https addresses")
    source = found.credential_source
    if (source.file is None) == (source.url is None):
        raise _invalid(
            f"{path}: credential_source has neither file nor url, or both; others are not supported"
        )
    if source.url is not None and not _is_url(source.url, "http", "https"):
        raise _invalid(f"{path}: credential_source.url is no http address")
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(text) for name, text in source.headers.items()):
        raise _invalid(f"{path}: credential_source.headers are no headers of HTTP")
    return found


def _is_url(url: str, *schemes: str) -> bool:
    """Returns whether it is a URL without credentials; by default of https."""
    try:
        parts = urlsplit(url)
        is_host = bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False
    return is_host and parts.scheme in (schemes or ("https",))


def _invalid(text: str) -> SettingsError:
    return SettingsError(Problem("workload_identity", text, _CREATE))
