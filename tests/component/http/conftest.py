from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.sample_boards import Site
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def site() -> Site:
    """Three rooms in two buildings: the boardroom is busy, the atrium free, the library never read."""
    site = Site()
    site.add("boardroom", building="Headquarters", floor="1", capacity=12)
    site.add("atrium", building="Headquarters", floor="EG", capacity=40)
    site.add("library", building="Annex", floor="1")
    return site


@pytest.fixture
async def endpoint(site: Site) -> AsyncIterator[Endpoint]:
    """A status endpoint over the site, and a client of it."""
    async with Endpoint(site) as endpoint:
        yield endpoint
