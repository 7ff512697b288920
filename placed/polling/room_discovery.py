"""Finds the rooms of one connection, and decides when the service is asked for its list again.

A list is asked for soon again while there is reason to doubt it: it is empty, it failed, or it lacks a room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from placed.domain.model import Reason
from placed.driver import DriverError, Refused, RoomCircumstances
from placed.polling.ids_in_settings import ONE_ROOM
from placed.polling.missing_rooms import SURE_LISTS, MissingRooms
from placed.polling.reading_planner import SELDOM
from placed.polling.room_ids import lowered
from placed.polling.room_tables import FITS_NO_ROOM

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

    from placed.domain.clock import Clock
    from placed.domain.model import Room
    from placed.driver import ConnectionSettings, Driver, FoundRoom
    from placed.polling.readability_tracker import ReadabilityTracker
    from placed.polling.room_ids import RoomIds
    from placed.settings.polling_settings import Polling
    from placed.store.in_memory_connection_store import ConnectionMemory

_FEW = 5  # room ids that are named in a line of the log

log = structlog.get_logger("placed.polling.poller")


class RoomDiscovery:
    """Finds the rooms of one connection.

    Args:
        connection: its settings, as every driver has them.
        driver: the connection, opened.
        book: gives the rooms their ids.
        clock: what time it is.
        readability: how each room is read.
        notes: the store of the connection, for the next start.
        remember: called when rooms were given ids.
        take_up: called with the rooms after each list.

    Attributes:
        next: when the list is due, on the steady clock.
    """

    def __init__(  # noqa: PLR0913 - what finding rooms needs
        self,
        *,
        connection: ConnectionSettings,
        driver: Driver,
        book: RoomIds,
        clock: Clock,
        readability: ReadabilityTracker,
        notes: ConnectionMemory,
        remember: Callable[[], None],
        take_up: Callable[[Sequence[Room]], None],
    ) -> None:
        self._connection = connection
        self._driver = driver
        self._book = book
        self._clock = clock
        self._readability = readability
        self._notes = notes
        self._remember = remember
        self._take_up = take_up
        self.next = 0.0
        self._interval = self._rediscover = 0.0
        self._missing = MissingRooms()
        self._ids: dict[str, str] = {}  # of rooms, by mailbox
        self._read_without_address: set[str] = set()  # ids of rooms
        self._listed_in = self._circumstances  # when the list was asked for last
        self._lists = 0  # so far, with that of an earlier start
        self._lists_needed = SURE_LISTS if connection.named_rooms is None else 1
        self._failed_lists = 0  # in a row
        self._empty_lists = 0  # in a row

    @property
    def _circumstances(self) -> Hashable:
        driver = self._driver
        return driver.room_circumstances if isinstance(driver, RoomCircumstances) else None

    @property
    def is_sure(self) -> bool:
        """Whether a room that is not among those found does not exist: one list may lack some, or all."""
        return self._lists >= self._lists_needed

    def take_times(self, polling: Polling) -> None:
        """Sets how often the list is asked for; it is due now."""
        self._interval = polling.interval.total_seconds()
        self._rediscover = polling.rediscover_or_default.total_seconds()
        self.next = 0.0

    def recall(self, listed: Sequence[FoundRoom]) -> tuple[Room, ...]:
        """Takes in the last list of an earlier start; returns its rooms."""
        rooms = self._rooms_of(listed)
        if rooms:
            self._lists += 1
            self._missing.begin(listed)
            self._ids = {lowered(room.mailbox): room.id for room in rooms}
        return rooms

    def id_of(self, mailbox: str) -> str:
        """Returns the id of a mailbox's room; "" if it has none."""
        return self._ids.get(mailbox.lower(), "")

    async def look(self) -> None:
        """Asks for the list if that is due.

        Raises:
            DriverError: the connection is refused; or there is no list, and no room is known either.
        """
        moment, circumstances = self._clock.steady(), self._circumstances
        if moment < self.next and circumstances == self._listed_in:
            return
        self._listed_in = circumstances
        try:
            found = await self._driver.find_rooms()
        except Refused:
            raise
        except DriverError as error:
            if not self._ids:
                raise
            self._list_failed(error, moment)
            return
        self._failed_lists = 0
        self._lists += 1
        before = self._missing.mailboxes
        found = self._missing.compare(found, self._is_gone)
        ids = self._book.remembered
        rooms = self._rooms_of(found)
        self._ids = {lowered(room.mailbox): room.id for room in rooms}
        self._log_missing(before)
        self._take_up(rooms)
        if self._book.remembered != ids:
            self._remember()
        self._notes.listed(found)
        self.next = moment + self._next_list_in(len(rooms))
        for table in self._book.listed(self._connection.name):
            log.warning(
                "rooms.settings_fit_no_room",
                table=f'[rooms."{table}"]',
                remedy=FITS_NO_ROOM,
            )
        for table in self._book.without_id_of_table(self._connection.name):
            log.warning(
                "rooms.have_one_id",
                connection=self._connection.name,
                table=f'[rooms."{table}"]',
                problem="another connection's room has the id of this table; this connection's has another",
                remedy=ONE_ROOM,
            )

    def room_was_read(self, room: Room) -> None:
        """Notes that a room was read. What reports its calendar may report its address, too."""
        if room.address == room.object_id and room.id not in self._read_without_address:
            self._read_without_address.add(room.id)
            self.next = 0.0

    def room_failed(self, room: Room) -> None:
        """Notes that a room was not read: one that the last list lacks may be gone."""
        if room.mailbox in self._missing.mailboxes and self._is_failing(room.mailbox):
            self.next = min(self.next, self._clock.steady() + self._interval)

    def _rooms_of(self, found: Iterable[FoundRoom]) -> tuple[Room, ...]:
        return self._book.rooms(self._connection.name, self._connection.time_zone, found, self._was_read)

    def _was_read(self, mailbox: str) -> bool:
        return self.id_of(mailbox) in self._read_without_address

    def _is_gone(self, listing: FoundRoom) -> bool:
        return self._readability.is_gone(self.id_of(listing.mailbox))

    def _is_failing(self, mailbox: str) -> bool:
        failure = self._readability.failing.get(self.id_of(mailbox))
        return failure is not None and failure.reason in (Reason.FORBIDDEN, Reason.NOT_FOUND)

    def _log_missing(self, before: Mapping[str, bool]) -> None:
        """Logs once of each room that the list lacks it, and that it is read all the same."""
        new = sorted(self.id_of(mailbox) for mailbox in self._missing.mailboxes.keys() - before.keys())
        if new:
            log.warning(
                "rooms.are_missing",
                connection=self._connection.name,
                count=len(new),
                rooms=new[:_FEW],
                remedy="if they were not removed, put them back into the group or list; until a second list "
                "lacks them and they cannot be read any more, they are kept",
            )

    def _list_failed(self, error: DriverError, moment: float) -> None:
        """Sets when the list is asked for again; the rooms that are known can be read meanwhile."""
        self._failed_lists += 1
        if error.problem.lasting:
            rest = SELDOM
        else:
            rest = self._interval * 2.0 ** min(self._failed_lists - 1, 16)
            rest = max(min(rest, self._rediscover, SELDOM), error.problem.retry_after or 0.0)
        self.next = moment + rest
        if self._failed_lists == 1:
            log.warning(
                "rooms.were_not_found",
                connection=self._connection.name,
                problem=str(error),
                remedy=error.problem.remedy or None,
            )

    def _next_list_in(self, rooms: int) -> float:
        """Returns the seconds until the list is asked for again: soon if there is reason to doubt it."""
        if not rooms:
            self._empty_lists += 1
            return min(self._rediscover, self._interval * 2.0 ** min(self._empty_lists - 1, 16))
        self._empty_lists = 0
        doubted = any(
            not lacking or self._is_failing(mailbox) for mailbox, lacking in self._missing.mailboxes.items()
        )
        return min(self._rediscover, self._interval) if doubted else self._rediscover
