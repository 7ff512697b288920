"""Who may see a calendar: its access control list, and the limit that the organisation puts on outsiders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

ScopeType = Literal["user", "group", "domain", "default"]


class Role(IntEnum):
    """What somebody may do with a calendar, weakest first."""

    NONE = 0
    FREE_BUSY_READER = 1
    READER = 2
    WRITER_WITHOUT_PRIVATE_ACCESS = 3
    WRITER = 4
    OWNER = 5

    @property
    def wire(self) -> str:
        """As the API spells it: `freeBusyReader`."""
        first, *rest = self.name.lower().split("_")
        return first + "".join(word.title() for word in rest)

    @classmethod
    def named(cls, wire: str) -> Role:
        """The role that the API spells like that.

        Raises:
            ValueError: there is none.
        """
        for role in cls:
            if role.wire == wire:
                return role
        raise ValueError(f"no role {wire!r}; one of {', '.join(role.wire for role in cls)}")


@dataclass(frozen=True, slots=True)
class AclRule:
    """One entry of a calendar's list; `value` is an address or a domain, empty for everybody."""

    scope: ScopeType
    value: str
    role: Role

    @property
    def id(self) -> str:
        """`user:ada@fabrikam.example`."""
        return self.scope if self.scope == "default" else f"{self.scope}:{self.value}"
