"""Reads and merges the configuration files; accepts UTF-8 and UTF-16."""

from __future__ import annotations

import codecs
import errno
import os
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from placed.domain.problem import Problem
from placed.driver.file_content import read_file_content

if TYPE_CHECKING:
    from pathlib import Path

Location = tuple[str | int, ...]

_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LARGEST = 16 * 2**20  # bytes of one file; a device may be endless
_SAVE = "save the file as UTF-8"
_ADDED_UP = (("connections",), ("sensors",))  # lists of tables to which several files add
_MISSING = (errno.ENOENT, errno.ENOTDIR)
_DENIED = (errno.EACCES, errno.EPERM)


class UnreadableFiles(Exception):
    """Files that cannot be used; `problems` has one for each."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(problem.line for problem in problems))
        self.problems = problems


@dataclass(slots=True)
class SettingsFiles:
    """The merged content of the files, and the origin of each key."""

    main: Path
    read: list[Path] = field(default_factory=list)
    merged: dict[str, Any] = field(default_factory=dict)
    origin: dict[Location, Path] = field(default_factory=dict)

    def add(self, path: Path, content: dict[str, Any]) -> None:
        """Merges another file, which overrides the earlier ones."""
        self.read.append(path)
        self._merge(path, self.merged, content, ())

    def _merge(self, path: Path, into: dict[str, Any], content: dict[str, Any], at: Location) -> None:
        for key, value in content.items():
            here = (*at, key)
            if isinstance(value, dict):
                self.origin.setdefault(here, path)
                existing = into.get(key)
                target = existing if isinstance(existing, dict) else {}
                into[key] = target
                self._merge(path, target, value, here)
            elif here in _ADDED_UP and isinstance(value, list) and isinstance(into.get(key), list):
                for item in value:
                    self.origin[*here, len(into[key])] = path
                    into[key].append(item)
            else:
                into[key] = value
                self.origin[here] = path

    def holding(self, location: Location) -> Path:
        """The file that contains the key, or else its table."""
        for length in range(len(location), 0, -1):
            if location[:length] in self.origin:
                return self.origin[location[:length]]
        return self.main


def read_files(main: Path, *, required: bool) -> SettingsFiles:
    """Reads a configuration and the folder `placed.d` beside it.

    Args:
        main: the configuration's file.
        required: whether the file must exist.

    Raises:
        UnreadableFiles: with everything that is wrong with them.
    """
    files = SettingsFiles(main)
    problems: list[Problem] = []
    folder = main.parent / "placed.d"
    try:
        dropins = sorted(path for path in folder.iterdir() if _is_drop_in(path.name))
    except (OSError, ValueError) as error:
        dropins = []
        # If the folder cannot be read, neither can the main file, which is reported.
        if not (isinstance(error, OSError) and error.errno in _MISSING and not os.path.lexists(folder)):
            problems.append(_unreadable(folder, error))
    try:
        files.add(main, _parsed(main))
    except _Unusable as error:
        if not error.missing:
            problems.clear()
        if required or not error.missing:
            problems.insert(0, error.problem)
    for path in dropins:
        try:
            files.add(path, _parsed(path))
        except _Unusable as error:
            problems.append(error.problem)
    if problems:
        raise UnreadableFiles(*problems)
    return files


def _is_drop_in(name: str) -> bool:
    return name.endswith(".toml") and not name.startswith(".")


class _Unusable(Exception):
    """One file cannot be used. `missing`: it does not exist."""

    def __init__(self, problem: Problem, *, missing: bool = False) -> None:
        super().__init__(problem.line)
        self.problem = problem
        self.missing = missing


def _unusable(path: Path, text: str, remedy: str = "") -> _Unusable:
    return _Unusable(Problem("", text, remedy, file=str(path)))


def _parsed(path: Path) -> dict[str, Any]:
    try:
        content, _ = read_file_content(path, _LARGEST)
    except (OSError, ValueError) as error:  # a ValueError is a name with a NUL
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            text = f"is no configuration: it has more than {_LARGEST // 2**20} MiB"
            raise _unusable(path, text) from None
        missing = isinstance(error, FileNotFoundError) and not os.path.lexists(path)
        raise _Unusable(_unreadable(path, error), missing=missing) from None
    try:
        return tomllib.loads(_text(content))
    except tomllib.TOMLDecodeError as error:
        raise _unusable(path, f"no valid TOML: {error}") from None
    except _OtherEncoding as error:
        raise _unusable(path, f"expected UTF-8 text, found {error}", _SAVE) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, a list in a list in a list ...
        text = "no valid TOML: a number is too long, or lists are nested too deeply"
        raise _unusable(path, text) from None


def _unreadable(path: Path, error: OSError | ValueError) -> Problem:
    why = error.strerror if isinstance(error, OSError) else "no file can have this name"
    remedy = ""
    if isinstance(error, OSError) and error.errno in _DENIED:
        # Under systemd the user exists only while the service runs, so the file must be world-readable.
        remedy = f"let the user that placed runs as read it: chmod 755 {path.parent}; chmod 644 {path}"
    return Problem("", f"cannot be read: {why}", remedy, file=str(path), unread=path)


# --- encodings ----------------------------------------------------------------------------------------------


class _OtherEncoding(Exception):
    """The encoding that the file has instead of UTF-8."""


def _text(content: bytes) -> str:
    """The text of a file, without a byte order mark (BOM)."""
    if content.startswith(_UTF32):
        raise _OtherEncoding("UTF-32")
    try:
        if content.startswith(_UTF16):
            return content.decode("utf-16").replace("\r\n", "\n")
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.encoding != "utf-8":
            raise _OtherEncoding("UTF-16 that is cut off") from None
        line = content.count(b"\n", 0, error.start) + 1
        raise _OtherEncoding(f"byte {content[error.start]:#04x} in line {line}") from None
    if "\0" in text[:2]:
        raise _OtherEncoding("UTF-16 without a mark")
    return text
