"""No answer carries a statement that had ended at the time that the answer names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from placed.domain.model import Meeting
from tests.support.board_setup import NINE, BoardSetup
from tests.support.status_endpoint import Endpoint

TICK = timedelta(milliseconds=1)


@dataclass
class FastClockBoard(BoardSetup):
    """Time passes with every look at the clock."""

    def now(self) -> datetime:
        self.moment += TICK
        return self.moment


@pytest.mark.parametrize("path", ["/api/v1/rooms", "/api/v1/rooms/boardroom"])
async def test_however_fast_edges_come(path: str) -> None:
    board_setup = FastClockBoard()
    board_setup.add("boardroom")
    meetings = [Meeting(f"key-{n}", NINE + n * 9 * TICK, NINE + (n * 9 + 4) * TICK) for n in range(2000)]
    board_setup.read("boardroom", *meetings)
    seen = set()
    async with Endpoint(board_setup) as endpoint:
        for _ in range(100):
            answer = await endpoint.get(path)
            reported = datetime.fromisoformat(answer.headers["Placed-Time"])
            for room in answer.json.get("rooms", [answer.json]):
                seen.add(room["status"])
                assert room["status"] == "unknown" or datetime.fromisoformat(room["valid_until"]) > reported
    assert {"busy", "starting"} <= seen
