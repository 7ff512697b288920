"""Writes the files of a kit atomically, and keys with permissions for the owner only."""

from __future__ import annotations

import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING

from placed.domain.problem import Problem
from placed.driver.setup_kit import KitError, KitFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

OWNER_ALONE = 0o600
READABLE = 0o644
RUNNABLE = 0o755


def checked(folder: Path) -> Path:
    """Returns the absolute path of a folder. It is written into files, in UTF-8, on one line.

    Raises:
        KitError: its name does not allow that.
    """
    folder = folder.absolute()
    if not str(folder).isprintable():
        raise KitError(Problem("", f"{str(folder)!r}: expected a folder whose name is printable UTF-8"))
    return folder


def make_folder(folder: Path) -> None:
    """Creates a folder; an existing one is used as it is."""
    with _raise_kit_error(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write(path: Path, content: bytes, mode: int) -> None:
    """Replaces the file; does nothing if its content is the same."""
    with _raise_kit_error(path):
        if path.is_file() and path.read_bytes() == content:
            if path.stat().st_mode & 0o777 != mode:
                path.chmod(mode)
            return
        beside = _written_beside(path, content, mode)
        try:
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def write_texts(
    folder: Path, texts: Iterable[tuple[str, str]], purposes: Mapping[str, str]
) -> tuple[KitFile, ...]:
    """Creates the folder, and writes texts that everybody may read: the name and the content of each.

    Returns them as files of the kit, each with its purpose.
    """
    make_folder(folder)
    listed = []
    for name, text in texts:
        write(folder / name, text.encode(), READABLE)
        listed.append(KitFile(folder / name, purposes[name]))
    return tuple(listed)


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Writes a file that must not exist yet."""
    with _raise_kit_error(path):
        beside = _written_beside(path, content, mode)
        try:
            os.link(beside, path)  # unlike a replacement it fails if the file has appeared meanwhile
        finally:
            beside.unlink(missing_ok=True)


def _written_beside(path: Path, content: bytes, mode: int) -> Path:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
            file.flush()
            os.fsync(descriptor)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return beside


@contextmanager
def _raise_kit_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KitError(Problem("", f"{path} cannot be written: {error.strerror}")) from None
