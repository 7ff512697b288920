"""Signals that arrive before the daemon has installed its own handlers."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_reload = False


def catch() -> None:
    """Installs handlers for the start: SIGHUP is kept, SIGTERM and SIGUSR1 end the process with 0."""
    signal.signal(signal.SIGHUP, _keep)
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGUSR1, _end)


def take_reload() -> bool:
    """Whether a SIGHUP arrived since the last call."""
    global _reload
    kept, _reload = _reload, False
    return kept


def _keep(_number: int, _frame: FrameType | None) -> None:
    global _reload  # noqa: PLW0603 - signals belong to the process
    _reload = True


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
