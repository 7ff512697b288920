"""The quota of the Calendar API: requests in a sliding minute, by account and by project, and in a day.

Google: quota. Each part of a batch is a request. A request over the limit is refused as 403 and as 429 in
turns, both of which are documented. Where the clock is set back, what was counted after its new time is
forgotten: the service's own clock is not set, so a minute with it never lasts longer than a minute.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from placed_google.simulator.api_messages import ApiError
from placed_google.simulator.workspace.cloud_accounts import CALENDAR_API

if TYPE_CHECKING:
    from placed_google.simulator.workspace.cloud_accounts import ServiceAccount

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
FORMS = ((403, "PERMISSION_DENIED"), (429, "RESOURCE_EXHAUSTED"))


@dataclass(slots=True, kw_only=True)
class Limits:
    """What may be asked; set the fields as a test needs them. None does not limit."""

    per_user_minute: int | None = 600
    per_project_minute: int | None = 10_000
    per_project_day: int | None = None


@dataclass(slots=True)
class RequestQuota:
    """Counts the requests that were let through."""

    limits: Limits = field(default_factory=Limits)
    _asked: defaultdict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque))
    _days: dict[str, tuple[datetime, int]] = field(default_factory=dict)
    _refused: int = 0

    def count(self, account: ServiceAccount, user: str, now: datetime) -> None:
        """Count a request.

        Raises:
            ApiError: it is over a limit; `user` is who asks: the account, or the user that it acts as.
        """
        project = account.project
        limits = self.limits
        keys = {
            f"{project.id}:{user}": (limits.per_user_minute, "Queries per minute per user"),
            project.id: (limits.per_project_minute, "Queries per minute"),
        }
        for key, (limit, name) in keys.items():
            count = self._within(key, now)  # forgets what is older, whatever the limit is
            if limit is not None and count >= limit:
                raise self._refusal(name, project.number)
        for key in keys:
            self._asked[key].append(now)

    def count_day(self, account: ServiceAccount, requests: int, now: datetime) -> None:
        """Count requests for the limit of a day.

        Raises:
            ApiError: the day's requests are used up.
        """
        limit = self.limits.per_project_day
        begin, count = self._days.get(account.project.id, (now, 0))
        if not begin <= now < begin + DAY:
            begin, count = now, 0
        if limit is not None and count + requests > limit:
            raise ApiError(403, "dailyLimitExceeded", "Daily Limit Exceeded", domain="usageLimits")
        self._days[account.project.id] = begin, count + requests

    def _within(self, key: str, now: datetime) -> int:
        """How many were let through in the minute before."""
        asked = self._asked[key]
        while asked and asked[0] <= now - MINUTE:
            asked.popleft()
        while asked and asked[-1] > now:
            asked.pop()
        return len(asked)

    def _refusal(self, limit: str, project: int) -> ApiError:
        status, rpc_status = FORMS[self._refused % len(FORMS)]
        self._refused += 1
        message = (
            f"Quota exceeded for quota metric 'Queries' and limit '{limit}' of service '{CALENDAR_API}' "
            f"for consumer 'project_number:{project}'."
        )
        return ApiError(status, "rateLimitExceeded", message, domain="usageLimits", rpc_status=rpc_status)
