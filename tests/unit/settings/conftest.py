from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of the machine names a file or credentials."""
    for name in ("PLACED_CONFIG", "CREDENTIALS_DIRECTORY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Writes the settings."""

    def write(text: str) -> Path:
        path = tmp_path / "placed.toml"
        path.write_text(text, "utf-8")
        return path

    return write
