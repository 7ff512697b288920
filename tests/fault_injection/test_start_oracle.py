"""The oracle of starts tried by itself, and the socket that it reads."""

from __future__ import annotations

import socket
from collections import Counter

from tests.fault_injection.start_oracle import NotificationSocket, StartOracle


def test_a_start_is_over_within_some_seconds_in_which_the_daemon_can_run() -> None:
    complaints: list[float] = []
    oracle = StartOracle(2.0, Counter(), complaints.append)
    moments = iter(range(1000))

    def looks(times: int, start: int, lines: list[str], *, runs: bool = True) -> int:
        for _ in range(times):
            oracle.look(start, lines, next(moments) / 2, runs=runs)
        return len(complaints)

    assert looks(10, 0, [], runs=False) == 0  # there was none yet
    assert looks(4, 1, ["STATUS=starting"]) == 0
    assert looks(1, 1, ["STATUS=ready", "READY=1"]) == 0
    assert looks(10, 1, []) == 0
    assert looks(1, 2, ["READY=1"]) == 0  # the one before has sent it
    assert looks(3, 2, []) == 0
    assert looks(10, 2, [], runs=False) == 0  # it stands still
    assert looks(2, 2, []) == 1
    assert looks(10, 2, []) == 1  # it is reported once
    assert looks(10, 3, []) == 2


def test_notifications_are_received_as_systemd_does() -> None:
    with NotificationSocket() as notified, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as daemon:
        assert notified.received() == []
        daemon.connect("\0" + notified.address[1:])
        daemon.send(b"READY=1")
        daemon.send(b"STATUS=all is well\nWATCHDOG=1")
        assert notified.received() == ["READY=1", "STATUS=all is well", "WATCHDOG=1"]
        assert notified.received() == []
