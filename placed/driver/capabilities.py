"""What an opened connection may offer beside reading calendars. Each capability is a Protocol, and optional.

They are attributes of the `Driver`, found with `isinstance`. What a driver offers to administrators are
static methods of the `DriverKind`: see `placed.driver.diagnosis`, `placed.driver.setup_kit` and
`placed.driver.consent_flow`. Such a method imports the code behind it when it is called, so the daemon never
loads that code.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Hashable

    from placed.domain.fence_result import Fence
    from placed.driver.protocol import Driver, DriverKind


@runtime_checkable
class FenceTrial(Protocol):
    """A driver that can try whether mailboxes outside the fence are refused.

    The fence of a driver without it stays `unproven`.
    """

    async def try_fence(self) -> Fence:
        """Asks for every canary, which must be refused.

        Raises:
            DriverError: the trial itself failed.
        """
        ...


@runtime_checkable
class FenceCircumstances(Protocol):
    """A driver that knows when the fence has to be tried again before its time."""

    @property
    def fence_circumstances(self) -> Hashable:
        """What a trial depends on, such as the number of the token. A new value asks for a new trial."""
        ...


@runtime_checkable
class RoomCircumstances(Protocol):
    """A driver that learns by reading what the list of rooms has to report."""

    @property
    def room_circumstances(self) -> Hashable:
        """What the list depends on, such as time zones of calendars. A new value asks for a new list."""
        ...


@runtime_checkable
class CredentialExpiry(Protocol):
    """A driver whose credential may expire."""

    @property
    def credential_expires_at(self) -> datetime | None:
        """When the credential expires, in UTC; None if it does not, or if that is unknown."""
        ...


@runtime_checkable
class SignInTakeover(Protocol):
    """A driver whose sign-in outlives a reload."""

    def take_over_sign_in(self, earlier: Driver) -> None:
        """Continues with the token of `earlier` if that is the same registration with the same credential.

        Otherwise it does nothing, and this driver signs in by itself.
        """
        ...


@runtime_checkable
class DelayedGrants(Protocol):
    """A service at which a grant takes a while; an attribute of the driver's class."""

    grant_delay: timedelta
    """How long a grant, or a change of the room group, takes at most to be in effect."""


@runtime_checkable
class ReadingLimit(Protocol):
    """A driver whose service answers only so many requests a minute."""

    def shortest_interval(self, rooms: int) -> timedelta:
        """How often so many rooms can be read at most, as far as that is known now."""
        ...


def shortest_interval(driver: Driver, rooms: int) -> timedelta:
    """How often so many rooms can be read at most; zero where the driver has no limit."""
    return driver.shortest_interval(rooms) if isinstance(driver, ReadingLimit) else timedelta(0)


def credential_expiry(driver: Driver) -> datetime | None:
    """When the credential expires; None where the driver does not report it."""
    return driver.credential_expires_at if isinstance(driver, CredentialExpiry) else None


def grant_delay(driver: Driver | DriverKind) -> timedelta:
    """How long a grant takes at most to be in effect; zero where the driver does not report it."""
    return driver.grant_delay if isinstance(driver, DelayedGrants) else timedelta(0)
