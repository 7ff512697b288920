"""The operators' page lists each event of the log, and lists it once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "operators.md").read_text("utf-8")
LOGGED = re.compile(r'\blog\.(?:info|warning|error|exception|critical)\(\s*"([a-z_]+\.[a-z_]+)"')


def listed() -> Counter[str]:
    """The events in the first column; `.lost` after `broker.found` is `broker.lost`."""
    events: Counter[str] = Counter()
    for column in re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE):
        group = ""
        for name in re.findall(r"`([^`]+)`", column):
            whole = group + name if name.startswith(".") else name
            group = whole.partition(".")[0]
            events[whole] += 1
    return events


def logged() -> set[str]:
    """The events whose names stand in a call; debug is for developers."""
    sources = (path for folder in ("placed", "drivers") for path in (REPOSITORY / folder).rglob("*.py"))
    return {event for path in sources for event in LOGGED.findall(path.read_text("utf-8"))}


def test_no_event_is_listed_twice() -> None:
    assert [event for event, times in listed().items() if times > 1] == []


def test_each_event_is_listed() -> None:
    names = listed()
    groups = {event.removesuffix(".…") for event in names if event.endswith(".…")}
    events = logged()
    assert len(events) > 50
    assert {
        event for event in events if event not in names and event.partition(".")[0] not in groups
    } == set()
