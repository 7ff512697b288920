"""Reads the journal without changing anything, for `placed doctor`; a daemon may be writing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from placed.domain.consent_record import ConsentRecord
from placed.store.database import NAME, Database
from placed.store.records import Key, Kind, decoded

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """The content at the time of reading."""

    records: dict[Key, bytes] = field(default_factory=dict)

    @property
    def room_ids(self) -> dict[str, str]:
        """The ids of rooms, by "connection/address"."""
        return self._ids(Kind.IDS)

    @property
    def objects(self) -> dict[str, str]:
        """The ids by "connection/object id"."""
        return self._ids(Kind.OBJECTS)

    def consent(self, connection: str) -> ConsentRecord:
        """Returns the stored consent of a connection."""
        return decoded(self.records.get(Key(Kind.CONSENT, connection)), ConsentRecord) or ConsentRecord()

    def _ids(self, kind: Kind) -> dict[str, str]:
        return {
            f"{key.connection}/{name}": room_id
            for key, value in self.records.items()
            if key.kind is kind
            for name, room_id in (decoded(value, dict[str, str]) or {}).items()
        }


def read_snapshot(directory: Path) -> StoreSnapshot:
    """Reads the journal.

    Raises:
        FileNotFoundError: there is no journal yet.
        OSError, sqlite3.Error, Unusable: it cannot be read, or is invalid.
    """
    database = Database.read_only(directory / NAME)
    try:
        kinds = (Kind.IDS, Kind.OBJECTS, Kind.CONSENT)
        return StoreSnapshot({key: value for kind in kinds for key, value in database.all(kind).items()})
    finally:
        database.close()
