"""How often the daemon of a campaign reads and how long it believes, and what that promises."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fault_injection.promise import Promise
from tests.fault_injection.shortened_timeouts import ANSWER, LONGEST_PAUSE, LONGEST_REST


@dataclass(frozen=True, slots=True)
class Pace:
    """What the daemon is set to; seconds."""

    interval: float = 1.0
    rediscover: float = 2.0
    lead: float = 4.0
    stale_after: float = 3.0
    expire_after: float = 10.0

    @property
    def promise(self) -> Promise:
        """What follows from it.

        A state is believed for `expire_after`, and MQTT counts an expiry in whole seconds; a second more is
        for machines with much to do. Recovery takes at most an answer that never comes, after it the longest
        rest (of a tenth more by chance) or the longest pause and the broker's answer, whichever is longer,
        then a poll, the reading of the group, and two seconds for a daemon to start.
        """
        trouble = ANSWER + max(1.1 * LONGEST_REST, LONGEST_PAUSE + ANSWER)
        return Promise(
            budget=self.expire_after + 2.0,
            fresh=self.interval + 3.0,
            recovery=trouble + self.interval + self.rediscover + 2.0,
        )
