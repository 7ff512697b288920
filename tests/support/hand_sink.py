"""What takes in commands, as the test wants it: it changes no calendar."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.action import Action, Outcome, Refusal, Reply
from placed.domain.command_sink import Offer

if TYPE_CHECKING:
    from placed.domain.action import Command

EVERYTHING = Offer(frozenset(Action))


class HandExecution:
    """A command that waits until the test settles it."""

    def __init__(self, reply: Reply, retry_after: float | None = None) -> None:
        self.reply = reply
        self.retry_after = retry_after
        self._settled = asyncio.Event()
        if reply.final:
            self._settled.set()

    async def final(self) -> Reply:
        await self._settled.wait()
        return self.reply

    def settle(self, outcome: Outcome = Outcome.DONE, reason: Refusal | None = None) -> None:
        self.reply = replace(self.reply, outcome=outcome, reason=reason, seq=self.reply.seq + 1)
        self._settled.set()


@dataclass
class HandSink:
    """Accepts every command; `at_once` settles it before the submit returns.

    Attributes:
        most: how many commands a room takes.
        commands: those that were carried out, each once.
        executions: by key.
    """

    configured: bool = True
    offers: dict[str, Offer] = field(default_factory=dict)
    at_once: tuple[Outcome, Refusal | None] | None = (Outcome.DONE, None)
    most: int = 1_000_000
    commands: list[Command] = field(default_factory=list)
    executions: dict[str, HandExecution] = field(default_factory=dict)
    taken: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, room_id: str) -> Offer | None:
        return self.offers.get(room_id)

    def submit(self, command: Command) -> HandExecution:
        known = self.executions.get(command.key)
        if known is not None:
            first = next(one for one in self.commands if one.key == command.key)
            if first.content == command.content:
                return known
            return HandExecution(_reply(command, Outcome.REFUSED, Refusal.CHANGED))
        if sum(one.room == command.room for one in self.commands) >= self.most:
            return HandExecution(_reply(command, Outcome.REFUSED, Refusal.THROTTLED), retry_after=9.5)
        self.commands.append(command)
        made = HandExecution(_reply(command, Outcome.ACCEPTED, None))
        if self.at_once is not None:
            made.settle(*self.at_once)
        self.executions[command.key] = made
        self.taken.set()
        return made

    def outcome(self, key: str) -> Reply | None:
        known = self.executions.get(key)
        return known.reply if known else None


def _reply(command: Command, outcome: Outcome, reason: Refusal | None) -> Reply:
    return Reply(command.key, command.action, command.room, outcome, reason, epoch=7, seq=3)
