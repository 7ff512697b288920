"""The limits of the service, counted for each app and mailbox and for each app.

Microsoft: throttling-limits, throttling-outlook. Items of a batch count like requests of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Limits:
    """What an app may ask; set the fields as a test needs them."""

    mailbox_requests: int = 10_000
    mailbox_window: timedelta = timedelta(minutes=10)
    mailbox_concurrency: int = 4
    app_requests: int = 130_000
    app_window: timedelta = timedelta(seconds=10)
    concurrency_retry_after: str = "1"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A throttled request: the code of its 429 and the text of its `Retry-After`, seconds with a fraction."""

    code: str
    message: str
    retry_after: str


@dataclass(slots=True)
class _Window:
    opened: datetime = LONG_AGO
    count: int = 0


@dataclass(slots=True)
class Throttle:
    """Counts requests; a refused one counts too, as with the service."""

    limits: Limits = field(default_factory=Limits)
    _windows: dict[tuple[str, str], _Window] = field(default_factory=dict)
    _running: dict[tuple[str, str], int] = field(default_factory=dict)

    def refuse_app(self, client_id: str, now: datetime) -> Refusal | None:
        """Count a request of the app; a refusal if it is over its limit."""
        limits = self.limits
        left = self._count((client_id, ""), limits.app_requests, limits.app_window, now)
        if left is None:
            return None
        return Refusal("TooManyRequests", "Too many requests from this application.", left)

    def refuse_mailbox(self, client_id: str, address: str, now: datetime) -> Refusal | None:
        """Count a request of the app to the mailbox; a refusal if it is over its limit."""
        limits = self.limits
        left = self._count((client_id, address), limits.mailbox_requests, limits.mailbox_window, now)
        if left is not None:
            return Refusal("TooManyRequests", "Too many requests to this mailbox.", left)
        if self._running.get((client_id, address), 0) >= limits.mailbox_concurrency:
            return Refusal(
                "ApplicationThrottled",
                "Application is over its MailboxConcurrency limit.",
                limits.concurrency_retry_after,
            )
        return None

    def begin(self, client_id: str, address: str) -> None:
        """A request that takes its time has begun: it holds one of the concurrent places."""
        key = (client_id, address)
        self._running[key] = self._running.get(key, 0) + 1

    def end(self, client_id: str, address: str) -> None:
        """The request is over."""
        key = (client_id, address)
        self._running[key] -= 1
        if not self._running[key]:
            del self._running[key]

    def _count(self, key: tuple[str, str], limit: int, length: timedelta, now: datetime) -> str | None:
        window = self._windows.setdefault(key, _Window())
        if not window.opened <= now < window.opened + length:
            window.opened, window.count = now, 0
        window.count += 1
        if window.count <= limit:
            return None
        return f"{(window.opened + length - now).total_seconds():.3f}"
