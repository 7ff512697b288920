from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


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
