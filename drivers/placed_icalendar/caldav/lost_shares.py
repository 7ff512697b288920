"""Recognizes that all calendars are lost at once, which is one lost share and not many deleted rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.model import Reason
from placed.driver import Failed, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from placed.driver import Answer

_FEWEST = 2  # rooms; a single one may have been deleted
_LOST = frozenset({Reason.NOT_FOUND, Reason.FORBIDDEN})


class LostShares:
    """Which calendars are readable, and which were."""

    def __init__(self) -> None:
        self._ever: set[str] = set()  # mailboxes that were readable
        self._now: set[str] = set()  # of these, those that were not lost since

    def keep(self, mailboxes: AbstractSet[str]) -> None:
        """Forgets all other mailboxes."""
        self._ever &= mailboxes
        self._now &= mailboxes

    def note(self, answer: Answer) -> bool:
        """Notes an answer; returns whether it is a lost room, to be held back until the reading ends."""
        mailbox = answer.query.room.mailbox
        if not isinstance(answer, Failed):
            self._ever.add(mailbox)
            self._now.add(mailbox)
            return False
        if answer.reason not in _LOST:
            return False
        self._now.discard(mailbox)
        return True

    def is_readable(self, mailbox: str) -> bool:
        """Whether a room was readable when it was asked last."""
        return mailbox in self._now

    @property
    def error(self) -> NotPermitted | None:
        """The error of the connection, if no room is left of those that were readable."""
        if self._now or len(self._ever) < _FEWEST:
            return None
        return NotPermitted(
            f"none of the {len(self._ever)} calendars that were readable can be read any more",
            remedy="check that they are still shared with the account of this connection, for reading",
        )


class LostSharesReading:
    """One reading: holds back lost rooms until it is known whether all are lost."""

    def __init__(self, shares: LostShares, answer: Callable[[Answer], None]) -> None:
        self._shares = shares
        self._answer = answer
        self._held: list[Answer] = []

    def take(self, found: Answer) -> None:
        """Takes the answer of one room."""
        if self._shares.note(found):
            self._held.append(found)
        else:
            self._answer(found)

    def end(self) -> None:
        """Reports what was held back.

        Raises:
            NotPermitted: all rooms are lost.
        """
        error = self._shares.error
        if self._held and error is not None:
            raise error
        self.release()

    def release(self) -> None:
        """Reports what was held back, each room for itself."""
        while self._held:
            self._answer(self._held.pop())
