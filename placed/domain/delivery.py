"""What the broker did not take of what was published: for readiness, health and metrics. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from placed.domain.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any


class Refused(StrEnum):
    """Why the broker did not take a message; the label `reason` of the metrics."""

    NOT_AUTHORIZED = "not_authorized"  # its access rules forbid it
    QUOTA_EXCEEDED = "quota_exceeded"  # a limit on rate or number
    TOO_LARGE = "too_large"  # larger than a limit that it announced
    CONNECTION_ENDED = "connection_ended"  # it ends the connection instead of an answer
    NOT_KEPT = "not_kept"  # acknowledged, and not there when it is read back (MQTT 3.1.1)
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Topics on which the broker does not hold what is true, all for the same reason.

    Attributes:
        topics: a topic, or a pattern with `+` of several.
        count: how many topics these are.
        reason: why.
        since: since when.
        problem: what is wrong, in a text without secrets.
        remedy: what to do about it.
        state: whether panels or building systems are misled by it; readiness depends on these alone.
    """

    topics: str
    count: int
    reason: Refused
    since: datetime
    problem: str
    remedy: str
    state: bool

    def document(self) -> dict[str, Any]:
        """For `bridge/health` and `/api/v1/connections`."""
        return {
            "topics": self.topics,
            "count": self.count,
            "reason": self.reason.value,
            "since": timestamp(self.since),
            "problem": self.problem,
            "remedy": self.remedy,
            "state": self.state,
        }


def documents(undelivered: Iterable[Undelivered]) -> list[dict[str, Any]]:
    """All of them."""
    return [group.document() for group in undelivered]
