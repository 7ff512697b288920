"""What presence sensors have reported, and which presence of a room that allows. Uses no code of ours.

Its seconds are those of `ground_truth`. A message counts from when it was measured; one that does not state
that, and was held up on its way, from when the way was open again.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

PRESENT, EMPTY, UNKNOWN = "present", "empty", "unknown"
_ON_ITS_WAY = 1.0  # seconds for which a message may still be on its way, as when the machine is suspended
_STEP = 0.25  # seconds between two moments that are looked at
_REMEMBER = 120.0  # seconds


@dataclass(frozen=True, slots=True)
class SensorInRoom:
    """One sensor, with the numbers of its settings in seconds.

    Attributes:
        holds_level: its `true` holds until it reports `false`; that of a PIR holds for `hold`.
    """

    name: str
    room: str
    hold: float
    stale_after: float
    holds_level: bool = True


@dataclass(slots=True)
class _Report:
    present: bool
    measured: float
    sent: float
    held_up: bool
    dated: bool  # the message states when it was measured
    real: float  # when it was sent, in seconds that pass on a machine without a free processor, too


@dataclass(slots=True)
class _History:
    """What one sensor has reported, in the order of sending."""

    reports: list[_Report] = field(default_factory=list)
    retained_present_until: float = -math.inf

    def latest(self, *, present: bool) -> float:
        """When it last measured that; minus infinity if it never did."""
        return max((r.measured for r in self.reports if r.present is present), default=-math.inf)


class SensorTruth:
    """Remembers what was reported.

    Args:
        sensors: all of them. Rooms without one have no presence.
        real: seconds as the daemon counts them. They differ from ours while the machine has no processor for
            anybody, and a hold ends by them.
    """

    def __init__(self, sensors: Iterable[SensorInRoom], real: Callable[[], float] | None = None) -> None:
        self._real = real
        self._sensors = {sensor.name: sensor for sensor in sensors}
        self._histories = {name: _History() for name in self._sensors}
        self._held_up = 0
        self._slept = 0.0

    @property
    def rooms(self) -> set[str]:
        """The rooms with sensors."""
        return {sensor.room for sensor in self._sensors.values()}

    # --- what happens ---

    def report(self, name: str, elapsed: float, *, present: bool, measured: float | None = None) -> None:
        """A sensor sends a reading now. `measured` is given if the message states it."""
        history = self._histories[name]
        at = elapsed if measured is None else min(measured, elapsed)
        dated = measured is not None
        held_up = self._held_up > 0 and not dated
        real = self._real() if self._real is not None else elapsed
        history.reports.append(_Report(present, at, elapsed, held_up, dated, real))
        while len(history.reports) > 1 and history.reports[0].sent < elapsed - _REMEMBER:
            del history.reports[0]

    def retain_present(self, name: str, until: float = math.inf) -> None:
        """The broker holds a `true` of unknown age, which may reach the daemon until then.

        How long it is held is not known before: the machine may sleep meanwhile.
        """
        self._histories[name].retained_present_until = until

    @contextmanager
    def held_up(self, elapsed: Callable[[], float]) -> Iterator[None]:
        """What is on its way, or sent meanwhile, arrives at its end; `elapsed` returns the time."""
        self._held_up += 1
        began = elapsed()
        for history in self._histories.values():
            for report in history.reports:
                report.held_up |= not report.dated and report.sent > began - _ON_ITS_WAY
        try:
            yield
        finally:
            self._held_up -= 1
            now = elapsed()
            for history in self._histories.values():
                for report in history.reports:
                    if report.held_up:
                        report.measured = max(report.measured, now)
                        report.held_up = self._held_up > 0

    def note_sleep(self, slept: float, elapsed: float) -> None:
        """The machine has slept for so long altogether. What was on its way arrives after a suspend."""
        more, self._slept = slept - self._slept, slept
        if not more:
            return
        began = elapsed - more
        for history in self._histories.values():
            for report in history.reports:
                if not report.dated and began - _ON_ITS_WAY < report.sent <= began:
                    report.measured += more

    # --- what is asked ---

    def allows(self, room: str, state: str, elapsed: float, slack: float) -> bool:
        """Whether a presence may be shown, by what was reported, whatever of that was lost.

        Nobody has to believe a sensor: `unknown` is always right.
        """
        sensors = [(one, self._histories[one.name]) for one in self._of(room)]
        if state == UNKNOWN:
            return True
        if state == PRESENT:
            return any(_may_be_present(one, history, elapsed - slack) for one, history in sensors)
        return all(
            elapsed - slack < history.latest(present=False) + one.stale_after for one, history in sensors
        )

    def is_reporting(self, room: str, elapsed: float, within: float) -> bool:
        """Whether every sensor of the room has sent a reading in the last `within` seconds."""
        histories = [self._histories[sensor.name] for sensor in self._of(room)]
        return all(h.reports and elapsed - h.reports[-1].measured <= within for h in histories)

    def recent(self, room: str, elapsed: float, fresh: float) -> set[str]:
        """The presences that were right in the last `fresh` seconds if no message was lost."""
        steps = [step * _STEP for step in range(int(fresh / _STEP) + 1)]
        right = {self._exact(room, elapsed - step) for step in steps}
        if self._real is not None:
            now = self._real()
            right |= {self._exact(room, now - step, by_real=True) for step in steps}
        return right

    def story(self, room: str, elapsed: float) -> list[str]:
        """What its sensors have reported last; for people."""
        return [
            f"{name}: {'present' if report.present else 'empty'}, sent {elapsed - report.sent:.1f} s ago, "
            f"measured {elapsed - report.measured:.1f} s ago"
            for name, history in self._histories.items()
            if self._sensors[name].room == room
            for report in history.reports[-4:]
        ]

    # --- inside ---

    def _of(self, room: str) -> list[SensorInRoom]:
        return [sensor for sensor in self._sensors.values() if sensor.room == room]

    def _exact(self, room: str, moment: float, *, by_real: bool = False) -> str:
        states = [
            _exact(
                sensor,
                [
                    (r.real if by_real else r.measured, r.present)
                    for r in self._histories[sensor.name].reports
                ],
                moment,
            )
            for sensor in self._of(room)
        ]
        if PRESENT in states:
            return PRESENT
        return EMPTY if states and set(states) == {EMPTY} else UNKNOWN


def _may_be_present(sensor: SensorInRoom, history: _History, moment: float) -> bool:
    """Whether a `true` may still hold: a level for `hold` after the last moment at which it may end."""
    lasts = sensor.hold + (sensor.stale_after if sensor.holds_level else 0.0)
    until = max(history.latest(present=True) + lasts, history.retained_present_until + sensor.hold)
    return moment < until


def _exact(sensor: SensorInRoom, reports: list[tuple[float, bool]], moment: float) -> str:
    """The presence by the times of all reports, if none was lost."""
    before = [(at, present) for at, present in reports if at <= moment]
    if not before or before[-1][0] + sensor.stale_after <= moment:
        return UNKNOWN
    at, present = before[-1]
    if present:
        return PRESENT if sensor.holds_level or moment < at + sensor.hold else UNKNOWN
    ends = [b[0] for a, b in pairwise(before) if a[1] and not b[1]]
    return PRESENT if ends and moment < ends[-1] + sensor.hold else EMPTY
