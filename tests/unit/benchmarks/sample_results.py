"""Results that nobody measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.benchmarks.results import Result, Row

if TYPE_CHECKING:
    from tests.benchmarks.results import Curve


def row(key: str = "poll.unchanged.5500", ours: float = 30.0, **more: Any) -> Row:
    return Row(key=key, what="CPU per room", unit="µs", ours=ours, **more)


def result(*rows: Row, curves: tuple[Curve, ...] = ()) -> Result:
    return Result(list(rows), list(curves))
