"""All clients of the event stream get a change at once; tests/benchmarks/measures/streams.py measures it."""

from __future__ import annotations

import pytest

from tests.benchmarks.measures.streams import Comparison, endpoint

CLIENTS = 100
ROOMS = 500
TIMES = 5


@pytest.mark.alone  # it measures how long events take to a hundred clients
@pytest.mark.parametrize("changed", [1, ROOMS // 10])
async def test_a_hundred_clients_receive_changes_within_a_second(changed: int) -> None:
    with endpoint(ROOMS) as server:
        comparison = Comparison(server, CLIENTS)
        await comparison.gather()
        for _ in range(TIMES):
            change = await comparison.change(changed)
            assert len(change.heard) == CLIENTS
            assert max(change.heard) < 1
        await comparison.leave()
