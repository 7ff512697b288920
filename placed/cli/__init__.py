"""The commands. Each is a module that imports the rest of the program only when it is called."""

from __future__ import annotations

import errno
import os
import sys

_INTERRUPTED = 130  # the exit code of shells and of typer for a command ended by Ctrl-C


def main() -> None:
    """The entry point of the command `placed`."""
    if sys.argv[1:2] == ["run"]:
        from placed.runtime import early_signals

        early_signals.catch()
    _open_streams()
    try:
        _main()
    except KeyboardInterrupt:  # during the start; later the commands handle it themselves
        sys.exit(_INTERRUPTED)


def _open_streams() -> None:
    """Replaces closed standard streams, so that output to them is discarded."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for all its life


def _main() -> None:
    from placed.cli import commands

    try:
        commands.app()
    except OSError as error:
        if error.errno == errno.ENOSPC and error.filename is None:
            sys.stdout = None  # otherwise Python would try to write it again at exit
        elif error.filename is None:  # no file is involved, so a traceback helps more than a line
            raise
        commands.end_with(error)
