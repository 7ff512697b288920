"""The key file of a service account: who signs in, and with which private key."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from placed.driver import Problem, SettingsError, read_file
from placed.driver.rsa_key import is_consistent

if TYPE_CHECKING:
    from pathlib import Path

_TYPE = "service_account"
_DOWNLOAD = "download the key again as JSON, or create a new one for the service account"


class _KeyFile(msgspec.Struct):
    """The file's fields that are used."""

    type: str = ""
    client_email: str = ""
    client_id: str = ""
    private_key: str = ""
    private_key_id: str = ""
    project_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - a URL


@dataclass(frozen=True, slots=True)
class ServiceAccountKey:
    """A service account and its key.

    Attributes:
        email: its address, which the rooms are shared with.
        client_id: the account's number, by which delegation is granted.
        key_id: the id of the key.
        project: the id of the account's project in Google Cloud.
        token_url: the token endpoint.
    """

    email: str
    client_id: str
    key_id: str
    project: str
    token_url: str
    private_key: RSAPrivateKey = field(repr=False, compare=False)  # `key_id` identifies the key


def load_key(path: Path) -> ServiceAccountKey:
    """Reads a key file.

    Raises:
        SettingsError: it is missing, unreadable, readable by other users, or no key of a service account.
    """
    content = read_file("key_file", path)
    try:
        found = msgspec.json.decode(content, type=_KeyFile)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _invalid(f"{path} is no key file: expected JSON", _DOWNLOAD) from None
    if found.type != _TYPE:
        raise _invalid(f'{path} is of another type: expected "type": "{_TYPE}"', _DOWNLOAD)
    if missing := [name for name in ("client_email", "private_key") if not getattr(found, name)]:
        raise _invalid(f"{path} lacks {' and '.join(missing)}", _DOWNLOAD)
    return ServiceAccountKey(
        email=found.client_email,
        client_id=found.client_id,
        key_id=found.private_key_id,
        project=found.project_id,
        token_url=_token_url(path, found.token_uri),
        private_key=_private_key(path, found.private_key),
    )


def _private_key(path: Path, pem: str) -> RSAPrivateKey:
    try:
        # `is_consistent` checks it instead: proving its primes takes a tenth of the start-up time.
        key = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise _invalid(f"{path}: private_key is no private key in PEM", _DOWNLOAD) from None
    if not isinstance(key, RSAPrivateKey):
        raise _invalid(f"{path}: private_key is no RSA key", _DOWNLOAD)
    if not is_consistent(key):
        raise _invalid(f"{path}: private_key is damaged; its numbers do not agree", _DOWNLOAD)
    return key


def _token_url(path: Path, url: str) -> str:
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "https" and parts.hostname and parts.username is None and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise _invalid(f"{path}: token_uri is no https address", _DOWNLOAD)
    return url


def _invalid(text: str, remedy: str) -> SettingsError:
    return SettingsError(Problem("key_file", text, remedy))
