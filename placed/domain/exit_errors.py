"""Exit codes, and the errors that end a command or the daemon because a person has to act."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed.domain.problem import Problem


class ExitCode(IntEnum):
    """The exit code of a process."""

    DONE = 0
    FAILED = 1  # while running; systemd may start it again
    USAGE = 2
    CANNOT_START = 3  # systemd must not retry: a person has to fix something first


class CannotStart(Exception):
    """Placed cannot start or go on until a person changes the configuration or a file."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("\n".join(problem.line for problem in problems))
        self.problems = problems


class TakenOver(CannotStart):
    """Another instance has taken over our MQTT client id. We stop, and do not fight it."""
