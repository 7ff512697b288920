"""One measure in a process of its own.

    .venv/bin/python -m tests.benchmarks.run_one_measure polling --short

It prints what was found as JSON. All other output, such as a warning of the product, goes to standard error;
if the measure fails, its last line is the reason.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
import traceback

import msgspec
import structlog

from tests.benchmarks.workload_size import Effort


def measure(name: str, effort: Effort) -> bytes:
    """What the measure of this name finds, as JSON."""
    return msgspec.json.encode(importlib.import_module(f"tests.benchmarks.measures.{name}").measure(effort))


def reason(error: BaseException) -> str:
    """An error in one line: of a group of them, the first that is none."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return " ".join(f"{type(error).__name__}: {error}".split())


def silence() -> None:
    """Limits the product's log to warnings, on standard error."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def main() -> int:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="run_one_measure", description="Runs one measure, and prints it as JSON."
    )
    parser.add_argument("name")
    parser.add_argument("--short", action="store_true")
    given = parser.parse_args()
    answer = os.dup(1)
    os.dup2(2, 1)  # so that nobody else, no child either, writes into the answer
    silence()
    try:
        found = measure(given.name, Effort(given.short))
    except Exception as error:  # noqa: BLE001 - any error is reported
        traceback.print_exc()
        sys.stderr.write(f"{reason(error)}\n")
        return 1
    with open(answer, "wb") as to:  # noqa: PTH123 - it has no path
        to.write(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
