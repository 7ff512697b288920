"""When this release of placed was made."""

from __future__ import annotations

from datetime import UTC, datetime

# Raised with each release; a clock that shows an earlier time is wrong for certain.
RELEASED = datetime(2026, 11, 25, tzinfo=UTC)
