"""Whether the broker holds what was published, and the topics that it refused, and why. Pure.

Readiness, health, metrics and the status line read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from placed.domain.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Any

    from placed.domain.problem import Problem


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
        problem: what is wrong, and what to do about it.
        state: whether panels or building systems are misled by it; readiness depends on these alone.
    """

    topics: str
    count: int
    reason: Refused
    since: datetime
    problem: Problem
    state: bool

    def document(self) -> dict[str, Any]:
        """For `bridge/health` and `/api/v1/connections`."""
        return {
            "topics": self.topics,
            "count": self.count,
            "reason": self.reason.value,
            "since": timestamp(self.since),
            "problem": self.problem.text,
            "remedy": self.problem.remedy,
            "state": self.state,
        }


def documents(undelivered: Iterable[Undelivered]) -> list[dict[str, Any]]:
    """All of them."""
    return [group.document() for group in undelivered]


class DeliveryStatus(Protocol):
    """What the MQTT publisher reports of its deliveries. Without a broker, `configured` is false."""

    @property
    def configured(self) -> bool:
        """Whether there is a broker to publish to."""
        ...

    @property
    def connected(self) -> bool:
        """Whether the broker is connected now."""
        ...

    @property
    def was_connected(self) -> bool:
        """Whether the broker was connected at least once."""
        ...

    @property
    def last_error(self) -> str | None:
        """What is wrong now, or None."""
        ...

    @property
    def messages_published(self) -> int:
        """Messages that the broker acknowledged since the start."""
        ...

    @property
    def messages_refused(self) -> Mapping[str, int]:
        """Messages that the broker did not take since the start, by reason; every reason is a key."""
        ...

    @property
    def undelivered(self) -> Sequence[Undelivered]:
        """The topics on which the broker does not hold the current message."""
        ...

    @property
    def all_acknowledged(self) -> bool:
        """Whether every state is acknowledged: all of the initial publication, later ones within seconds."""
        ...

    @property
    def reconnects(self) -> int:
        """How often a lost connection was established again since the start."""
        ...
