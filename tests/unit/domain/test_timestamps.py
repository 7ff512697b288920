from __future__ import annotations

from datetime import UTC, datetime

from placed.domain.timestamps import to_the_millisecond


def test_a_moment_is_written_to_the_millisecond_and_never_rounded_up() -> None:
    moments = [
        datetime(2026, 1, 8, 9, 59, 59, 4_999, UTC),
        datetime(2026, 1, 8, 9, 59, 59, 999_999, UTC),
        datetime(2026, 1, 8, 10, 0, 0, 0, UTC),
        datetime(2026, 1, 8, 9, 59, 59, 999_000, UTC),
    ]
    assert [to_the_millisecond(moment) for moment in moments] == [
        "2026-01-08T09:59:59.004Z",
        "2026-01-08T09:59:59.999Z",
        "2026-01-08T10:00:00.000Z",
        "2026-01-08T09:59:59.999Z",
    ]
