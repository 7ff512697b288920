"""What `tests/conftest.py` does for all tests."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

TESTS = """
import gc, socket

def test_that_fails_with_an_open_socket():
    listening = socket.create_server(("127.0.0.1", 0))
    raise ValueError(listening)

def test_that_passes():
    gc.collect()
"""


@pytest.mark.slow  # it runs pytest in a process of its own
def test_a_test_that_fails_does_not_spoil_the_next_one(tmp_path: Path) -> None:
    file = tmp_path / "test_two.py"
    file.write_text(TESTS)
    options = ("-p", "tests.conftest", "-p", "no:cacheprovider", "-W", "error", "-c", "pyproject.toml")
    command = (sys.executable, "-m", "pytest", *options, "--rootdir", tmp_path, file)
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "1 failed, 1 passed" in done.stdout, done.stdout
