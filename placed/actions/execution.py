"""What becomes of one command: its replies, and waiting for the final one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed.domain.action import Command, Reply
    from placed.store.command_store import Intent


class CommandExecution:
    """One command and its latest reply. See `placed.domain.command_sink.Execution`.

    Args:
        command: the command.
        reply: the first reply.
        retry_after: seconds until the room takes another command, if it was sent too many.

    Attributes:
        intent: the last order that was about to be carried out, if there was one.
        connection: under which it is stored, also if its room is no more in the end; empty before it is.
    """

    intent: Intent | None = None
    connection = ""

    def __init__(self, command: Command, reply: Reply, retry_after: float | None = None) -> None:
        self.command = command
        self._reply = reply
        self._retry_after = retry_after
        self._ended = asyncio.Event()
        if reply.final:
            self._ended.set()

    @property
    def reply(self) -> Reply:
        """The latest reply."""
        return self._reply

    @property
    def retry_after(self) -> float | None:
        """Seconds until the room takes another command, if it was sent too many."""
        return self._retry_after

    async def final(self) -> Reply:
        """Waits for the final reply."""
        await self._ended.wait()
        return self._reply

    def end(self, reply: Reply) -> None:
        """Sets the final reply; the first one counts."""
        if not self._reply.final:
            self._reply = reply
            self._ended.set()
