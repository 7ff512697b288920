"""The oracle of hidden texts tried by itself, and what the tenant's people book."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.fault_injection.secrecy_oracle import HIDDEN, SecrecyOracle

if TYPE_CHECKING:
    from tests.fault_injection.promise import Violation


def test_each_hidden_text_is_reported_once_of_each_way_out() -> None:
    violations: list[Violation] = []
    oracle = SecrecyOracle(Counter(), violations.append)
    oracle.look("messages", "placed/rooms/room/state", b'{"title": null, "organizer": "Ada"}', 1.0)
    assert violations == []
    for text in HIDDEN:
        for _ in range(2):
            oracle.look("messages", "placed/rooms/room/state", f'{{"title": "{text}"}}'.encode(), 2.0)
            oracle.look("files", "journal.db", b"\0\1" + text.encode() + b"\2", 2.0)
    assert [violation.rule for violation in violations] == ["hidden_in_messages", "hidden_in_files"] * 3
