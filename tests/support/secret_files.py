"""Files that hold secrets, as placed wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def write_secret(path: Path, content: str | bytes) -> None:
    """Writes a file that is for its owner alone: placed reads no secret that everybody could."""
    path.touch(mode=0o600)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
