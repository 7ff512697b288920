"""Which topics the broker refused, and when each is repeated. Pure.

A refused message is repeated, with increasing pauses, until the broker takes it or a newer message on its
topic. Only events are kept for that; all other messages are made again from the board.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed.domain.mqtt_delivery_status import Refused
from placed.mqtt.topics import Importance
from placed.mqtt.undelivered_report import RefusedGroup, undelivered

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.domain.mqtt_delivery_status import Undelivered
    from placed.mqtt.messages import Message
    from placed.mqtt.topics import Topics

FIRST_PAUSE = 1.0  # seconds
LONGEST_PAUSE = 15.0  # seconds
TICK = 0.25  # seconds between two calls of `due`
_FEW = 8  # repetitions in a tick while the broker refuses them
_MANY = 4096
_MOST_EVENTS = 1000
_BETWEEN_BURSTS = 5.0  # seconds between repeating all refusals of one reason
_FRESH = 4  # tries; messages that were refused more often wait for the others
# Reason codes of a PUBACK: MQTT 5, 3.4.2.1; 0x95 is not among them, but some brokers send it.
_REASONS = {
    0x87: Refused.NOT_AUTHORIZED,
    0x90: Refused.NOT_AUTHORIZED,
    0x95: Refused.TOO_LARGE,
    0x97: Refused.QUOTA_EXCEEDED,
}


def reason_for(code: int) -> Refused:
    """Returns the reason for the code of a PUBACK."""
    return _REASONS.get(code, Refused.OTHER)


def key_of(message: Message) -> str:
    """Returns the key of a refusal: the topic, or one for each event, since no later message replaces it."""
    return message.topic if message.retain else f"{message.topic}#{hash(message):x}"


@dataclass(slots=True)
class Refusal:
    """A topic, or an event, that the broker refused."""

    key: str
    topic: str
    reason: Refused
    number: int  # of the message that was refused last
    tries: int = 0
    due: float = math.inf
    event: Message | None = None
    clears: bool = False  # whether the state must be cleared before the next one is published


class Refusals:
    """The refusals of one publisher, over all of its connections.

    Args:
        topics: of the publisher.
        random: returns a number in [0, 1), for the pauses.
    """

    def __init__(self, topics: Topics, random: Callable[[], float]) -> None:
        self.counted: Counter[Refused] = Counter()
        self._topics = topics
        self._random = random
        self._refused: dict[str, Refusal] = {}
        self._groups: dict[tuple[Refused, str], RefusedGroup] = {}
        self._due: tuple[list[tuple[float, str]], ...] = (
            [],
            [],
            [],
        )  # by rank; an entry counts only if it is the refusal's `due`
        self._window = _FEW
        self._last_burst = -math.inf
        self._named: set[tuple[Refused, str]] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._refused

    @property
    def any_left(self) -> bool:
        """Whether anything is refused."""
        return bool(self._refused)

    @property
    def undelivered(self) -> tuple[Undelivered, ...]:
        """What the broker does not hold although it should: one for each pattern and reason, states first."""
        found = [undelivered(why, {pattern: group}) for (why, pattern), group in self._groups.items()]
        return tuple(sorted(found, key=lambda u: (not u.state, u.topics, u.reason)))

    @property
    def includes_state(self) -> bool:
        """Whether a state, an availability or `bridge/state` was refused."""
        return any(group.importance is Importance.STATE for group in self._groups.values())

    # --- results of messages ---

    def add(  # noqa: PLR0913 - what is known of the refusal
        self,
        message: Message,
        reason: Refused,
        words: str,
        *,
        number: int,
        size: int,
        wall: datetime,
        steady: float,
        repeat: bool = True,
    ) -> None:
        """The broker did not take message `number`; `repeat`: it is repeated after a pause."""
        self.counted[reason] += 1
        key = key_of(message)
        before = self._refused.get(key)
        if before is not None and before.number > number:
            return
        if before is not None and before.reason is not reason:
            self._leave_group(before)
        refusal = Refusal(key, message.topic, reason, number, event=None if message.retain else message)
        clears = repeat and not message.payload and message.topic.endswith("/state")
        refusal.clears = clears or (before is not None and before.clears)
        refusal.tries = before.tries + 1 if before is not None else 1
        if repeat:
            pause = min(FIRST_PAUSE * 2 ** (refusal.tries - 1), LONGEST_PAUSE)
            refusal.due = steady + pause * (1 - self._random() / 2)
        self._refused[key] = refusal
        self._join_group(refusal, words, size, wall)
        self._schedule(refusal)
        if refusal.tries > 1:
            self._window = _FEW

    def acknowledged(self, message: Message, number: int, steady: float) -> bool:
        """The broker took message `number`; returns whether a refusal ended with that."""
        if not self._refused:
            return False
        key = key_of(message)
        refusal = self._refused.get(key)
        if refusal is None or refusal.number > number or refusal.reason is Refused.NOT_KEPT:
            return False  # only reading back shows whether a message is kept
        if refusal.clears and message.payload:
            return False
        self.remove(key)
        self._window = min(2 * self._window, _MANY)
        if steady - self._last_burst > _BETWEEN_BURSTS:
            self._last_burst = steady
            self.repeat_now(refusal.reason, steady)
        return True

    def was_read_back(self, topic: str) -> bool:
        """The broker holds the message on the topic; returns whether a refusal ended with that."""
        refusal = self._refused.get(topic)
        if refusal is None or refusal.reason is not Refused.NOT_KEPT:
            return False
        self.remove(topic)
        return True

    def has_known_reason(self, topic: str) -> bool:
        """Returns whether the topic was refused for a reason that the broker reported."""
        refusal = self._refused.get(topic)
        return refusal is not None and refusal.reason is not Refused.NOT_KEPT

    def remove(self, key: str) -> None:
        """The message is not repeated any more."""
        refusal = self._refused.pop(key, None)
        if refusal is not None:
            self._leave_group(refusal)

    # --- when to repeat ---

    def repeat_now(self, reason: Refused, steady: float) -> None:
        """Makes all refusals for this reason due now, since the broker may take them."""
        for refusal in self._refused.values():
            if refusal.reason is reason and refusal.due > steady:
                refusal.due = steady
                self._schedule(refusal)

    def restart(self, steady: float) -> None:
        """Makes all refusals due soon, over a new connection."""
        for refusal in self._refused.values():
            refusal.due = steady + FIRST_PAUSE
            self._schedule(refusal)

    def due(self, steady: float) -> list[Refusal]:
        """Returns what to repeat now, the most important first. Called every `TICK`."""
        found: list[Refusal] = []
        for heap in self._due:
            while heap and heap[0][0] <= steady and len(found) < self._window:
                moment, key = heapq.heappop(heap)
                refusal = self._refused.get(key)
                if refusal is not None and refusal.due == moment:
                    refusal.due = math.inf  # until the broker answers
                    found.append(refusal)
        return found

    def any_scheduled(self) -> bool:
        """Returns whether any repetition is scheduled."""
        return any(self._due)

    # --- for the log ---

    def changes(self) -> tuple[list[Undelivered], bool]:
        """Returns what is newly refused since the last call, by reason, and whether all is taken again."""
        new = [place for place in self._groups if place not in self._named]
        over = bool(self._named) and not self._groups
        self._named = set() if over else self._named | set(new)
        began = []
        for reason in Refused:
            groups = {pattern: self._groups[why, pattern] for why, pattern in new if why is reason}
            if groups:
                began.append(undelivered(reason, groups))
        return began, over

    # --- scheduling and grouping ---

    def _schedule(self, refusal: Refusal) -> None:
        if refusal.due < math.inf:
            heapq.heappush(self._due[self._rank(refusal)], (refusal.due, refusal.key))

    def _rank(self, refusal: Refusal) -> int:
        if self._topics.importance_of(refusal.topic) is Importance.OPTIONAL:
            return 2
        return 0 if refusal.tries <= _FRESH else 1

    def _join_group(self, refusal: Refusal, words: str, size: int, wall: datetime) -> None:
        place = refusal.reason, self._topics.pattern_of(refusal.topic)
        group = self._groups.get(place)
        if group is None:
            group = self._groups[place] = RefusedGroup(wall, self._topics.importance_of(refusal.topic), words)
        group.size = max(group.size, size)
        group.keys[refusal.key] = refusal.topic
        if refusal.event is not None and len(group.keys) > _MOST_EVENTS:
            self.remove(next(iter(group.keys)))

    def _leave_group(self, refusal: Refusal) -> None:
        place = refusal.reason, self._topics.pattern_of(refusal.topic)
        group = self._groups.get(place)
        if group is not None:
            group.keys.pop(refusal.key, None)
            if not group.keys:
                del self._groups[place]
