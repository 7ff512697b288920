"""The state that survives a restart (the journal): what the records mean, which are kept or removed."""

from __future__ import annotations

from dataclasses import dataclass, field
from secrets import token_bytes
from typing import TYPE_CHECKING

import structlog
from msgspec.structs import replace

from placed.domain.privacy import permitted_schedule
from placed.store.connection_store import ConnectionStore, StoredConsent
from placed.store.fault_tolerant_database import FaultTolerantDatabase, remove_leftovers
from placed.store.records import Confirmed, Key, Kind, Reading, checksum, decoded, encoded, holds_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from placed.domain.privacy import Show
    from placed.driver import ConnectionSettings

_OF_CONNECTIONS = (
    Kind.ROOMS,
    Kind.FENCE,
    Kind.SCHEDULE,
    Kind.CONFIRMED,
    Kind.COMMAND,
    Kind.CHECK_INS,
    Kind.NO_SHOWS,
)

log = structlog.get_logger("placed.store")


@dataclass(slots=True)
class Memory:
    """State of no single connection, and the ids of rooms."""

    epoch: int = 0
    room_ids: dict[str, str] = field(default_factory=dict)  # "connection/address" -> id
    objects: dict[str, str] = field(default_factory=dict)  # "connection/object id" -> id


_SECRET = 32  # bytes


class Journal(FaultTolerantDatabase):
    """Keeps the state for the next start."""

    # --- reading ---

    def load(self) -> Memory:
        """Returns what this process stored last, else the content of the file; nothing if it is invalid."""
        memory = Memory(decoded(self.read(Key(Kind.EPOCH)), int) or 0)
        for kind, ids in ((Kind.IDS, memory.room_ids), (Kind.OBJECTS, memory.objects)):
            for key, value in self.all(kind).items():
                for name, room_id in (decoded(value, dict[str, str]) or {}).items():
                    ids[f"{key.connection}/{name}"] = room_id
        return memory

    def secret(self) -> bytes:
        """Returns the secret of this daemon, which makes its tickets; a new one if none is stored."""
        stored = decoded(self.read(Key(Kind.TICKETS)), bytes)
        if stored is not None and len(stored) == _SECRET:
            return stored
        made = token_bytes(_SECRET)
        self.write([(Key(Kind.TICKETS), encoded(made))])
        return made

    def notes(self, connection: ConnectionSettings, *, show: Show) -> ConnectionStore:
        """Returns the store of one connection; `show`: what of a meeting may be shown."""
        return ConnectionStore(self, connection, show=show)

    def consent(self, connection: str) -> StoredConsent:
        """Returns the store of a connection's consent; also for a command, while a daemon runs."""
        return StoredConsent(self, connection)

    # --- writing ---

    def save(self, memory: Memory) -> None:
        """Replaces what was stored before."""
        wanted: dict[Key, bytes | None] = {Key(Kind.EPOCH): encoded(memory.epoch)}
        for kind, ids in ((Kind.IDS, memory.room_ids), (Kind.OBJECTS, memory.objects)):
            given: dict[str, dict[str, str]] = {key.connection: {} for key in self.all(kind)}
            for key, room_id in ids.items():
                connection, _, name = key.partition("/")
                given.setdefault(connection, {})[name] = room_id
            for connection, names in given.items():
                wanted[Key(kind, connection)] = encoded(names) if names else None
        self.write((key, value) for key, value in wanted.items() if self.read(key) != value)

    def keep(self, connections: Iterable[str]) -> None:
        """Forgets the rooms of all other connections. Their consent stays until they are disconnected."""
        kept = set(connections)
        others = {
            key: None for kind in _OF_CONNECTIONS for key in self.all(kind) if key.connection not in kept
        }
        self.write(others.items())
        self.saved = {which: saved for which, saved in self.saved.items() if which[0] in kept}

    def permit(self, show: Show) -> None:
        """Removes from all readings, and so from the disk, what may not be shown any more."""
        rewritten: dict[Key, bytes | None] = {}
        before = self.all(Kind.SCHEDULE)
        for key, value in before.items():
            if not holds_text(value):
                continue
            reading = decoded(value, Reading)
            if reading is None:  # its content is unknown
                rewritten[key] = None
                continue
            schedule = permitted_schedule(reading.schedule, show)
            if schedule is not reading.schedule:
                rewritten[key] = encoded(Reading(schedule, reading.changed_at))
        if rewritten:
            self.write_all([*rewritten.items(), *self._confirmed_again(before, rewritten)])
            log.info("journal.was_cleared", readings=len(rewritten), show=show.value)
        self.scrub(thoroughly=bool(rewritten))

    def _confirmed_again(
        self, before: Mapping[Key, bytes], rewritten: Mapping[Key, bytes | None]
    ) -> Iterator[tuple[Key, bytes]]:
        """Makes the confirmation of a reading count for the reading as it is written now, too."""
        for key, value in self.all(Kind.CONFIRMED).items():
            confirmed = decoded(value, Confirmed)
            rooms = dict(confirmed.rooms) if confirmed else {}
            for address, again in list(rooms.items()):
                row = Key(Kind.SCHEDULE, key.connection, address)
                now = rewritten.get(row)
                if now is not None and again.checksum == checksum(row, before[row]):
                    rooms[address] = replace(again, checksum=checksum(row, now))
            if confirmed is not None and rooms != confirmed.rooms:
                yield key, encoded(replace(confirmed, rooms=rooms))

    def held_of(self, connection: str) -> tuple[int, bool]:
        """Returns how many rooms of a connection have an id, and whether its consent is stored.

        Raises:
            OSError, sqlite3.Error, Unusable: the file cannot be read, or is invalid.
        """
        if self.path is None or not self.path.exists():
            return 0, False
        database = self.opened()
        ids = decoded(database.get(Key(Kind.IDS, connection)), dict[str, str]) or {}
        return len(ids), database.get(Key(Kind.CONSENT, connection)) is not None

    def forget(self, connection: str) -> tuple[int, bool]:
        """Removes all of a connection from the file, and returns what there was; for a command.

        Raises:
            OSError, sqlite3.Error, Unusable: the file cannot be read or written, or is invalid.
        """
        held = self.held_of(connection)
        if self.path is not None and self.path.exists():
            database = self.opened()
            gone = [key for kind in Kind for key in database.all(kind, connection)]
            database.put((key, None) for key in gone)
            database.scrub(thoroughly=True)
        if self.path is not None:
            remove_leftovers(self.path)
        return held


def next_epoch(memory: Memory, unix_seconds: float) -> int:
    """Returns the number of this start: greater than any before, also if nothing could be stored."""
    return max(memory.epoch + 1, int(unix_seconds))
