"""What goes in and out of simulated services: plain values that know no socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

JSON = "application/json"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """One item of a batch that was answered; `path` is as it stood in the batch, with its query."""

    method: str
    path: str
    status: int


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One request that was answered, or cut off (status 0).

    Attributes:
        time: when it arrived, aware UTC, by the service's clock.
        path: with its query, as it was sent.
        items: of a batch, in the order in which they were asked.
    """

    time: datetime
    method: str
    path: str
    status: int
    items: tuple[ItemRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: what the server writes, or what a batch wraps.

    `dropped` cuts the connection in place of it; `broken` means that the body is not complete JSON.
    """

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = field(default=())
    dropped: bool = False
    broken: bool = False

    @property
    def ok(self) -> bool:
        """True for 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of success


DROPPED = Reply(status=0, dropped=True)
"""The connection is cut without an answer."""
