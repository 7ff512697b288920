"""Where the daemon keeps its state."""

from __future__ import annotations

import os
from pathlib import Path


def state_directory() -> Path:
    """Systemd's StateDirectory, or the user's own (XDG base directories)."""
    given = os.environ.get("STATE_DIRECTORY")
    if given:
        return Path(given.split(":")[0])
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "placed"
