"""Reads files that a person names: never without end, and never waiting for another program."""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_file_content(path: Path, largest: int) -> tuple[bytes, int]:
    """Returns the content of a file, and its mode.

    A named pipe is refused: to open one is to wait until a program writes to it, and it can be read only
    once. A pipe without a name, as the shell's `<(...)` is, can be read.

    Args:
        path: the file.
        largest: bytes; a device may have no end.

    Raises:
        OSError: it cannot be read, or it is larger.
    """
    with open(path, "rb", opener=_without_waiting) as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISFIFO(mode) and _has_name(file.fileno()):
            raise OSError(errno.EINVAL, "it is a named pipe, not a file", str(path))
        os.set_blocking(file.fileno(), stat.S_ISFIFO(mode))  # a terminal and the kernel's log have no end
        content = file.read(largest + 1) or b""  # None: nothing is there without waiting
    if len(content) > largest:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content, mode


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _has_name(pipe: int) -> bool:
    try:
        return not os.readlink(f"/proc/self/fd/{pipe}").startswith("pipe:")  # noqa: PTH115 - no path
    except OSError:
        return True
