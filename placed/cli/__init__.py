"""The commands. Each is a module of its own that imports the rest of the program only when it is called."""

from __future__ import annotations

import sys

from placed.lasting import for_good


def main() -> None:
    """The entry point of the command `placed`."""
    with for_good():
        from placed.cli import commands

    commands.only("".join(sys.argv[1:2]))
    try:
        commands.app()
    except OSError as error:
        if error.filename is None:  # no file is at fault, so a traceback helps more than a line
            raise
        commands.end_with(error)
