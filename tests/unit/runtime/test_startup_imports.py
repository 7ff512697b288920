"""A start that is quick; tests/benchmarks/measures/startup.py measures it."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from placed.runtime.lasting import for_good

LATE = {"amqtt", "msal", "pygments", "rich", "trustme"}
AFTER_ASKING = {"aiohttp", "aiomqtt", "paho", "prometheus_client"}
FOR_VARIABLES = {"pydantic_settings"}


def imported(program: str) -> list[str]:
    """Which of the modules that wait for their first use a program has imported."""
    wanted = LATE | AFTER_ASKING | FOR_VARIABLES
    told = f"{program}; import sys; print(*sorted({wanted} & sys.modules.keys()))"
    process = subprocess.run([sys.executable, "-c", told], capture_output=True, check=True, text=True)
    return process.stdout.split()


def test_the_daemon_imports_nothing_before_it_asks_that_it_does_not_need_for_that() -> None:
    assert imported("import placed.cli.commands, placed.runtime.signals, placed_microsoft365") == []


def test_what_draws_tables_still_does() -> None:
    assert imported("import placed.cli.commands, rich.table") == ["rich"]


def test_the_garbage_collector_passes_over_what_is_there_for_good() -> None:
    before = gc.get_freeze_count()
    try:
        with for_good():
            assert not gc.isenabled()
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()


def test_a_start_that_fails_leaves_the_collector_as_it_was() -> None:
    before = gc.get_freeze_count()
    with pytest.raises(RuntimeError), for_good():
        raise RuntimeError
    assert gc.isenabled()
    assert gc.get_freeze_count() == before
