"""Messages on the topics of commands that are not passed on: counted by reason, logged now and then.

    >>> counts.note("retained", room="boardroom")

No payload is kept.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_log = structlog.get_logger("placed.commands")

LOG_EVERY = 60.0  # seconds between two lines for the same reason
# Why a message was not used, or not answered.
DROPPED = "too_many"
NOT_A_COMMAND = "not_a_command"
RETAINED = "retained"
CORRELATION = "long_correlation_data"
NO_SUCH_ROOM = "no_such_room"
NO_SUCH_ACTION = "no_such_action"
THROTTLED = "throttled"
FAILED = "failed"
REPLY_DROPPED = "reply_dropped"
REPLY_REFUSED = "reply_refused"
REPLY_ELSEWHERE = "response_topic_not_allowed"

REASONS = (
    DROPPED,
    NOT_A_COMMAND,
    RETAINED,
    CORRELATION,
    NO_SUCH_ROOM,
    NO_SUCH_ACTION,
    THROTTLED,
    FAILED,
    REPLY_DROPPED,
    REPLY_REFUSED,
    REPLY_ELSEWHERE,
)

_REMEDIES = {
    RETAINED: "publish commands without the retain flag; clear what the broker holds on this topic",
    REPLY_REFUSED: "let placed publish to rooms/+/response and responses/# (config/mosquitto/placed.acl)",
    REPLY_ELSEWHERE: "a Response Topic has to be below responses/ of the base topic",
}


class UnusedCommands:
    """Counts by reason.

    Args:
        steady: a clock that is never set, in seconds.
    """

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._counted: Counter[str] = Counter()
        self._logged: dict[str, tuple[float, int]] = {}  # when a line was written last, and the count then

    @property
    def counted(self) -> Mapping[str, int]:
        """How many there were since the start, by reason."""
        return self._counted

    @property
    def by_reason(self) -> Mapping[str, int]:
        """The same, with a 0 for every other reason."""
        return dict.fromkeys(REASONS, 0) | self._counted

    def note(self, reason: str, **details: str) -> None:
        """Counts a message; the first is logged, and then one a minute, with how many there were."""
        self._counted[reason] += 1
        now = self._steady()
        at, before = self._logged.get(reason, (-LOG_EVERY, 0))
        if now - at < LOG_EVERY:
            return
        self._logged[reason] = now, self._counted[reason]
        _log.warning(
            "command.message_was_not_used",
            reason=reason,
            messages=self._counted[reason] - before,
            remedy=_REMEDIES.get(reason),
            **details,
        )
