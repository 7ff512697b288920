from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.domain.command_message import LARGEST, InvalidCommand, in_utc, is_key, read_body, read_payload

KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"


@pytest.mark.parametrize("key", [KEY, KEY.upper()])
def test_a_key_is_a_uuid(key: str) -> None:
    assert is_key(key)
    assert read_payload(f'{{"key":"{key}"}}'.encode()).key == key


@pytest.mark.parametrize(
    "key", ["", KEY[:-1], f"{KEY}0", f"{KEY}\n", f" {KEY}", KEY.replace("-", ""), f"{{{KEY}}}"]
)
def test_nothing_else_is_a_key(key: str) -> None:
    assert not is_key(key)
    with pytest.raises(InvalidCommand):
        read_payload(f'{{"key":"{key}"}}'.replace("\n", "\\n").encode())


def test_times_are_read_in_any_zone() -> None:
    payload = read_payload(
        f'{{"key":"{KEY}","issued_at":"2026-01-08T10:00:00.5+01:00","until":null}}'.encode()
    )
    issued_at = in_utc(payload.issued_at)
    assert issued_at is not None
    assert issued_at.isoformat() == "2026-01-08T09:00:00.500000+00:00"
    assert in_utc(payload.until) is None


@pytest.mark.parametrize(
    "rest",
    [
        ',"name":"Ada Lovelace"',
        ',"until":"Ada Lovelace"',
        ',"until":"2026-01-08T09:00:00"',
        ',"until":"0001-01-01T00:00:00+14:00"',
        ',"until":"9999-12-31T23:59:59-14:00"',
        ',"meeting":1',
        ',"issued_at":["Ada Lovelace"]',
    ],
)
def test_of_an_invalid_command_its_key_is_known_and_nothing_is_repeated(rest: str) -> None:
    with pytest.raises(InvalidCommand) as invalid:
        read_payload(f'{{"key":"{KEY}"{rest}}}'.encode())
    assert invalid.value.key == KEY
    assert "Ada" not in invalid.value.text


def test_a_large_payload_is_not_read() -> None:
    with pytest.raises(InvalidCommand, match="larger than") as invalid:
        read_payload(f'{{"key":"{KEY}"}}'.encode() + b" " * LARGEST)
    assert invalid.value.key is None


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_a_command_or_invalid(data: bytes) -> None:
    for read in (read_payload, read_body):
        with suppress(InvalidCommand):
            read(data)
