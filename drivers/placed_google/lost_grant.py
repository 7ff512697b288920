"""Recognizes that all rooms are lost at once, which is one lost grant and not many deleted calendars.

Google answers 404 for a calendar that is not shared. If the share of all rooms ends, for example since the
organisation limits sharing with outsiders, every room answers so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.model import Reason
from placed.driver import Failed, NotPermitted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from placed.driver import Answer

_FEWEST = 2  # rooms; a single one may have been deleted


class LostGrant:
    """Which rooms are readable, and which were.

    Args:
        account: the service account's address, for the remedy.
    """

    def __init__(self, account: str) -> None:
        self._account = account
        self._ever: set[str] = set()  # mailboxes that were readable
        self._now: set[str] = set()  # of these, those that were not "not found" since

    def keep(self, mailboxes: AbstractSet[str]) -> None:
        """Forgets all other mailboxes."""
        self._ever &= mailboxes
        self._now &= mailboxes

    def reading(self, answer: Callable[[Answer], None]) -> LostGrantReading:
        """Begins a reading whose answers are passed on."""
        return LostGrantReading(self, answer)

    def were_read(self, mailboxes: AbstractSet[str]) -> None:
        """Notes that rooms were readable."""
        self._ever |= mailboxes
        self._now |= mailboxes

    def was_not_found(self, mailbox: str) -> None:
        """Notes that a room was not found."""
        self._now.discard(mailbox)

    @property
    def error(self) -> NotPermitted | None:
        """The error of the connection, if no room is left of those that were readable."""
        if self._now or len(self._ever) < _FEWEST:
            return None
        return NotPermitted(
            f"none of the {len(self._ever)} rooms that were readable is found any more",
            remedy=f"check that the calendars are still shared with {self._account}, and the organisation "
            "allows it (Admin console, Calendar, Sharing settings, External sharing options)",
        )


class LostGrantReading:
    """One reading: holds back what was not found until it is known whether all rooms are lost."""

    def __init__(self, grant: LostGrant, answer: Callable[[Answer], None]) -> None:
        self._grant = grant
        self._answer = answer
        self._held: list[Failed] = []

    def take(self, answers: Sequence[Answer]) -> None:
        """Takes the answers of some rooms."""
        self._grant.were_read(
            {found.query.room.mailbox for found in answers if not isinstance(found, Failed)}
        )
        for found in answers:
            if isinstance(found, Failed) and found.reason is Reason.NOT_FOUND:
                self._grant.was_not_found(found.query.room.mailbox)
                self._held.append(found)
            else:
                self._answer(found)

    def end(self) -> None:
        """Reports what was held back.

        Raises:
            NotPermitted: all rooms are lost.
        """
        error = self._grant.error
        if self._held and error is not None:
            raise error
        self.release()

    def release(self) -> None:
        """Reports what was held back, each room for itself."""
        while self._held:
            self._answer(self._held.pop())
