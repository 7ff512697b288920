"""The result of a trial of the fence."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from placed.domain.problem import Problem


class FenceState(StrEnum):
    """What is known about the limit on what the registration may read. The gravest that is the case."""

    UNPROVEN = "unproven"  # no canary is configured, none was tried yet, or a trial was no proof
    VERIFIED = "verified"  # every canary was refused by the service, and a room was readable beside them
    EXCESS = "excess"  # no canary was readable, yet the registration holds permissions that nobody asked for
    BREACHED = "breached"  # a canary was readable


class Fence(msgspec.Struct, frozen=True):
    """The result of a trial of the fence.

    Attributes:
        checked_at: when every canary was last tried; None if none was.
        enforce: whether a breach ends the reading of this connection.
        excess: permissions that the registration holds beyond what it needs, by the service's names.
        warnings: why it is not proven, and what else is wrong with it.
        awaits_rooms: whether it is not proven since no room was readable either. It has to be tried again
            before the first room that is gets published.
        remedy: what to do about a breach, in the service's own terms.
    """

    state: FenceState
    checked_at: datetime | None = None
    enforce: bool = True
    excess: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()
    awaits_rooms: bool = False
    remedy: str = ""

    @property
    def limit(self) -> str:
        """What to do about a breach, whether or not the driver knows the service's own terms."""
        return self.remedy or _LIMIT_ACCESS

    @property
    def limit_with_setup(self) -> str:
        """The same, with the command that helps; a driver without own terms has no scripts for it."""
        return f"{self.remedy} (placed setup writes scripts)" if self.remedy else _LIMIT_ACCESS


UNTRIED = Fence(FenceState.UNPROVEN)  # before any trial

# What to do about a breach where the driver does not know the service's own terms.
_LIMIT_ACCESS = "limit at the calendar service what the credential may read"
