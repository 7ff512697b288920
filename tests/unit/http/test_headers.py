from __future__ import annotations

from datetime import UTC, datetime

from multidict import CIMultiDict

from placed.http.headers import Seal


def test_every_answer_tells_its_own_moment() -> None:
    told = []
    moments = [
        datetime(2026, 1, 8, 9, 59, 59, 4_999, UTC),
        datetime(2026, 1, 8, 9, 59, 59, 999_999, UTC),
        datetime(2026, 1, 8, 10, 0, 0, 0, UTC),
        datetime(2026, 1, 8, 9, 59, 59, 999_000, UTC),  # clocks are set back
    ]
    clock = iter(moments)
    seal = Seal(lambda: next(clock))
    for _ in moments:
        headers: CIMultiDict[str] = CIMultiDict()
        seal.put_on(headers)
        told.append(headers["Placed-Time"])
    assert told == [
        "2026-01-08T09:59:59.004Z",
        "2026-01-08T09:59:59.999Z",
        "2026-01-08T10:00:00.000Z",
        "2026-01-08T09:59:59.999Z",
    ]


def test_an_answer_keeps_the_policy_that_it_has() -> None:
    headers: CIMultiDict[str] = CIMultiDict({"Content-Security-Policy": "default-src 'self'"})
    Seal(lambda: datetime.now(UTC)).put_on(headers)
    assert headers.getall("Content-Security-Policy") == ["default-src 'self'"]
    assert headers["Server"] == "placed"
