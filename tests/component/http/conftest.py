from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from placed.http.limits import Limits
from tests.component.http.acting_panel import PANELS, Panel
from tests.support.board_setup import BoardSetup
from tests.support.hand_sink import EVERYTHING, HandSink
from tests.support.secret_files import write_secret
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


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


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    path = tmp_path / "panels.toml"
    write_secret(path, PANELS)
    return path


@pytest.fixture
async def panel(board_setup: BoardSetup, tokens: Path) -> AsyncIterator[Panel]:
    """The panel at the door of the boardroom, where everything is allowed."""
    sink = HandSink(offers={"boardroom": EVERYTHING})
    limits = Limits(outcome=0.01)
    async with Endpoint(
        board_setup, limits=limits, actions=sink, panel_tokens=tokens, steady=lambda: 0.0
    ) as endpoint:
        yield Panel(endpoint, sink)
