"""How long ago a process was started."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from placed.runtime.process_age import process_age

if TYPE_CHECKING:
    from pathlib import Path

AGE = "from placed.runtime.process_age import process_age; print(process_age())"


def test_a_process_counts_the_start_of_python_too() -> None:
    begun = time.monotonic()
    found = subprocess.run([sys.executable, "-c", AGE], capture_output=True, text=True, check=True).stdout
    assert 0.0 < float(found) <= time.monotonic() - begun + 0.02  # ticks of a hundredth, and some


@pytest.mark.parametrize("content", [None, "", "1 (a) R 1", "1 (a (b) R " + "x " * 30])
def test_a_system_that_does_not_show_it(content: str | None, tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    if content is not None:
        stat.write_text(content)
    assert process_age(stat) == 0.0
