"""A batch: several GETs in one request, as multipart/mixed.

Source: Google, "Send batch requests" of the Calendar API. Its answer may have the parts in any order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BATCH_PATH = "/batch/calendar/v3"
BATCH_SIZE = 50  # the limit for years; the page shows 1000 now
_BOUNDARY = "placed-batch"
CONTENT_TYPE = f"multipart/mixed; boundary={_BOUNDARY}"


def batch_request(paths: Sequence[str]) -> bytes:
    """Returns the body that GETs the paths; the Content-ID of each is its place in them."""
    parts = [
        f"--{_BOUNDARY}\r\n"
        "Content-Type: application/http\r\n"
        f"Content-ID: <{place}>\r\n"
        "\r\n"
        f"GET {path} HTTP/1.1\r\n"
        "\r\n"
        "\r\n"
        for place, path in enumerate(paths)
    ]
    return "".join([*parts, f"--{_BOUNDARY}--\r\n"]).encode()
