"""Keeps rooms that the service's list lacks until they are really gone. Pure.

A directory has been seen to return a list that is empty or lacks a room, and the complete list the next time.
So a room is gone only if two lists in a row lack it and its mailbox is no longer readable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from placed.driver import FoundRoom

SURE_LISTS = 2  # in a row that have to lack a room


class MissingRooms:
    """Compares the lists of one connection.

    Attributes:
        mailboxes: those that the last list lacks, with whether enough lists in a row lack them.
    """

    def __init__(self) -> None:
        self.mailboxes: dict[str, bool] = {}
        self._rooms: list[FoundRoom] = []  # as they were listed last
        self._lacking: dict[FoundRoom, int] = {}  # how many lists in a row lack them

    def begin(self, listed: Iterable[FoundRoom]) -> None:
        """Sets the rooms of an earlier start's last list."""
        self._rooms, self._lacking = list(listed), {}

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
        now = list(listed)
        names = {name for listing in now for name in _names(listing)}
        lacking: dict[FoundRoom, int] = {}
        for room in self._rooms:
            if names.isdisjoint(_names(room)):
                times = self._lacking.get(room, 0) + 1
                if times < SURE_LISTS or not is_unreadable(room):
                    now.append(room)
                    lacking[room] = times
        self._rooms, self._lacking = now, lacking
        self.mailboxes = {room.mailbox: times >= SURE_LISTS for room, times in lacking.items()}
        return list(now)


def _names(listing: FoundRoom) -> set[str]:
    """Returns the names by which a room is recognized."""
    return {name.lower() for name in (listing.address, listing.mailbox, listing.object_id) if name}
