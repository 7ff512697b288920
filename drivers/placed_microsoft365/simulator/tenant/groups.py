"""Groups and room lists, and who is in them since when.

The directory shows a change of membership at once; a fence that refers to the group may see it later, which
is why a membership carries the moments from and until which a policy counts it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Membership:
    """One member: `key` is the address of a mailbox or of a group, in lower case."""

    key: str
    counts_from: datetime | None = None
    counts_until: datetime | None = None

    @property
    def listed(self) -> bool:
        """Whether the directory shows it."""
        return self.counts_until is None

    def counts(self, at: datetime) -> bool:
        """Whether a policy counts it at the moment."""
        began = self.counts_from is None or self.counts_from <= at
        over = self.counts_until is not None and self.counts_until <= at
        return began and not over


@dataclass(slots=True, kw_only=True)
class Group:
    """A mail-enabled security group, or, with `room_list`, a distribution group of rooms."""

    address: str
    group_id: str
    name: str
    room_list: bool = False
    memberships: dict[str, Membership] = field(default_factory=dict)
    subgroups: set[str] = field(default_factory=set)

    def listed(self) -> list[str]:
        """Addresses of the direct members that the directory shows."""
        return [member.key for member in self.memberships.values() if member.listed]

    def rename(self, before: str, after: str) -> None:
        """A member has another address; since when it is one stays."""
        self.memberships = {
            (after if key == before else key): replace(one, key=after) if key == before else one
            for key, one in self.memberships.items()
        }


def covers(groups: dict[str, Group], group: str, mailbox: str, at: datetime, *, nested: bool) -> bool:
    """Whether a policy on the group counts the mailbox at the moment.

    An application access policy looks into nested groups; RBAC for Applications sees direct members only
    (Microsoft: New-ApplicationAccessPolicy; RBAC for Applications). A group that is gone covers nobody.
    """
    seen = {group}
    pending = [group]
    while pending:
        current = groups.get(pending.pop())
        if current is None:
            continue
        member = current.memberships.get(mailbox)
        if member is not None and member.counts(at):
            return True
        if nested:
            inner = {key for key in current.subgroups if current.memberships[key].counts(at)} - seen
            seen |= inner
            pending += inner
    return False
