from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from placed.store import Journal
from tests.component.store.daemon_run import DaemonRun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "state")) as opened:
        yield opened


@pytest.fixture
def daemon_run(journal: Journal) -> DaemonRun:
    """The first life, with its rooms."""
    made = DaemonRun(journal)
    made.enroll()
    return made
