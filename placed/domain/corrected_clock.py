"""The machine's clock, corrected by the time that the calendar services report.

Within `TOLERANCE` of the services, or if they reported nothing, it is the machine's clock. Otherwise it is
the services' time, continued by the steady clock. It changes by a step only in `settle`, so that its caller
can judge everything again at that moment: until then neither a step of the machine's clock nor a new
correction takes effect.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from placed.domain.machine_clock_health import ClockHealth, ClockState
from placed.domain.release_date import RELEASED
from placed.domain.service_time import TOLERANCE, ServiceClockBounds, Span, believed, disagree, span_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from placed.domain.clock import Clock
    from placed.domain.service_time import ServiceTime


@dataclass(frozen=True, slots=True)
class Step:
    """By how much clocks have changed other than by the passing of time."""

    by: timedelta  # the time by which rooms are judged
    wall: timedelta  # the machine's clock


_IN_USE = timedelta(days=20 * 365)  # no release is in use for longer: a later time is certainly wrong, too
_AGAIN_RIGHT = 4.0  # seconds; a correction ends only below, so that it does not come and go
_STEERING = 0.5  # seconds by which a clock may drift without having been set
_SURE = 1.0  # seconds by which an estimate may be wrong without effect
_BETTER = 1.5  # seconds by which the services' time has to differ from the correction to be set back
_SLEW = 0.05  # seconds a second by which the correction is set back otherwise
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class ServiceTimes:
    """The times that the services reported, by connection. It outlives a reload and is thread-safe.

    Args:
        earliest: an earlier time is certainly wrong, whichever service reports it; so is one decades later.
    """

    def __init__(self, earliest: datetime = RELEASED) -> None:
        self.earliest = earliest
        self._witnesses: dict[str, ServiceClockBounds] = {}
        self._lock = threading.Lock()

    def keep(self, connections: Collection[str]) -> None:
        """Keeps these connections only, in this order."""
        with self._lock:
            before = self._witnesses
            self._witnesses = {name: before.get(name) or ServiceClockBounds() for name in connections}

    def hear(self, connection: str, answer: ServiceTime, wall: float | None) -> None:
        """Adds a time that a connection's service reported; see `ServiceClockBounds.hear`."""
        found = span_of(answer)
        if found is None or not self.earliest <= answer.moment < self.earliest + _IN_USE:
            return
        with self._lock:
            if connection in self._witnesses:
                self._witnesses[connection].hear(found, wall)

    @property
    def contradicted(self) -> bool:
        """Whether a response contradicts the machine's clock and no second one has confirmed it yet."""
        with self._lock:
            return any(witness.contradicts for witness in self._witnesses.values())

    def known(self) -> list[Span]:
        """What is known of each service that reported a time."""
        with self._lock:
            return [w.known for w in self._witnesses.values() if w.known is not None]


class CorrectedClock:
    """Implements `placed.domain.clock.Clock`.

    Args:
        clock: the machine's clock.
        times: the times that the services reported.
    """

    def __init__(self, clock: Clock, times: ServiceTimes | None = None) -> None:
        self._clock = clock
        self._times = times or ServiceTimes()
        self._correction: float | None = None  # seconds since 1970 minus steady seconds, while it corrects
        self._wall = self._difference()  # the same of the machine's clock, when it was settled last
        self._settled_at = clock.steady()
        self._latest = _LONG_AGO  # what a correction has shown so far
        self._since = clock.now()
        self._state = ClockState.UNKNOWN
        self._offset: float | None = None
        self._disagree = False
        self.news: Callable[[], None] = lambda: None  # called from any thread when a service reported a time
        self.settle()

    # --- the clock ---

    def now(self) -> datetime:
        """The time by which rooms are judged, in UTC."""
        wall = self._clock.now()
        steady = self._clock.steady()
        if self._correction is not None:
            self._latest = max(self._latest, datetime.fromtimestamp(self._correction + steady, UTC))
            return self._latest
        if abs(wall.timestamp() - steady - self._wall) <= _STEERING:
            return wall
        return datetime.fromtimestamp(self._wall + steady, UTC)  # it was set, and that is not settled yet

    def steady(self) -> float:
        """See `placed.domain.clock.Clock.steady`."""
        return self._clock.steady()

    async def sleep(self, seconds: float) -> None:
        """See `placed.domain.clock.Clock.sleep`."""
        await self._clock.sleep(seconds)

    # --- observations ---

    def hear(self, connection: str, answer: ServiceTime) -> None:
        """Adds a time that a service reported. Thread-safe."""
        wall = self._difference()
        self._times.hear(connection, answer, None if self._impossible(wall) else wall)
        self.news()

    def settle(self) -> Step:
        """Applies observations and a step of the machine's clock; returns by how much `now` has changed."""
        wall_before = self._wall
        before = self._correction if self._correction is not None else self._wall
        steady = self._clock.steady()
        wall = self._difference()
        known = [span.older(steady) for span in self._times.known()]
        best = believed(known, None if self._impossible(wall) else wall)
        self._correction = self._corrected(best, wall)
        self._wall, self._settled_at = wall, steady
        state = self._state_of(best, wall)
        if state is not self._state:
            self._state, self._since = state, self.now()
        self._disagree = disagree(known)
        self._offset = None if best is None else wall - best.middle
        after = self._correction if self._correction is not None else wall
        if abs(after - before) > _STEERING:
            self._latest = _LONG_AGO
        return Step(timedelta(seconds=after - before), timedelta(seconds=wall - wall_before))

    @property
    def was_set(self) -> bool:
        """Whether the machine's clock was set since the last `settle`."""
        return abs(self._difference() - self._wall) > _STEERING

    @property
    def believable(self) -> bool:
        """Whether the time is known well enough to publish anything."""
        return self._state.is_believable

    @property
    def health(self) -> ClockHealth:
        """The state of the machine's clock at the last `settle`."""
        offset = self._offset
        if offset is not None and self._correction is not None:
            offset = self._wall - self._correction
        return ClockHealth(self._state, self._since, offset, services_disagree=self._disagree)

    def _corrected(self, best: Span | None, wall: float) -> float | None:
        """Returns the new correction."""
        if best is None:
            return None
        off = abs(wall - best.middle)
        if self._correction is not None:
            return self._refined(self._correction, best) if off > _AGAIN_RIGHT else None
        if off <= TOLERANCE + max(0.0, best.half - _SURE):
            return None
        if self._state is ClockState.RIGHT:  # until now the machine's own clock was used
            return min(max(self._wall, best.low), best.high)
        return best.high  # rather ahead than behind: nothing is shown after its time

    def _refined(self, correction: float, best: Span) -> float:
        """Returns a correction for narrower bounds; it goes back slowly, so that time never does."""
        if correction > best.high + _BETTER:
            return best.high
        if correction > best.high:
            return max(best.high, correction - _SLEW * max(0.0, best.at - self._settled_at))
        return max(correction, best.low)

    def _state_of(self, best: Span | None, wall: float) -> ClockState:
        if self._correction is not None:
            return ClockState.CORRECTED
        if best is not None:
            return ClockState.RIGHT
        if self._impossible(wall):
            return ClockState.UNSET
        return ClockState.DOUBTED if self._times.contradicted else ClockState.UNKNOWN

    def _impossible(self, wall: float) -> bool:
        return wall + self._clock.steady() < self._times.earliest.timestamp()

    def _difference(self) -> float:
        return self._clock.now().timestamp() - self._clock.steady()
