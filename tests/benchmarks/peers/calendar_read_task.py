"""The task of every peer: to read all rooms' calendars, some at a time, and to report what that took."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from tests.benchmarks.child_process import report
from tests.benchmarks.processor_time import alternately, settle_on
from tests.benchmarks.servers.graph_responses import DAYS, TODAY, address

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

START: Final = TODAY + timedelta(days=DAYS[0])
END: Final = TODAY + timedelta(days=DAYS[-1] + 1)
FIELDS: Final = ("id", "start", "end", "isAllDay", "isCancelled", "showAs", "sensitivity", "responseStatus")
TOP: Final = 100
CONCURRENCY: Final = 8  # rooms at once, as many as placed has batches
TOKEN: Final = "aaa.bbb.ccc"
LIFETIME: Final = 3600  # seconds
_WARMING: Final = 2 * CONCURRENCY  # rooms
_TIMES: Final = 2


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be read.

    Attributes:
        url: of Graph, without its version, or of Google Calendar.
        mailboxes: of the rooms.
        ca_file: that the url is checked with.
    """

    url: str
    mailboxes: list[str]
    ca_file: str


def given(mailbox: Callable[[int], str] = address) -> Task:
    """The task on the command line; `mailbox` names a room by its number."""
    parser = argparse.ArgumentParser(description="Reads rooms' calendars as a peer of placed does.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--ca", required=True, help="file of the CA that the url is checked with")
    parser.add_argument("--rooms", type=int, default=200)
    found = parser.parse_args()
    _trust(found.ca)
    return Task(found.url, [mailbox(room) for room in range(found.rooms)], found.ca)


def _trust(ca_file: str) -> None:
    # Every client goes by the environment, and so stays as it is made by default.
    os.environ |= {"SSL_CERT_FILE": ca_file, "REQUESTS_CA_BUNDLE": ca_file, "NO_PROXY": "localhost,127.0.0.1"}
    os.environ.pop("no_proxy", None)  # it would go before


async def take(distribution: str, task: Task, poll: Callable[[Sequence[str]], Awaitable[int]]) -> None:
    """Has all rooms polled, and reports what that took.

    A poll of some rooms goes before, which opens the connections and imports what is imported at first use.
    Of the others, the one that took least counts.

    Args:
        distribution: that is measured.
        task: that it was set.
        poll: reads these mailboxes once and returns how many meetings it found.
    """
    settle_on(0)
    found: set[int] = set()

    async def counted() -> None:
        found.add(await poll(task.mailboxes))

    await poll(task.mailboxes[:_WARMING])
    [least] = await alternately(_TIMES, counted)
    if len(found) > 1:
        raise RuntimeError(f"the polls found {sorted(found)} meetings, though nothing changed")
    report(
        {
            "peer": f"{distribution} {version(distribution)}",
            "cpu_seconds": least,
            "rooms": len(task.mailboxes),
            "events": found.pop(),
        }
    )
