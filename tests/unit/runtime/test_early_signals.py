"""Signals in the first moments of a start."""

from __future__ import annotations

import subprocess
import sys

import pytest

# It sends a signal to itself before any module of the daemon is imported.
PROGRAM = """
import os, signal, sys
# Where the tests run without a terminal, by nohup for example, SIGHUP is ignored by inheritance.
signal.signal(signal.{name}, signal.SIG_DFL)
from placed import cli

def begin():
    os.kill(os.getpid(), signal.{name})
    print("goes on")
    if sys.argv[1] == "run":
        from placed.runtime import early_signals
        print(early_signals.take_reload(), early_signals.take_reload())

cli._main = begin
cli.main()
"""


def signalled(name: str, command: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(name=name)
    return subprocess.run(
        [sys.executable, "-c", program, command], capture_output=True, check=False, text=True
    )


def test_a_sighup_before_the_daemon_is_ready_is_kept() -> None:
    process = signalled("SIGHUP", "run")
    assert (process.returncode, process.stderr) == (0, "")
    assert process.stdout.split("\n")[:2] == ["goes on", "True False"]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_signal_that_ends_the_start_is_no_failure(name: str) -> None:
    process = signalled(name, "run")
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM"])
def test_other_commands_end_as_usual(name: str) -> None:
    assert signalled(name, "check").returncode < 0
