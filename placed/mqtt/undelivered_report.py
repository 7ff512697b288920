"""What is reported of topics that the broker refused: which, why, and what the operator has to do. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from placed.domain.mqtt_delivery_status import Refused, Undelivered
from placed.domain.problem import Problem
from placed.mqtt.topics import Importance

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_REMEDIES = {
    Refused.NOT_AUTHORIZED: "allow this login to write {topics} in the broker's access rules",
    Refused.QUOTA_EXCEEDED: "raise the broker's limit on messages for this login; placed repeats them",
    Refused.TOO_LARGE: "raise the broker's limit on the size of a message to at least {size} bytes",
    Refused.CONNECTION_ENDED: (
        "raise the broker's limit on the size of a message to at least {size} bytes, and allow this login to "
        "write {topics}"
    ),
    Refused.NOT_KEPT: (
        "allow this login to write and read {topics} in the broker's access rules, and raise its limit on "
        'the size of a message to at least {size} bytes, or set mqtt.protocol = "5" to be given the reason'
    ),
    Refused.OTHER: "look for the reason in the broker's log; placed repeats them",
}
_PROBLEMS = {
    Refused.NOT_KEPT: "are acknowledged by the broker, and it does not hold them",
    Refused.TOO_LARGE: "are larger than the broker takes",
    Refused.CONNECTION_ENDED: "are left out, since the broker ends the connection when it gets them",
}


@dataclass(slots=True)
class RefusedGroup:
    """The refusals of one pattern and one reason."""

    since: datetime
    importance: Importance
    words: str
    size: int = 0
    keys: dict[str, str] = field(default_factory=dict)  # key -> topic


def undelivered(reason: Refused, groups: Mapping[str, RefusedGroup]) -> Undelivered:
    """Combines groups of one reason, by pattern."""
    topics = " ".join(_named(pattern, group) for pattern, group in groups.items())
    first = next(iter(groups.values()))
    what = f"messages on {topics} {_PROBLEMS.get(reason, 'are refused by the broker')}"
    return Undelivered(
        topics=topics,
        count=sum(len(group.keys) for group in groups.values()),
        reason=reason,
        since=min(group.since for group in groups.values()),
        problem=Problem(
            "",
            f"{what}: {first.words}" if first.words else what,
            _REMEDIES[reason].format(topics=topics, size=max(g.size for g in groups.values())),
        ),
        state=any(group.importance is not Importance.OPTIONAL for group in groups.values()),
    )


def _named(pattern: str, group: RefusedGroup) -> str:
    """Returns the pattern, or the topic itself if there is only one."""
    return next(iter(group.keys.values())) if len(group.keys) == 1 else pattern
