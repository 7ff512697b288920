"""What earlier versions of placed kept in files of JSON, for the first start with a journal."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from placed.domain.consent import ConsentRecord
from placed.store.records import Key, Kind, encoded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class _State(msgspec.Struct):
    epoch: int = 0
    room_ids: dict[str, str] = {}  # "connection/address" -> id


def files(directory: Path) -> list[Path]:
    """Those that there are."""
    return [path for path in (directory / "state.json", *directory.glob("consent/*.json")) if path.is_file()]


def records(directory: Path) -> Iterator[tuple[Key, bytes]]:
    """What they tell; what is of no use is passed over."""
    for path in files(directory):
        with suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
            if path.name == "state.json":
                yield from _of_state(msgspec.json.decode(path.read_bytes(), type=_State))
            else:
                record = msgspec.json.decode(path.read_bytes(), type=ConsentRecord)
                yield Key(Kind.CONSENT, path.stem), encoded(record)


def remove(directory: Path) -> None:
    """Takes them away, once what they tell is in the journal."""
    with suppress(OSError):
        for path in files(directory):
            path.unlink()
        (directory / "consent").rmdir()


def _of_state(state: _State) -> Iterator[tuple[Key, bytes]]:
    yield Key(Kind.EPOCH), encoded(state.epoch)
    ids: dict[str, dict[str, str]] = {}
    for key, room_id in state.room_ids.items():
        connection, _, address = key.partition("/")
        ids.setdefault(connection, {})[address] = room_id
    for connection, given in ids.items():
        yield Key(Kind.IDS, connection), encoded(given)
