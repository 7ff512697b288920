"""Finds the directory of the daemon's state."""

from __future__ import annotations

import os
from pathlib import Path

from placed.domain.exit_errors import CannotStart
from placed.domain.problem import Problem


def state_directory() -> Path:
    """Returns systemd's StateDirectory, or the user's own (XDG base directories).

    Raises:
        CannotStart: none is set, and the user has no home.
    """
    given = os.environ.get("STATE_DIRECTORY")
    if given:
        return Path(given.split(":")[0])
    try:
        return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "placed"
    except RuntimeError:
        text = "not set, and this user has no home folder"
        problem = Problem("STATE_DIRECTORY", text, "name a folder for placed's state")
        raise CannotStart(problem) from None
