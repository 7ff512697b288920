from __future__ import annotations

import pytest

from placed.board.board import Board
from placed.domain.privacy import Show
from tests.support.domain_builders import POLICY, FakeClock, Recorder, at


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(at("9:00"))


@pytest.fixture
def board(clock: FakeClock) -> Board:
    return Board(POLICY, Show.NOTHING, clock.now, epoch=7)


@pytest.fixture
def recorder(board: Board) -> Recorder:
    recorder = Recorder()
    board.listeners.append(recorder)
    return recorder
