"""The notifications to systemd, over a real socket."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from placed.runtime.systemd import Supervisor
from tests.support.notify_socket import Manager

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    with Manager.listening(tmp_path) as manager:
        yield manager


def test_the_service_reports_its_state_in_the_format_of_sd_notify(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    supervisor = Supervisor.from_environment()
    supervisor.status("2 rooms in 1 connection(s)")
    supervisor.ready()
    supervisor.alive()
    supervisor.stopping()
    assert manager.heard == ["STATUS=2 rooms in 1 connection(s)", "READY=1", "WATCHDOG=1", "STOPPING=1"]


def test_a_status_may_have_any_letters(manager: Manager) -> None:
    Supervisor(manager.address).status("Räume: 會議室")
    assert manager.heard == ["STATUS=Räume: 會議室"]


def test_a_long_status_is_cut_to_what_systemd_takes(manager: Manager) -> None:
    assert Supervisor(manager.address).status("漢 " * 5000)
    (message,) = manager.heard
    assert message.startswith("STATUS=漢 漢")
    assert len(message.encode()) < 4096


def test_ready_waits_for_a_queue_that_is_full(manager: Manager) -> None:
    """As while a machine boots and every service notifies: without it the start would never end."""
    supervisor = Supervisor(manager.address)
    while supervisor.status("boot"):
        pass
    reader = threading.Timer(0.1, lambda: heard.extend(manager.heard))
    heard: list[str] = []
    reader.start()
    supervisor.ready()
    reader.join()
    assert "READY=1" in [*heard, *manager.heard]


def test_a_reload_reports_the_monotonic_time_that_systemd_requires(manager: Manager) -> None:
    before = time.monotonic_ns() // 1000
    Supervisor(manager.address).reloading()
    (message,) = manager.heard
    first, second = message.split("\n")
    assert first == "RELOADING=1"
    assert before <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000


def test_the_socket_may_be_an_abstract_one() -> None:
    with Manager.abstract() as manager:
        Supervisor(manager.address).ready()
        assert manager.heard == ["READY=1"]


def test_without_systemd_nothing_is_sent() -> None:
    supervisor = Supervisor.from_environment()
    assert supervisor.watchdog is None
    supervisor.ready()


def test_a_socket_that_has_vanished_is_no_error(tmp_path: Path) -> None:
    with Manager.listening(tmp_path) as manager:
        supervisor = Supervisor(manager.address)
    supervisor.ready()  # its file is there, and nobody behind it
    (tmp_path / "notify").unlink()
    supervisor.ready()
    with Manager.listening(tmp_path) as manager:  # systemd was executed again
        supervisor.alive()
        assert manager.heard == ["WATCHDOG=1"]


@pytest.mark.parametrize("address", ["x" * 200, "/\0", "@", "/nowhere/notify"])
def test_an_invalid_notify_address_is_no_error(address: str) -> None:
    Supervisor(address).ready()


def test_a_notify_socket_without_a_reader_does_not_block(manager: Manager) -> None:
    supervisor = Supervisor(manager.address)
    for _ in range(5000):
        supervisor.alive()
    assert 0 < len(manager.heard) < 5000


@pytest.mark.parametrize(
    ("microseconds", "pid", "expected"),
    [
        ("30000000", None, 30.0),
        ("1500000", "ours", 1.5),
        ("30000000", "other", None),  # meant for another process
        ("30000000", "", None),
        (None, None, None),
        (None, "ours", None),
        ("", None, None),
        ("soon", None, None),
        ("-1", None, None),
        ("0", None, None),
    ],
)
def test_a_watchdog_is_fed_only_where_it_watches_us(
    microseconds: str | None, pid: str | None, expected: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = {"ours": str(os.getpid()), "other": str(os.getpid() + 1)}
    for name, value in (
        ("WATCHDOG_USEC", microseconds),
        ("WATCHDOG_PID", pids.get(pid, pid) if pid else pid),
    ):
        if value is not None:
            monkeypatch.setenv(name, value)
    assert Supervisor.from_environment().watchdog == expected
