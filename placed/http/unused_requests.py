"""Requests that became no command of a panel, counted by reason for /metrics: forged, malformed, too many."""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.http.errors import HttpError

_REASONS = {
    HTTPStatus.BAD_REQUEST: "not_a_command",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "not_a_command",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "not_a_command",
    HTTPStatus.UNAUTHORIZED: "no_token",
    HTTPStatus.FORBIDDEN: "not_allowed",
    HTTPStatus.NOT_FOUND: "no_such_room",
    HTTPStatus.CONFLICT: "ticket_used",
    HTTPStatus.TOO_MANY_REQUESTS: "throttled",
}
_OTHERWISE = "other"


class UnusedRequests:
    """Counts by reason; every reason has a count from the start on."""

    def __init__(self) -> None:
        self._counted = Counter(dict.fromkeys([*_REASONS.values(), _OTHERWISE], 0))

    @property
    def counted(self) -> Mapping[str, int]:
        """How many there were since the start."""
        return self._counted

    def note(self, error: HttpError) -> None:
        """Counts a request that is answered with an error."""
        self._counted[_REASONS.get(error.status, _OTHERWISE)] += 1
