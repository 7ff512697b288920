"""The peers: the usual ways to read a room's calendar from Python, one GET a room.

They are no dependencies of placed. Each is a module here that runs in a process of its own, in an environment
of theirs; so this module and what it imports stand on the standard library alone.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Final, TypedDict

from tests.benchmarks.peers.environment import NoPeersError, python
from tests.benchmarks.servers.graph_responses import DAYS, MEETINGS

__all__ = ["PEERS", "NoPeersError", "WrongAnswerError", "measure", "measure_google"]

# Modules, and the most rooms that each is given: as many as it reads in some seconds. One GET a room, so that
# a room costs the same however many there are.
PEERS: Final = {"msgraph_sdk": 50, "o365": 200}
GOOGLE_PEERS: Final = {"google_api_python_client": 100}
PATIENCE: Final = 300  # seconds that a peer may take
_ROOT: Final = Path(__file__).parents[3]


class WrongAnswerError(Exception):
    """A peer failed, or did not find the meetings that are there; its time is meaningless."""


def measure(url: str, ca_file: str, rooms: int, meetings: int = MEETINGS) -> dict[str, float]:
    """What the peers take.

    Args:
        url: of a Graph as `tests.benchmarks.servers.graph` is, over https.
        ca_file: that it is checked with.
        rooms: their number; a peer reads no more of them than `PEERS` allows.
        meetings: that a room has there every day.

    Returns:
        Seconds of the processor a room and poll, by the peer's name with its version.

    Raises:
        NoPeersError: They cannot be installed here; the message gives the reason.
        WrongAnswerError: One of them failed, or found other than all meetings.
    """
    return _measure(PEERS, url, ca_file, rooms, meetings)


def measure_google(url: str, ca_file: str) -> dict[str, float]:
    """The same of the peer for Google Calendar, before a `tests.benchmarks.servers.google`."""
    return _measure(GOOGLE_PEERS, url, ca_file, max(GOOGLE_PEERS.values()), MEETINGS)


def _measure(peers: dict[str, int], url: str, ca_file: str, rooms: int, meetings: int) -> dict[str, float]:
    interpreter = python()
    taken: dict[str, float] = {}
    for peer, most in peers.items():
        read = min(rooms, most)
        report = _run(interpreter, peer, "--url", url, "--ca", ca_file, "--rooms", str(read))
        there = read * meetings * len(DAYS)
        if report["events"] != there:
            raise WrongAnswerError(f"{report['peer']} found {report['events']} of {there} meetings")
        taken[report["peer"]] = report["cpu_seconds"] / read
    return taken


class _Report(TypedDict):
    peer: str  # with its version
    cpu_seconds: float
    rooms: int
    events: int


def _run(interpreter: Path, peer: str, *arguments: str) -> _Report:
    done = subprocess.run(
        (interpreter, "-m", f"tests.benchmarks.peers.{peer}", *arguments),
        check=False,
        capture_output=True,
        text=True,
        cwd=_ROOT,
        timeout=PATIENCE,
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no output"]
        raise WrongAnswerError(f"{peer} failed: {lines[-1].strip()}")
    report: _Report = json.loads(done.stdout)
    return report
