"""Where the commands of panels go, as MQTT and HTTP see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import msgspec

from placed.domain.action import Action, Outcome, Refusal, Reply

if TYPE_CHECKING:
    from placed.domain.action import Command


class Extension(msgspec.Struct, frozen=True):
    """How the meeting that runs can be extended.

    Attributes:
        meeting: its start.
        begin: the end of it and of the extensions that it has.
        until: the end of the longest extension that is possible.
    """

    meeting: datetime
    begin: datetime
    until: datetime


class Offer(msgspec.Struct, frozen=True):
    """What the settings allow in a room.

    Attributes:
        actions: the allowed ones, not empty.
        longest: the longest booking that a panel may make, extensions included.
        extension: how the meeting that runs can be extended, as its calendar was read last.
    """

    actions: frozenset[Action]
    longest: timedelta = timedelta(hours=2)
    extension: Extension | None = None


class Execution(Protocol):
    """A command that was taken in."""

    @property
    def reply(self) -> Reply:
        """The latest reply; `accepted` until the outcome is known."""
        ...

    @property
    def retry_after(self) -> float | None:
        """Seconds until the room takes another command; set where it was sent too many (`throttled`)."""
        ...

    async def final(self) -> Reply:
        """Waits for the final reply. Cancelling the wait does not cancel the command."""
        ...


class CommandSink(Protocol):
    """Carries out commands. None of its methods raises for what a panel or a service does."""

    @property
    def configured(self) -> bool:
        """Whether some connection has actions."""
        ...

    def offer(self, room_id: str) -> Offer | None:
        """What the settings allow in a room; None if nothing, or if there is no such room."""
        ...

    def submit(self, command: Command) -> Execution:
        """Takes a command in. A command with a known key is not carried out again."""
        ...

    def outcome(self, key: str) -> Reply | None:
        """The latest reply to a command; None if the key is not known, or not any more."""
        ...


@dataclass(frozen=True, slots=True)
class Settled:
    """The execution of a command whose outcome is known."""

    reply: Reply

    @property
    def retry_after(self) -> None:
        """See `Execution`."""
        return

    async def final(self) -> Reply:
        """See `Execution`."""
        return self.reply


class NoActions:
    """A sink where no connection has actions."""

    configured = False

    def offer(self, room_id: str) -> Offer | None:
        """There is nothing."""
        del room_id
        return None

    def submit(self, command: Command) -> Execution:
        """Refuses it."""
        refused, reason = Outcome.REFUSED, Refusal.NOT_CONFIGURED
        return Settled(Reply(command.key, command.action, command.room, refused, reason, 0, 0))

    def outcome(self, key: str) -> Reply | None:
        """There is none."""
        del key
        return None
