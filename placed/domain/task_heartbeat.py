"""Liveness: each task must report within its deadline, or it counts as stuck."""

from __future__ import annotations

import math
import time


class TaskHeartbeat:
    """The liveness of one task.

    Its clock stands still while the machine is suspended, as the task does.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._until = math.inf  # no deadline yet

    def expect(self, seconds: float) -> None:
        """The task reports, and must report again within so many seconds."""
        self._until = time.monotonic() + seconds

    @property
    def stuck(self) -> bool:
        """Whether the task has missed its deadline."""
        return time.monotonic() > self._until
