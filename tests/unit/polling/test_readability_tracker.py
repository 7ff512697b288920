"""Which rooms are readable, from one answer to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure, RoomReadability, readability_documents
from placed.polling.readability_tracker import ReadabilityTracker
from tests.support.domain_builders import at, room

if TYPE_CHECKING:
    from datetime import datetime


NINE, TEN = at("9:00"), at("10:00")


def failed(reason: Reason, since: datetime, *, remedy: str = "") -> ReadFailure:
    return ReadFailure(reason, since, Problem("", "403 ErrorAccessDenied", remedy))


def described(readability: ReadabilityTracker) -> dict[str, Any]:
    (document,) = readability_documents([room()], readability.snapshot, None)
    return document


def test_a_room_is_readable_since_it_was_first_read() -> None:
    readability = ReadabilityTracker()
    assert not readability.succeeded("boardroom", NINE)
    assert not readability.succeeded("boardroom", TEN)
    assert (described(readability)["access"], described(readability)["since"]) == (
        "readable",
        "2026-10-06T09:00:00Z",
    )


@pytest.mark.parametrize(
    ("reason", "access"),
    [
        (Reason.FORBIDDEN, "refused"),
        (Reason.NOT_FOUND, "not_found"),
        (Reason.THROTTLED, "throttled"),
        (Reason.MALFORMED, "malformed"),
        (Reason.UNAVAILABLE, "unavailable"),
    ],
)
def test_an_unreadable_room_carries_its_start_and_reason(reason: Reason, access: str) -> None:
    readability = ReadabilityTracker()
    readability.succeeded("boardroom", NINE)
    assert readability.failed("boardroom", failed(reason, NINE, remedy="correct it"))
    assert not readability.failed("boardroom", failed(reason, TEN, remedy="correct it"))
    assert described(readability) | {"name": ""} == {
        "room": "boardroom",
        "name": "",
        "access": access,
        "since": "2026-10-06T09:00:00Z",
        "reason": reason.value,
        "detail": "403 ErrorAccessDenied",
        "remedy": "correct it",
    }
    assert readability.succeeded("boardroom", TEN)
    assert (described(readability)["access"], described(readability)["since"]) == (
        "readable",
        "2026-10-06T10:00:00Z",
    )


def test_rooms_that_are_gone_are_forgotten() -> None:
    readability = ReadabilityTracker()
    readability.succeeded("boardroom", NINE)
    readability.failed("library", failed(Reason.THROTTLED, NINE))
    readability.keep({"library"})
    assert (list(readability.readable), list(readability.failing)) == ([], ["library"])
    readability.keep(set())
    assert not readability.failing


def test_a_snapshot_stays_as_it_was() -> None:
    readability = ReadabilityTracker()
    readability.succeeded("boardroom", NINE)
    before = readability.snapshot
    readability.succeeded("boardroom", TEN)
    assert readability.snapshot is before  # nothing has changed
    readability.failed("boardroom", failed(Reason.THROTTLED, TEN))
    readability.succeeded("library", TEN)
    assert (dict(before.readable), dict(before.failing)) == ({"boardroom": NINE}, {})
    after = readability.snapshot
    readability.interrupt()
    readability.keep(set())
    assert (dict(after.readable), list(after.failing)) == ({"library": TEN}, ["boardroom"])
    assert readability.snapshot == RoomReadability()
