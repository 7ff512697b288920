"""What was read before is known again without being parsed, and nothing else is taken for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from placed.driver import DriverError
from placed.driver.unchanged_answer import KnownAnswer, digest_of
from placed_microsoft365.calendars.calendar_view import all_unchanged
from placed_microsoft365.graph.response import items_of

NOW = datetime(2026, 10, 6, 7, 30, tzinfo=UTC)
QUESTION = ("boardroom", NOW, NOW + timedelta(days=3), ZoneInfo("UTC"), False)
HEADERS = {"Cache-Control": "private", "Content-Type": "application/json;charset=utf-8"}
BODIES = [
    b'{"@odata.context":"https://graph.example/$metadata#users","value":[]}',
    b'{"value":[{"id":"AAMkAD=","subject":"\\"body\\":{\xc3\xa4},{"}]}',
    b'{"value":[{"id":"AAMkAE=","body":{"content":"}]}"}},{}]}',
]


def known(body: bytes) -> KnownAnswer:
    return KnownAnswer(QUESTION, len(body), digest_of(body))


assert all(json.loads(body) for body in BODIES)
KNOWN = {str(n): known(body) for n, body in enumerate(BODIES)}


def item(number: int, **other: Any) -> bytes:
    """An answer as Graph sends it, with something else in place of what is named."""
    body: bytes = other.pop("body", BODIES[number])
    head = {"id": str(number), "status": 200, "headers": HEADERS, **other}
    return json.dumps(head, separators=(",", ":")).encode()[:-1] + b',"body":' + body + b"}"


def batch(*items: bytes) -> bytes:
    return b'{"responses":[' + b",".join(items) + b"]}"


GOOD = batch(item(2), item(0), item(1))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_answers_are_known_again_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    assert all_unchanged(batch(*map(item, order)), KNOWN)


@pytest.mark.parametrize("headers", [{}, None, {"x": '"body":{}'}, {"request-id": "another each time"}])
def test_other_headers_of_an_item_are_no_change(headers: dict[str, str] | None) -> None:
    assert all_unchanged(batch(item(0), item(1, headers=headers), item(2)), KNOWN)


@pytest.mark.parametrize(
    "reported",
    [
        batch(item(0), item(1)),
        batch(item(0), item(1), item(1)),
        batch(item(0), item(1), item(2), item(2)),
        batch(item(0), item(1), item(2), item(2, status=404)),
        batch(item(0), item(1), item(2, id="3")),
        batch(item(0), item(1), item(2, status=429)),
        batch(item(0), item(1), item(2, status=True)),
        batch(item(0), item(1), item(2, headers=1)),
        batch(item(0), item(2, id="1"), item(1, id="2")),
        batch(item(0), item(1), item(2, body=BODIES[2].replace(b"AE", b"AF"))),
        batch(item(0), item(1), item(2)[:-1] + b',"body":{"value":[]}}'),
        batch(item(0), item(1), item(2)[:-1] + b',"status":401}'),
        batch(item(0), item(1), b'{"id":"2","status":204}'),
        batch(),
        GOOD[:-1],
        GOOD[:-2],
        GOOD + b"{",
        b"",
        b"{}",
        b"null",
    ],
)
def test_anything_else_is_not(reported: bytes) -> None:
    assert not all_unchanged(reported, KNOWN)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, 12), st.binary(max_size=12))
@example(0, 0, b"")
@example(14, 0, item(0) + b",")
@example(len(GOOD), 0, b" ")
def test_what_is_known_again_would_also_be_so_if_it_were_parsed(at: int, gone: int, put: bytes) -> None:
    reported = GOOD[:at] + put + GOOD[at + gone :]
    if all_unchanged(reported, KNOWN):
        found = items_of(reported)
        assert {place: (one.status, bytes(one.body)) for place, one in found.items()} == {
            str(n): (200, body) for n, body in enumerate(BODIES)
        }


def test_no_batch_that_breaks_off_is_known() -> None:
    for place in range(len(GOOD)):
        assert not all_unchanged(GOOD[:place], KNOWN)
        with pytest.raises(DriverError):
            items_of(GOOD[:place])
