"""The token of the panel in `placed demo`."""

from __future__ import annotations

from hashlib import sha256
from secrets import token_urlsafe
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TOKEN = 24  # bytes


def write_panel_token(file: Path) -> str:
    """Writes the file of panels with one that may do everything, and returns its token."""
    token = token_urlsafe(_TOKEN)
    digest = sha256(token.encode()).hexdigest()
    file.touch(mode=0o600)
    file.write_text(f'[demo]\ntoken_sha256 = "{digest}"\nscopes = ["rooms/*:*"]\n', "utf-8")
    return token
