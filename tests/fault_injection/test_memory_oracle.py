"""The oracle of memory tried by itself, with this process."""

from __future__ import annotations

import os
from collections import Counter

from tests.fault_injection.memory_oracle import MemoryOracle, largest_memory


def test_a_process_that_has_become_too_large_is_reported_once() -> None:
    largest = largest_memory(os.getpid())
    assert largest is not None
    complaints: list[int] = []
    for most in (largest * 10, largest // 10):
        oracle = MemoryOracle(most, Counter(), complaints.append)
        oracle.look(None)
        oracle.look(os.getpid())
        oracle.look(os.getpid())
    assert len(complaints) == 1
    assert complaints[0] >= largest


def test_of_a_process_that_has_ended_nothing_is_known() -> None:
    assert largest_memory(2**30) is None
