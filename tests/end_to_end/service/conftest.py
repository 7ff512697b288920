from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.deployment import Deployment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    """A tenant with two rooms and a broker that lets everybody in."""
    async with Deployment.open(tmp_path) as deployment:
        yield deployment
