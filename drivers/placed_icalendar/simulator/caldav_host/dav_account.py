"""The account with which the simulated CalDAV server is asked, and what is shared with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Access = Literal["read", "write"]


@dataclass(slots=True)
class DavAccount:
    """The account.

    Attributes:
        locked: whether every sign-in is refused, though the password is right.
        digest: whether the server offers Digest authentication only.
        shares: what it may read, or also change, by the names of calendars.
        reads_for: names of people for whom it is a delegate, as the property calendar-proxy-read-for.
        writes_for: the same for calendar-proxy-write-for.
        sees_principals: whether it may list the principals of all people.
        names_principal: whether the server names its principal.
        names_home: whether the principal names a home.
        home_at: scheme and host before the home's address, in place of none.
        own_calendar: whether its home has a calendar of its own, as Nextcloud makes one for each user.
    """

    user: str = "placed"
    password: str = "horse-battery"  # noqa: S105 - of a simulated server
    locked: bool = False
    digest: bool = False
    shares: dict[str, Access] = field(default_factory=dict)
    reads_for: list[str] = field(default_factory=list)
    writes_for: list[str] = field(default_factory=list)
    sees_principals: bool = False
    names_principal: bool = True
    names_home: bool = True
    home_at: str = ""
    own_calendar: bool = False

    def share(self, name: str, access: Access = "read") -> None:
        """Shares a calendar with it."""
        self.shares[name] = access

    def unshare(self, name: str) -> None:
        """Takes that back."""
        self.shares.pop(name, None)
