"""Ends of the daemon that an operator has to see to, and what they mean to systemd."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its parent."""

    DONE = 0
    FAILED = 1  # while running; systemd may start it again
    USAGE = 2
    CANNOT_START = 3  # systemd must not retry: a person has to fix something first


class CannotStart(Exception):
    """Only a person can mend it, in configuration or files. One problem a line: what, where, what to do."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class TakenOver(CannotStart):
    """Another instance has taken over our MQTT client id. We stop, and do not fight it."""
