"""Up to when a calendar's text names itself as published."""

from __future__ import annotations

from datetime import UTC, datetime
from time import process_time
from zoneinfo import ZoneInfo

from placed_icalendar.feeds.publication_window import published_until

BERLIN = ZoneInfo("Europe/Berlin")
PART = b"BEGIN:VFREEBUSY\r\nDTSTART:20261201T000000Z\r\nDTEND:%b\r\nEND:VFREEBUSY\r\n"


def test_the_last_end_of_free_busy_counts_and_no_end_outside_of_it() -> None:
    body = PART % b"20261204T000000Z" + b"DTEND:20261231T000000Z\r\n" + PART % b"20261203T000000"
    assert published_until(body, BERLIN) == datetime(2026, 12, 4, tzinfo=UTC)


def test_free_busy_that_never_ends_does_not_hold_the_event_loop() -> None:
    """Each BEGIN was once searched for its END: 42 s for 340 kB, in the event loop."""
    before = process_time()
    assert published_until(b"BEGIN:VFREEBUSY\r\n" * 20_000, BERLIN) is None
    assert process_time() - before < 5
