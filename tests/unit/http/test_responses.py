from __future__ import annotations

import pytest

from placed.http.responses import takes_gzip


@pytest.mark.parametrize(
    ("field", "taken"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("x-gzip", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("*;q=0", False),
        ("br", False),
        ("gzip;q=much", False),
    ],
)
def test_gzip_is_taken_as_the_client_says(field: str, taken: bool) -> None:  # noqa: FBT001
    assert takes_gzip(field) is taken
