"""A look into the journal that changes nothing, for `placed doctor`; a daemon may be writing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from placed.domain.consent import ConsentRecord
from placed.store.database import NAME, Database
from placed.store.records import Key, Kind, decoded

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class StoreSnapshot:
    """What was seen of it."""

    records: dict[Key, bytes] = field(default_factory=dict)

    @property
    def room_ids(self) -> dict[str, str]:
        """The ids that rooms were given, by "connection/address"."""
        return self._ids(Kind.IDS)

    @property
    def objects(self) -> dict[str, str]:
        """The same by "connection/object id"."""
        return self._ids(Kind.OBJECTS)

    def consent(self, connection: str) -> ConsentRecord:
        """What is known of a connection's consent."""
        return decoded(self.records.get(Key(Kind.CONSENT, connection)), ConsentRecord) or ConsentRecord()

    def _ids(self, kind: Kind) -> dict[str, str]:
        return {
            f"{key.connection}/{name}": room_id
            for key, value in self.records.items()
            if key.kind is kind
            for name, room_id in (decoded(value, dict[str, str]) or {}).items()
        }


def read_snapshot(directory: Path) -> StoreSnapshot:
    """Looks.

    Raises:
        FileNotFoundError: there is no journal yet.
        OSError, sqlite3.Error, Unusable: it can not be read, or is of no use.
    """
    database = Database.read_only(directory / NAME)
    try:
        kinds = (Kind.IDS, Kind.OBJECTS, Kind.CONSENT)
        return StoreSnapshot({key: value for kind in kinds for key, value in database.all(kind).items()})
    finally:
        database.close()
