"""The commands of the last 24 hours, by their keys, so that a repeated one is answered and not done again."""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from placed.actions.execution import CommandExecution

KNOWN_FOR = timedelta(hours=24)
_MOST_REFUSED = 10_000  # refused commands that are remembered; accepted ones all are


class KnownCommands:
    """Commands and their replies."""

    def __init__(self) -> None:
        self._accepted: OrderedDict[str, tuple[datetime, CommandExecution]] = OrderedDict()
        self._refused: OrderedDict[str, tuple[datetime, CommandExecution]] = OrderedDict()

    def find(self, key: str) -> CommandExecution | None:
        """Returns the command of a key."""
        found = self._accepted.get(key) or self._refused.get(key)
        return found[1] if found is not None else None

    def add(self, execution: CommandExecution, at: datetime) -> None:
        """Remembers a command that came at such a time."""
        some = self._refused if execution.reply.final else self._accepted
        some[execution.command.key] = at, execution
        while len(self._refused) > _MOST_REFUSED:
            self._refused.popitem(last=False)

    def restore(self, execution: CommandExecution, at: datetime) -> None:
        """Remembers a command of the run before, which had been accepted."""
        self._accepted.setdefault(execution.command.key, (at, execution))

    def renew(self, execution: CommandExecution, at: datetime) -> None:
        """Counts its age from now on: its outcome became known only after the process was started again."""
        self._accepted[execution.command.key] = at, execution

    def prune(self, now: datetime) -> list[str]:
        """Forgets commands that are too old; returns the keys of those that had been accepted.

        One without an outcome is kept, however old: what was sent again would be refused, though it was done.
        """
        gone = []
        for some in (self._accepted, self._refused):
            old = [key for key, (at, one) in some.items() if now - at > KNOWN_FOR and one.reply.final]
            for key in old:
                del some[key]
            if some is self._accepted:
                gone = old
        return gone
