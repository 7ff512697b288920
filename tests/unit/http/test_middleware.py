from __future__ import annotations

from datetime import UTC, datetime

from placed.http.middleware import ClockText


def test_every_answer_tells_its_own_moment() -> None:
    moments = [
        datetime(2026, 1, 8, 9, 59, 59, 4_999, UTC),
        datetime(2026, 1, 8, 9, 59, 59, 999_999, UTC),
        datetime(2026, 1, 8, 10, 0, 0, 0, UTC),
        datetime(2026, 1, 8, 9, 59, 59, 999_000, UTC),  # clocks are set back
    ]
    clock = iter(moments)
    text = ClockText(lambda: next(clock)).text
    assert [text() for _ in moments] == [
        "2026-01-08T09:59:59.004Z",
        "2026-01-08T09:59:59.999Z",
        "2026-01-08T10:00:00.000Z",
        "2026-01-08T09:59:59.999Z",
    ]
