from __future__ import annotations

import gc
import sys
import warnings
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


# How long an example takes is the machine's affair: one with much to do would fail tests that are right.
# The examples are the same in every run, so that only a change decides whether it passes.
settings.register_profile(
    "patient",
    settings(),
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("patient")
settings.register_profile("quick", settings(), max_examples=30)  # for scripts/test --quick
# For scripts/test-long, which draws new ones.
settings.register_profile("thorough", settings(), derandomize=False, max_examples=1000)


@pytest.fixture(autouse=True)
def _only_its_own_garbage(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where real time is measured, what other tests left in this process is not gone through by the way."""
    if request.node.get_closest_marker("alone") is None:
        yield
        return
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: the garbage collector need not look at them again and again."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """What a test that failed has left open is closed here, so that it is not reported of a later test.

    The traceback of a failure keeps the sockets of its frames, whose end is a ResourceWarning.
    """
    before = item.session.testsfailed
    result = yield
    if item.session.testsfailed > before:
        for name in ("last_exc", "last_type", "last_value", "last_traceback"):
            if hasattr(sys, name):
                delattr(sys, name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
    return result
