"""The commands. Each is a module of its own that imports the rest of the program only when it is called."""

from __future__ import annotations

import errno
import os
import sys

_INTERRUPTED = 130  # what a shell gives for a command that Ctrl-C ended, and what typer gives


def main() -> None:
    """The entry point of the command `placed`."""
    _open_streams()
    try:
        _main()
    except KeyboardInterrupt:  # while it begins; later on the commands take it themselves
        sys.exit(_INTERRUPTED)


def _open_streams() -> None:
    """Where a standard stream is closed, what is written to it is discarded, as on /dev/null."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for all its life


def _main() -> None:
    from placed.cli import commands

    try:
        commands.app()
    except OSError as error:
        if error.errno == errno.ENOSPC and error.filename is None:
            sys.stdout = None  # it could not be written, and would be tried again at the end
        elif error.filename is None:  # no file is at fault, so a traceback helps more than a line
            raise
        commands.end_with(error)
