"""For how long the machine kept processes from running, and when that is an overload."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.fault_injection.shared_clock import SharedClock
from tests.support.machine_delay import MachineDelay

if TYPE_CHECKING:
    from pathlib import Path


def delay_of(waits: dict[int, list[tuple[str, float]]], at: list[float]) -> MachineDelay:
    return MachineDelay(lambda: list(waits), lambda pid: waits[pid], lambda: at[0])


def test_what_was_waited_for_a_processor_before_does_not_count() -> None:
    waits, at = {1: [("1", 7.0)]}, [100.0]
    delay = delay_of(waits, at)
    at[0] += 10.0
    assert delay.seconds() == 0.0
    waits[1] = [("1", 9.0), ("2", 0.5)]
    at[0] += 10.0
    assert delay.seconds() == pytest.approx(2.5)
    waits[2] = [("5", 1.0)]  # a process that has begun since
    at[0] += 10.0
    assert delay.seconds() == pytest.approx(3.5)
    del waits[1]
    at[0] += 10.0
    assert delay.seconds() == pytest.approx(3.5)


def test_not_all_time_is_taken_for_the_machines_and_what_is_outstanding_is_counted_later() -> None:
    waits, at = {1: [("1", 0.0)]}, [100.0]
    delay = delay_of(waits, at)
    waits[1] = [("1", 3.0)]
    at[0] += 1.0
    assert delay.seconds() == pytest.approx(0.9)
    at[0] += 1.0
    assert delay.seconds() == pytest.approx(1.8)
    at[0] += 10.0
    assert delay.seconds() == pytest.approx(3.0)


def test_what_has_elapsed_does_not_go_back_when_a_delay_is_counted_late(tmp_path: Path) -> None:
    clock = SharedClock(tmp_path / "clock")
    before = clock.elapsed()
    clock.delay = lambda: 5.0  # more than has passed since
    assert clock.elapsed() >= before
    clock.suspend(60.0)
    assert clock.elapsed() > before + 50.0


def test_the_kernel_reports_who_waits_for_a_processor() -> None:
    """Two threads of C code that both want the same one."""
    delay = MachineDelay(lambda: [os.getpid()])
    allowed = os.sched_getaffinity(0)
    block = bytes(2**20)

    def work() -> None:
        os.sched_setaffinity(0, {min(allowed)})
        end = time.thread_time() + 0.2
        while time.thread_time() < end:
            hashlib.sha256(block)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():  # later the kernel knows nothing of it any more
            thread.join(0.03)
            delay.seconds()
    assert delay.seconds() > 0.0


@pytest.mark.parametrize(("share", "overloaded"), [(0.5, False), (0.7, True), (2.0, True)])
def test_a_machine_is_overloaded_while_most_of_the_last_seconds_were_without_a_processor(
    share: float, *, overloaded: bool
) -> None:
    waits, at = {1: [("1", 0.0)]}, [100.0]
    delay = delay_of(waits, at)
    assert not delay.is_overloaded
    for second in range(1, 31):
        at[0] += 1.0
        waits[1] = [("1", share * second)]
        delay.seconds()
    assert delay.is_overloaded is overloaded
    assert (delay.overloaded > 20.0) is overloaded
    for _ in range(15):
        at[0] += 1.0
        delay.seconds()
    assert not delay.is_overloaded
