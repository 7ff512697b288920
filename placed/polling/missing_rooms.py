"""Keeps rooms that the service's list lacks until they are really gone. Pure.

A directory has been seen to return a list that is empty or lacks a room, and the complete list the next time.
So a room is gone only if two lists in a row lack it and its mailbox is no longer readable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from placed.driver import FoundRoom

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LISTS = 2  # in a row that have to lack a room


class _Listed(msgspec.Struct, eq=False, gc=False):
    """A room as it was listed last, and how many lists in a row lack it since."""

    listing: FoundRoom
    lacking: int = 0


class MissingRooms:
    """Compares the lists of one connection.

    Attributes:
        mailboxes: those that the last list lacks, with whether enough lists in a row lack them.
    """

    def __init__(self) -> None:
        self.mailboxes: dict[str, bool] = {}
        self._rooms: list[_Listed] = []

    def begin(self, listed: Iterable[FoundRoom]) -> None:
        """Sets the rooms of an earlier start's last list."""
        self._rooms = [_Listed(listing) for listing in listed]

    def compare(
        self, listed: Iterable[FoundRoom], is_unreadable: Callable[[FoundRoom], bool]
    ) -> list[FoundRoom]:
        """Compares a new list.

        Args:
            listed: the rooms that the service lists now.
            is_unreadable: whether a room's mailbox is no longer readable.

        Returns:
            The rooms: those that are listed, and after them those that are only missing.
        """
        now = [_Listed(listing) for listing in listed]
        names = {name for one in now for name in _names(one.listing)}
        for one in self._rooms:
            if names.isdisjoint(_names(one.listing)):
                one.lacking += 1
                if one.lacking < _LISTS or not is_unreadable(one.listing):
                    now.append(one)
        self._rooms = now
        self.mailboxes = {one.listing.mailbox: one.lacking >= _LISTS for one in now if one.lacking}
        return [one.listing for one in now]


def _names(listing: FoundRoom) -> set[str]:
    """Returns the names by which a room is recognized."""
    return {name.lower() for name in (listing.address, listing.mailbox, listing.object_id) if name}
