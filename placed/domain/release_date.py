"""When this release of placed was made."""

from __future__ import annotations

from datetime import UTC, datetime

# The date of the newest version in CHANGELOG.md, to which a test holds it. A clock that shows an earlier time
# is certainly wrong.
RELEASED = datetime(2026, 11, 25, tzinfo=UTC)
