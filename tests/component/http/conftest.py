from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.board_setup import BoardSetup
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def board_setup() -> BoardSetup:
    """Three rooms in two buildings: the boardroom is busy, the atrium free, the library never read."""
    board_setup = BoardSetup()
    board_setup.add("boardroom", building="Headquarters", floor="1", capacity=12)
    board_setup.add("atrium", building="Headquarters", floor="EG", capacity=40)
    board_setup.add("library", building="Annex", floor="1")
    return board_setup


@pytest.fixture
async def endpoint(board_setup: BoardSetup) -> AsyncIterator[Endpoint]:
    """A status endpoint over the site, and a client of it."""
    async with Endpoint(board_setup) as endpoint:
        yield endpoint
