"""What is promised of the daemon, in seconds, and a promise that was broken."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that was broken, with what helps to find out why."""

    rule: str
    elapsed: float
    panel: str
    room: str
    shown: str
    story: list[str]


@dataclass(frozen=True, slots=True)
class Promise:
    """What is judged by; seconds.

    Attributes:
        budget: for so long a state may be shown after it was true; the daemon's `expire_after`, and some.
        fresh: the same in calm, where only the polling interval is between a calendar and a panel.
        recovery: from the end of the last fault until all has to be right.
        grace: for how long a room may be wrong or missing in calm, as at an edge.
        silence: for how long a page may show a room after the daemon has ended.
        owed: for how long a ready daemon may answer something else than its broker holds.
        fence: for how long a fence may be reported as verified after that could be proven.
        start: for how long a start may take until systemd is notified that it is over.
    """

    budget: float
    fresh: float
    recovery: float
    grace: float = 2.0
    silence: float = 12.0
    owed: float = 20.0
    fence: float = 40.0
    start: float = 8.0
