from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.daemon_environment import Stage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A tenant with two rooms and a broker that lets everybody in."""
    async with Stage.open(tmp_path) as stage:
        yield stage
