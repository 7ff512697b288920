"""Keeps the numbers of no-shows in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.actions.no_show_record import NoShowRecord
from placed.store.records import Key, Kind, decoded, encoded

if TYPE_CHECKING:
    from placed.store.connection_store import Records


class JournalNoShows:
    """See `placed.actions.no_show_numbers.NoShowStore`."""

    def __init__(self, journal: Records) -> None:
        self._journal = journal

    def load(self, connection: str) -> NoShowRecord | None:
        """The record of a connection; None if there is none, or if it is invalid."""
        return decoded(self._journal.read(Key(Kind.NO_SHOWS, connection)), NoShowRecord)

    def save(self, connection: str, record: NoShowRecord) -> None:
        """Keeps it."""
        self._journal.write([(Key(Kind.NO_SHOWS, connection), encoded(record))])
