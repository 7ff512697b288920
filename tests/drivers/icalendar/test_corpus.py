"""Feeds as services write them, or spoil them, with the occurrences that are in each.

`corpus/expected.json` has for each feed why it is there, and `occupied`: the intervals in UTC that occupy the
room and touch the window, or `malformed`. `or` is an answer that is as good.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from placed_icalendar.occurrences.calendar_reader import Malformed
from tests.drivers.icalendar.calendar_bodies import occupied, window

CORPUS = Path(__file__).with_name("corpus")
EXPECTED: dict[str, Any] = json.loads((CORPUS / "expected.json").read_text("utf-8"))
FEEDS: dict[str, dict[str, Any]] = EXPECTED["feeds"]
MALFORMED = [name for name in sorted(FEEDS) if FEEDS[name]["occupied"] == "malformed"]
BEGIN, END = (datetime.fromisoformat(time) for time in EXPECTED["window"])
ASKED = window(BEGIN, END, ZoneInfo(EXPECTED["zone"]))


async def found_in(body: bytes) -> Any:
    try:
        found = await occupied(body, asked=ASKED)
    except Malformed:
        return "malformed"
    return [[f"{time.replace(' ', 'T')}:00Z" for time in interval] for interval in found]


def test_every_feed_of_the_corpus_has_an_expectation() -> None:
    assert {path.stem for path in CORPUS.glob("*.ics")} == set(FEEDS)
    assert len([name for name in FEEDS if name.startswith("feed-")]) == 19  # and the large one, which is made


@pytest.mark.parametrize("name", sorted(FEEDS))
async def test_a_feed_has_exactly_the_expected_occurrences(name: str) -> None:
    expected = FEEDS[name]
    found = await found_in((CORPUS / f"{name}.ics").read_bytes())
    assert found in [expected["occupied"], *([expected["or"]] if "or" in expected else [])], expected["why"]


@pytest.mark.parametrize("name", [name for name in sorted(FEEDS) if name not in MALFORMED])
async def test_a_feed_that_is_cut_off_anywhere_is_malformed(name: str) -> None:
    lines = (CORPUS / f"{name}.ics").read_bytes().rstrip().splitlines(keepends=True)
    for number in range(len(lines)):
        part = b"".join(lines[:number])
        if part.rstrip().upper().endswith(b"END:VCALENDAR"):
            continue  # between two calendars: whole, as far as anybody can see
        assert await found_in(part) == "malformed", f"after line {number}"


@pytest.mark.parametrize("name", MALFORMED)
async def test_a_malformed_feed_is_reported_without_any_value_of_it(name: str) -> None:
    with pytest.raises(Malformed) as caught:
        await occupied((CORPUS / f"{name}.ics").read_bytes(), asked=ASKED)
    assert not any(
        value in str(caught.value) for value in ("soon", "Mars", "Olympus", "FORTNIGHTLY", "09:00")
    )
