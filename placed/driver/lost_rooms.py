"""Recognizes that all rooms are lost at once: one lost grant of the connection, not many deleted calendars.

A calendar service answers for a calendar that is no longer shared as for one that does not exist. If the
grant for all rooms ends, it answers so for every room.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from placed.driver.protocol import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from collections.abc import Set as AbstractSet

    from placed.domain.model import Reason
    from placed.driver.errors import NotPermitted
    from placed.driver.parallel_reading import Report
    from placed.driver.protocol import Answer

_FEWEST = 2  # rooms; a single one may have been deleted


class LostRooms:
    """Which rooms of a connection are readable, and which were.

    Args:
        reasons: why a reading fails if its room is lost.
        error: makes the error of the connection, from the number of rooms that were readable.
    """

    def __init__(self, reasons: AbstractSet[Reason], error: Callable[[int], NotPermitted]) -> None:
        self._reasons = reasons
        self._error = error
        self._ever: set[str] = set()  # mailboxes that were readable
        self._now: set[str] = set()  # of these, those that were not lost since

    def keep(self, mailboxes: AbstractSet[str]) -> None:
        """Forgets all other mailboxes."""
        self._ever &= mailboxes
        self._now &= mailboxes

    def is_readable(self, mailbox: str) -> bool:
        """Whether a room was readable when it was asked last."""
        return mailbox in self._now

    @contextmanager
    def reading(self, report: Report) -> Iterator[Report]:
        """Passes the answers of one reading on; those of lost rooms when it is known that not all are lost.

        Raises:
            NotPermitted: all rooms are lost.
        """
        held: list[Answer] = []

        def take(*answers: Answer) -> None:
            found: list[Answer] = []
            for answer in answers:
                if not isinstance(answer, Failed):
                    mailbox = answer.query.room.mailbox
                    if mailbox not in self._now:
                        self._ever.add(mailbox)
                        self._now.add(mailbox)
                elif self._is_lost(answer):
                    held.append(answer)
                    continue
                found.append(answer)
            report(*found)

        try:
            yield take
            if held and self._all_are_lost:
                held.clear()
                raise self._error(len(self._ever))
        finally:
            report(*held)

    def _is_lost(self, failed: Failed) -> bool:
        """Notes a failure; returns whether its room is lost."""
        if failed.reason not in self._reasons:
            return False
        self._now.discard(failed.query.room.mailbox)
        return True

    @property
    def _all_are_lost(self) -> bool:
        return not self._now and len(self._ever) >= _FEWEST
