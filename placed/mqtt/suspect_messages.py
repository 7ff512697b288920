"""Finds the messages that make the broker end the connection, by what was unacknowledged when it did. Pure.

A broker with a limit that it does not announce ends the connection when a message exceeds it. Messages that
were unacknowledged at that moment are suspects, and over the next connection each suspect is sent alone. If
that connection ends too while a suspect is unacknowledged, the suspect is blamed and left out from then on.

A network that fails twice can look the same. So when everything else is acknowledged, messages that are left
out are tried again: soon at first, then rarely. If two messages ended connections, others of their size, or
on the same kind of topic, are left out with them, until a trial shows that the broker takes them.

A broker that ends connections under load is at fault itself, and no message is. So suspects go first over the
next connection, before there is any load. A suspect that is alone when a connection ends under load is not
blamed yet: it is the very first over the next connection, and is blamed if that ends too. After several
connections in a row that ended too early, without a message to blame, messages are sent more slowly.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SOON = 2.0  # seconds from when everything else is acknowledged until the first trial
SELDOM = 300.0  # seconds until the next one; twice as long each time
MOST_SELDOM = 3600.0
_ENOUGH = 2  # blamed messages that have something in common
_EARLY_ENDS = 3  # connections in a row that ended too early, before messages are sent more slowly
_SLOWEST = 0.1  # seconds between two messages


class SentMessage(NamedTuple):
    """A message in flight; `size` is that of its packet, in bytes."""

    topic: str
    size: int


class DisconnectCauses:
    """What is known over all connections of one publisher.

    Args:
        pattern_of: returns the pattern of a topic, such as `placed/rooms/+/state`.

    Attributes:
        taken: bytes of the largest message that the broker ever took.
    """

    def __init__(self, pattern_of: Callable[[str], str]) -> None:
        self._pattern_of = pattern_of
        self._suspects: set[str] = set()
        self._first: str | None = None  # the suspect that was alone when a connection ended under load
        self._blamed: dict[str, int] = {}  # topic -> the size of the smallest message that ended a connection
        self._inferred: dict[
            str, int
        ] = {}  # the same, of messages that only have something in common with these
        self.taken = 0  # bytes of the largest message that was ever taken
        self._taken_patterns: set[str] = set()
        self._limit: float = math.inf
        self._patterns: frozenset[str] = frozenset()  # topics of these patterns are left out
        self._trying: str | None = None
        self._trial_at: float | None = None
        self._pause = SOON
        self._unfinished = 0  # connections in a row that ended too early with nothing to blame

    @property
    def suspects(self) -> tuple[str, ...]:
        """Topics that go first over the next connection, each alone, in this order."""
        return tuple(sorted(self._suspects, key=lambda topic: (topic != self._first, topic)))

    def goes_first(self, topic: str) -> bool:
        """Returns whether a message on the topic goes before all others."""
        return topic == self._first

    @property
    def send_interval(self) -> float:
        """Seconds between two messages."""
        beyond = self._unfinished - _EARLY_ENDS
        return min(0.005 * 2**beyond, _SLOWEST) if beyond >= 0 else 0.0

    @property
    def active(self) -> bool:
        """Whether any message is a suspect or left out."""
        return bool(self._suspects or self._blamed or self._inferred)

    def is_suspect(self, topic: str) -> bool:
        """Returns whether a message on the topic must be alone in flight."""
        return topic in self._suspects or topic == self._trying

    def excludes(self, topic: str, size: int) -> bool:
        """Returns whether a message is left out now."""
        if topic == self._trying:
            return False
        if (blamed := self._blamed.get(topic)) is not None:
            return not size <= self.taken < blamed  # by now it is small enough
        if size >= self._limit or self._pattern_of(topic) in self._patterns:
            self._inferred[topic] = size
            return True
        self._inferred.pop(topic, None)
        return False

    def may_clear(self, topic: str, size: int) -> bool:
        """Returns whether a message that clears the topic may be sent while a larger one is left out."""
        if (blamed := self._blamed.get(topic)) is not None:
            return size < blamed
        return size < self._limit and self._pattern_of(topic) not in self._patterns

    def acknowledged(self, topic: str, size: int) -> bool:
        """The broker took a message; returns whether messages that were left out may be sent now."""
        self._suspects.discard(topic)
        if topic == self._first:
            self._first = None
        self.taken = max(self.taken, size)
        if not self._blamed and not self._inferred:
            return False
        self._taken_patterns.add(self._pattern_of(topic))
        tried = topic == self._trying
        if tried:
            self._trying, self._trial_at, self._pause = (
                None,
                -math.inf,
                SELDOM,
            )  # the next trial may follow at once
        acquitted = tried or size >= min(
            self._blamed.get(topic, math.inf), self._inferred.get(topic, math.inf)
        )
        if acquitted:
            self._blamed.pop(topic, None)
            self._inferred.pop(topic, None)
        before = self._limit, self._patterns
        self._conclude()
        return acquitted or self._limit > before[0] or not self._patterns >= before[1]

    def disconnected(
        self, outstanding: Iterable[SentMessage], *, finished: bool = True, loaded: bool = False
    ) -> SentMessage | None:
        """The broker or the network ended a connection; returns the message that is blamed, if any.

        Args:
            outstanding: the messages in flight at that moment.
            finished: whether the initial publication had been acknowledged.
            loaded: whether many messages had been sent shortly before.
        """
        blamed = self._judge(outstanding, loaded=loaded)
        self._unfinished = 0 if finished or blamed is not None else self._unfinished + 1
        return blamed

    def _judge(self, outstanding: Iterable[SentMessage], *, loaded: bool) -> SentMessage | None:
        under_way = {sent.topic: sent.size for sent in outstanding}
        tried, trying = self._trying in under_way, self._trying
        self._trying, self._trial_at = None, None
        if len(under_way) != 1:
            self._suspects |= under_way.keys()
            return None
        ((topic, size),) = under_way.items()
        if topic not in self._suspects and topic not in self._blamed and topic != trying:
            self._suspects.add(topic)
            return None
        if loaded and topic in self._suspects and topic != self._first:
            self._first = topic
            return None
        known = self._blamed.get(topic)
        if tried:
            self._pause = min(max(2 * self._pause, SELDOM), MOST_SELDOM)
        elif known is None:
            self._pause = SOON
        self._suspects.discard(topic)
        self._inferred.pop(topic, None)
        self._blamed[topic] = (
            size if known is None else min(size, known)
        )  # the message that clears it may be at fault too
        self._conclude()
        return SentMessage(topic, size)

    def next_trial(self, steady: float) -> str | None:
        """Returns the topic to try now, if any; called while everything else is acknowledged."""
        if self._trying is not None or not (self._blamed or self._inferred):
            return None
        if self._trial_at is None:
            self._trial_at = steady + self._pause
        if steady < self._trial_at:
            return None
        # Messages that were only inferred to be at fault go first, and of these the smallest.
        candidates = self._inferred or self._blamed
        self._trying = min(candidates, key=lambda topic: (candidates[topic], topic))
        return self._trying

    def forget(self, topic: str) -> None:
        """Nothing is published on the topic any more."""
        self._suspects.discard(topic)
        self._blamed.pop(topic, None)
        self._inferred.pop(topic, None)
        self._trying = None if self._trying == topic else self._trying

    def _conclude(self) -> None:
        """Concludes what the blamed messages have in common."""
        patterns = Counter(self._pattern_of(topic) for topic in self._blamed)
        smallest = min(self._blamed.values(), default=math.inf)
        alike = len(patterns) >= _ENOUGH or any(number >= _ENOUGH for number in patterns.values())
        self._limit = smallest if alike and smallest > self.taken else math.inf
        self._patterns = frozenset(
            pattern
            for pattern, number in patterns.items()
            if number >= _ENOUGH and pattern not in self._taken_patterns
        )
