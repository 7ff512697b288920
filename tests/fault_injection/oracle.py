"""Judges what panels show by what is true. Knows no network and no time of its own.

Its seconds are those that the machine left to the daemon, its broker and the tenant (`machine_delay`): on a
machine with too much to do everything is late, which is no fault of the daemon.

1. `lie`: what is shown was right at some moment of the freshness budget, by calendar and clock of then.
2. `recovery`: once no fault was there for long enough, every room is shown, right by a calendar of just now.
3. `flicker`: where there were gentle faults alone, a panel that stays connected does not lose a room that it
   showed, but for one whose `valid_until` has passed; and `withdrawn`: no room that it showed is gone.
4. `daemon`: it does not end by itself, and its log holds no traceback. The campaign reports that.
5. `expired`: no answer over HTTP has a status other than unknown with a `valid_until` that is past.
6. `owed`: while the daemon reports itself as ready, a panel at its broker does not differ for long from what
   is answered over HTTP.
7. `silence`: some seconds after the daemon has ended, no page shows a room as known.

The first three hold for MQTT, for HTTP and for the page alike. Oracles of their own judge what is shown of
presence and of fences (`presence_oracle`, `fence_oracle`), what becomes of hidden texts (`secrecy_oracle`),
commands (`action_oracle`), how long a start takes (`start_oracle`), and how large the daemon becomes
(`memory_oracle`).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from placed.domain.model import Status
from placed.panel.state_validity import Why
from tests.fault_injection.fence_oracle import FenceOracle
from tests.fault_injection.ground_truth import Sight
from tests.fault_injection.presence_oracle import PresenceOracle, PresenceSeen
from tests.fault_injection.promise import Violation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from placed.panel.state_validity import Shown
    from tests.fault_injection.ground_truth import Truth
    from tests.fault_injection.http_panel import Answer
    from tests.fault_injection.promise import Promise
    from tests.fault_injection.sensor_truth import SensorTruth
    from tests.fault_injection.weather import Weather

PAGE_RETURNS = 6.0  # seconds more for a page: it asks every four where it has no stream
_SLOW = 8.0  # seconds that a browser may take longer on a machine with too much to do
_ROUNDED = 0.001  # seconds by which a time in a document is rounded
_AT_ONCE = 0.2  # seconds from the end of a state's time until that is published
_PASSING = frozenset({Why.OUTDATED, Why.EXPIRED, Why.DISCONNECTED})


@dataclass(slots=True)
class _Known:
    """What is remembered of a room on a panel."""

    shown: Shown | None = None
    right_at: float = -math.inf  # when it was right last, by the rule of recovery
    blamed: set[str] = field(default_factory=set)  # by these rules, so that each violation is reported once


class Oracle:
    """Takes in what panels show.

    Args:
        truth: what is true.
        weather: which faults there are.
        promise: what is judged by.
        report: is called with each violation.
        sensors: what presence sensors have reported; None if presence is not judged.
    """

    def __init__(
        self,
        truth: Truth,
        weather: Weather,
        promise: Promise,
        report: Callable[[Violation], None],
        sensors: SensorTruth | None = None,
    ) -> None:
        self.checked: Counter[str] = Counter()  # states, by rule
        self._truth = truth
        self._weather = weather
        self._promise = promise
        self._report = report
        self._known: dict[tuple[str, str], _Known] = {}
        self._at_broker: dict[str, Shown] = {}  # what the panel shows that is connected to the broker itself
        self._differs_since: dict[str, float] = {}  # rooms that HTTP and that panel differ about
        self._readiness = _Known()
        self._presence = PresenceOracle(sensors, self.checked, self._report_presence) if sensors else None
        self.fences = FenceOracle(promise.fence, self.checked, report)

    def look_at_broker(self, panel: str, shows: Iterable[Shown], elapsed: float) -> None:
        """Judges the panel that is connected to the broker itself, and remembers it for the rule `owed`."""
        self._at_broker = {shown.room: shown for shown in shows}
        self.look(panel, self._at_broker.values(), elapsed)

    def look_at_answer(self, panel: str, answer: Answer | None, elapsed: float) -> None:
        """Judges an answer over HTTP; None if there was none."""
        self._await_readiness(panel, elapsed, ready=answer is not None and answer.ready)
        if answer is None:
            self._differs_since.clear()
            self._miss(panel, self._truth.rooms, elapsed)
            return
        self.look(panel, answer.rooms, elapsed)
        for connection, state in answer.fences.items():
            self.fences.see(panel, connection, state, elapsed)
        for shown in answer.rooms:
            known = self._known[panel, shown.room]
            # Who sets a clock forward may be wrong: the daemon waits for what the services report.
            earliest = answer.earliest - self._truth.set_forward(elapsed, self._promise.budget)
            self._check_expired(panel, shown, known, earliest, elapsed)
            self._check_owed(panel, shown, known, elapsed, ready=answer.ready)
            if self._presence is not None:
                self._presence.see_answer(panel, _presence(shown), earliest, elapsed)

    def look_at_page(
        self, panel: str, shows: Iterable[Shown], elapsed: float, *, absent_for: float, on_time: bool
    ) -> None:
        """Judges a page in a browser.

        Args:
            panel: its name.
            shows: the rooms that are on it.
            elapsed: when that was.
            absent_for: seconds since the daemon has ended; 0 while there is one.
            on_time: whether the browser keeps up; if not, rooms are not missed.
        """
        for shown in shows:
            self.see(panel, shown, elapsed, awaited=on_time, later=PAGE_RETURNS)
            self.checked["silence"] += 1
            known = self._known[panel, shown.room]
            limit = self._promise.silence + (0.0 if on_time else _SLOW)
            if absent_for <= limit or shown.status is Status.UNKNOWN:
                known.blamed.discard("silence")
            else:
                self._blame("silence", panel, shown.room, known, elapsed)

    def look(self, panel: str, shows: Iterable[Shown], elapsed: float) -> None:
        """Judges a whole panel, and what is missing there."""
        seen = set()
        for shown in shows:
            self.see(panel, shown, elapsed)
            seen.add(shown.room)
        missing = [room for room in self._truth.rooms if room not in seen]
        for room in missing:
            self._check_withdrawn(panel, room, elapsed)
        self._miss(panel, missing, elapsed)

    def _miss(self, panel: str, rooms: Iterable[str], elapsed: float) -> None:
        for room in rooms:
            self._await(panel, room, None, elapsed)

    def see(
        self, panel: str, shown: Shown, elapsed: float, *, awaited: bool = True, later: float = 0.0
    ) -> None:
        """Judges a room on a panel; if it is `awaited`, it has to be right so many seconds into a calm."""
        known = self._known.setdefault((panel, shown.room), _Known())
        before, known.shown = known.shown, shown
        known.blamed.discard("withdrawn")
        if shown.status is not Status.UNKNOWN:
            self._check_lie(panel, shown, known, elapsed)
        elif before is not None and before.status is not Status.UNKNOWN:
            self._check_flicker(panel, shown, known, elapsed, until=before.valid_until)
        if self._presence is not None:
            self._presence.see(panel, _presence(shown), elapsed)
        if awaited and shown.room in self._truth.rooms:
            self._await(panel, shown.room, shown, elapsed, later)

    def _check_lie(self, panel: str, shown: Shown, known: _Known, elapsed: float) -> None:
        self.checked["lie"] += 1
        if self._truth.allows(shown.room, _sight(shown), elapsed, self._promise.budget):
            known.blamed.discard("lie")
        else:
            self._blame("lie", panel, shown.room, known, elapsed)

    def _check_flicker(
        self, panel: str, shown: Shown, known: _Known, elapsed: float, *, until: datetime | None
    ) -> None:
        self.checked["flicker"] += 1
        known.blamed.discard("flicker")
        if until is not None and until.timestamp() <= self._truth.wall(elapsed) + _AT_ONCE:
            return  # what was shown had its time, and nothing could be read since
        if shown.why not in _PASSING and self._weather.is_gentle(elapsed) and self._may_be_shown(shown):
            self._blame("flicker", panel, shown.room, known, elapsed)

    def _check_withdrawn(self, panel: str, room: str, elapsed: float) -> None:
        """A room that is there, and that the panel showed, is gone from it."""
        known = self._known.get((panel, room))
        if known is None:
            return
        self.checked["withdrawn"] += 1
        if self._weather.is_gentle(elapsed):
            self._blame("withdrawn", panel, room, known, elapsed)

    def _check_expired(
        self, panel: str, shown: Shown, known: _Known, earliest: float, elapsed: float
    ) -> None:
        self.checked["expired"] += 1
        until = shown.valid_until
        if shown.status is Status.UNKNOWN or (until is not None and until.timestamp() > earliest - _ROUNDED):
            known.blamed.discard("expired")
        else:
            self._blame("expired", panel, shown.room, known, elapsed)

    def _check_owed(self, panel: str, shown: Shown, known: _Known, elapsed: float, *, ready: bool) -> None:
        self.checked["owed"] += 1
        held = self._at_broker.get(shown.room)
        unseen = not self._at_broker or (held is not None and held.why is Why.DISCONNECTED)
        agrees = held is not None and (_sight(held), held.stale) == (_sight(shown), shown.stale)
        if agrees or unseen or not ready:
            self._differs_since.pop(shown.room, None)
            known.blamed.discard("owed")
        elif elapsed - self._differs_since.setdefault(shown.room, elapsed) > self._promise.owed:
            self._blame("owed", panel, shown.room, known, elapsed)

    def _await_readiness(self, panel: str, elapsed: float, *, ready: bool) -> None:
        """In calm the daemon is ready."""
        calm_since = self._weather.calm_since(elapsed)
        if calm_since is None:
            return
        known = self._readiness
        if ready:
            known.right_at = elapsed
            known.blamed.discard("recovery")
        elif elapsed - max(known.right_at, calm_since) > self._promise.grace and self._truth.rooms:
            self._blame("recovery", f"{panel}: not ready", self._truth.rooms[0], known, elapsed)

    def _may_be_shown(self, shown: Shown) -> bool:
        return shown.room in self._truth.rooms

    def _await(self, panel: str, room: str, shown: Shown | None, elapsed: float, later: float = 0.0) -> None:
        """A room that has to be right in calm."""
        calm_since = self._weather.calm_since(elapsed)
        if calm_since is None:
            return
        self.checked["recovery"] += 1
        known = self._known.setdefault((panel, room), _Known())
        known.shown = shown
        right = (
            shown is not None
            and shown.status is not Status.UNKNOWN
            and self._truth.allows(room, _sight(shown), elapsed, self._promise.fresh)
        )
        if right:
            known.right_at = elapsed
            known.blamed.discard("recovery")
        elif elapsed - max(known.right_at, calm_since + later) > self._promise.grace:
            self._blame("recovery", panel, room, known, elapsed)
        if self._presence is not None and shown is not None:
            self._presence.await_presence(panel, _presence(shown), elapsed, calm_since + later)

    def _blame(self, rule: str, panel: str, room: str, known: _Known, elapsed: float) -> None:
        if rule not in known.blamed:
            known.blamed.add(rule)
            story = self._truth.story(room, elapsed)
            self._report(Violation(rule, elapsed, panel, room, _words(known.shown), story))

    def _report_presence(  # noqa: PLR0913, PLR0917 - the parts of a violation
        self, rule: str, elapsed: float, panel: str, room: str, shown: str, reported: list[str]
    ) -> None:
        self._report(
            Violation(rule, elapsed, panel, room, shown, self._truth.story(room, elapsed) + reported)
        )


def _sight(shown: Shown) -> Sight:
    # A room that waits for a check-in is taken; whether it waits is judged by the check-ins.
    status = Status.BUSY if shown.status is Status.PENDING else shown.status
    return Sight(status.value, shown.until.timestamp() if shown.until else None)


def _presence(shown: Shown) -> PresenceSeen:
    presence = shown.presence
    if presence is None:
        return PresenceSeen(shown.room, None)
    return PresenceSeen(shown.room, presence.state, presence.valid_until, shown.valid_until)


def _words(shown: Shown | None) -> str:
    if shown is None:
        return "nothing of it"
    if shown.status is Status.UNKNOWN:
        return f"unknown: {shown.why}, {shown.reason}, valid until {shown.valid_until}"
    return f"{_sight(shown)}, stale {shown.stale}, valid until {shown.valid_until}"
