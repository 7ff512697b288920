"""Projects of Google Cloud, their service accounts, and the keys of these."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if TYPE_CHECKING:
    from collections.abc import Iterable

CALENDAR_API = "calendar-json.googleapis.com"
DIRECTORY_API = "admin.googleapis.com"
APIS = (CALENDAR_API, DIRECTORY_API)
MOST_KEYS = 10
AUDIENCE = "https://oauth2.googleapis.com/token"


@dataclass(slots=True, kw_only=True)
class Project:
    """A project and the APIs that are enabled in it."""

    id: str
    number: int
    apis: set[str] = field(default_factory=lambda: set(APIS))


@dataclass(slots=True, kw_only=True)
class ServiceAccount:
    """An account for programs.

    Attributes:
        client_id: the number that delegation is granted to.
        managed_key: the key with which Google signs for it, once somebody has asked for that.
        keys: the public keys by their ids.
        delegated: the scopes for which it may act as any user of the domain.
        disabled: its keys give no tokens.
        reads_directory: an administrator's role for buildings and resources was assigned to it.
    """

    email: str
    client_id: str
    project: Project
    managed_key: RSAPrivateKey | None = None
    keys: dict[str, RSAPublicKey] = field(default_factory=dict)
    delegated: set[str] = field(default_factory=set)
    disabled: bool = False
    reads_directory: bool = False


def make_private_key(key_size: int = 2048) -> RSAPrivateKey:
    """A key as the console makes one."""
    return generate_private_key(public_exponent=65537, key_size=key_size)


def key_file_json(account: ServiceAccount, key_id: str, private: RSAPrivateKey, token_uri: str) -> str:
    """The JSON file that a browser downloads when a key is made."""
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps(
        {
            "type": "service_account",
            "project_id": account.project.id,
            "private_key_id": key_id,
            "private_key": pem,
            "client_email": account.email,
            "client_id": account.client_id,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        },
        indent=2,
    )


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: a service account, as itself or as the user it names, within some scopes."""

    account: ServiceAccount
    scopes: frozenset[str]
    subject: str | None = None

    @property
    def identity(self) -> str:
        """The address that calendars are shared with."""
        return self.subject if self.subject is not None else self.account.email

    def has(self, scopes: Iterable[str]) -> bool:
        """Whether the token is good for one of these scopes."""
        return not self.scopes.isdisjoint(scopes)
