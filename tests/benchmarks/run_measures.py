"""Has measures run, each in a process of its own, so that none is measured with what another left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

import msgspec

from tests.benchmarks.measures import MEASURES
from tests.benchmarks.results import Result

if TYPE_CHECKING:
    from tests.benchmarks.workload_size import Effort

LONGEST = 600.0  # seconds; a measure that takes longer hangs, even if it installs peers first


class Failed(Exception):
    """A measure failed; the message gives the reason in one line."""


def names() -> list[str]:
    """The measures that there are, in the order of the table."""
    return list(MEASURES)


def measure_apart(name: str, effort: Effort) -> Result:
    """What a measure finds.

    Raises:
        Failed: it found nothing.
    """
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.run_one_measure",
        name,
        *(["--short"] if effort.short else []),
    ]
    # Files and no pipes: a pipe does not end while a broker that was left behind has the other end of it.
    with TemporaryFile() as found, TemporaryFile() as errors:
        code = _run(command, found, errors)
        if code != 0:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            raise Failed(lines[-1] if lines else f"ended with {code}")
        found.seek(0)
        return msgspec.json.decode(found.read(), type=Result)


def _run(command: list[str], found: IO[bytes], errors: IO[bytes]) -> int:
    """Runs it to its end, and takes what it began along. Returns the exit code."""
    process = subprocess.Popen(command, stdout=found, stderr=errors, start_new_session=True)
    try:
        return process.wait(LONGEST)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"not done after {LONGEST:.0f} s") from error
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
