"""The names of the service account and its project, and their rules.

Sources: Google Cloud, "Creating and managing projects" (ids of projects) and "Create service accounts".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

PREFIX = "placed-"
_SUFFIX = "-actions"
_ID = r"[a-z][a-z0-9-]{4,28}[a-z0-9]"  # of 6 to 30 characters, both for projects and for accounts
_PROJECT = re.compile(_ID)
_ACCOUNT = re.compile(rf"({_ID})@({_ID})\.iam\.gserviceaccount\.com")
LONGEST_CONNECTION = 30 - len(PREFIX)
LONGEST_WITH_ACTIONS = LONGEST_CONNECTION - len(_SUFFIX)


def registration_name(connection: str, *, actions: bool) -> str:
    """Returns what the key is named after: a connection has one that reads, and perhaps one of actions."""
    return f"{connection}{_SUFFIX}" if actions else connection


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account, which may not exist yet.

    Attributes:
        account_id: what is before the @ of its address.
        project: the id of its project.
    """

    account_id: str
    project: str

    @classmethod
    def for_connection(cls, connection: str, project: str, *, actions: bool = False) -> Self:
        """Returns the account that a new connection gets: the one that reads, or the one of actions."""
        name = f"{PREFIX}{connection.replace('_', '-')}".rstrip("-")
        return cls(registration_name(name, actions=actions), project)

    @classmethod
    def parse(cls, address: str) -> Self | None:
        """Returns the account with that address; None if no account can have it."""
        found = _ACCOUNT.fullmatch(address)
        return cls(found[1], found[2]) if found else None

    @property
    def address(self) -> str:
        """Its address, which calendars are shared with."""
        return f"{self.account_id}@{self.project}.iam.gserviceaccount.com"


def is_project(text: str) -> bool:
    """Whether it can be the id of a project."""
    return _PROJECT.fullmatch(text) is not None
