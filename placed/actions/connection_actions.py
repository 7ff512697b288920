"""What may be written to the rooms of one connection, and with what."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from placed.domain.action import Action, Refusal
from placed.domain.check_in_rules import CheckInRules
from placed.driver import NoShowSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from placed.domain.command_sink import Offer
    from placed.driver import BookingWriter, ConnectionSettings


class WriterFence(Protocol):
    """Tries the canaries with the registration that writes."""

    @property
    def enforcing(self) -> bool:
        """Whether a canary was readable, so that nothing may be written any more."""
        ...

    @property
    def tried(self) -> bool:
        """Whether a trial has ended, whatever it showed."""
        ...

    async def run(self) -> None:
        """Tries the canaries on time, until it is cancelled."""
        ...

    async def look(self) -> None:
        """Tries the canaries if that is due.

        Raises:
            DriverError: the registration as a whole is refused.
        """
        ...


@dataclass(slots=True, eq=False)
class ConnectionActions:
    """A connection, for those who carry out commands.

    Attributes:
        settings: its table.
        writer: changes bookings; None where nothing is ever written.
        fence: limits the writer.
    """

    settings: ConnectionSettings
    writer: BookingWriter | None = None
    fence: WriterFence | None = None
    _users: int = field(default=0, init=False)  # commands that use the writer
    _is_over: bool = field(default=False, init=False)

    @asynccontextmanager
    async def used(self) -> AsyncIterator[None]:
        """A command uses the writer meanwhile, which is not closed before its end."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if self._is_over:
                await self.close()

    async def close(self) -> None:
        """Closes the writer, as soon as no command uses it."""
        self._is_over = True
        if not self._users and self.writer is not None:
            await self.writer.close()

    @property
    def offer(self) -> Offer | None:
        """What is offered in the rooms: what the settings allow; without a writer only a check-in."""
        offer = self.settings.offer
        if offer is None or self.writer is not None:
            return offer
        actions = offer.actions & {Action.CHECK_IN}
        return replace(offer, actions=actions) if actions else None

    @property
    def allowed(self) -> frozenset[Action]:
        """The actions that are offered."""
        offer = self.offer
        return offer.actions if offer is not None else frozenset()

    def refusal(self, action: Action) -> Refusal | None:
        """Why an action is refused in every room of the connection; None if it is not."""
        if not self.allowed:
            return Refusal.NOT_CONFIGURED
        return None if action in self.allowed else Refusal.NOT_ALLOWED


def check_in_rules(connections: Iterable[ConnectionSettings]) -> dict[str, CheckInRules]:
    """The rules of check-in by connection, of those that have check-in."""
    return {
        connection.name: CheckInRules(
            connection.check_in.before,
            connection.check_in.after,
            connection.check_in.required,
            (connection.no_show or NoShowSettings()).exempt.booked_within,
        )
        for connection in connections
        if connection.check_in is not None
    }
