"""Judges the presence of rooms that panels show, by what their sensors have reported.

1. `outlives`: no document is valid for longer than the presence in it.
2. `past_presence`: no answer over HTTP has a presence other than unknown with a `valid_until` that is past.
3. `presence`: what is shown follows from what was reported. It is never empty by silence, by null or by a
   retained message of unknown age, and it is never present for longer than a report holds. A room without
   sensors has no presence.
4. `presence_recovery`: once no fault was there for long enough, the presence of every room whose sensors
   report is shown, right by what they reported just now.

That no presence changes a status is the rule `lie` of the other oracle, which judges the status of these
rooms by their calendars alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fault_injection.sensor_truth import UNKNOWN

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable
    from datetime import datetime

    from tests.fault_injection.sensor_truth import SensorTruth

SLACK = 4.0  # seconds: an answer over HTTP may take three, and MQTT counts an expiry in whole seconds
_REPORTING = 2.0  # seconds; a sensor that was silent for longer is not awaited
_FRESH = 3.0  # seconds from a report to a panel in calm
_GRACE = 2.0  # seconds for which a presence may be wrong or missing in calm, as at an edge
_ROUNDED = 0.001  # seconds by which a time in a document is rounded


@dataclass(frozen=True, slots=True)
class PresenceSeen:
    """What a panel shows of a room's presence.

    Attributes:
        state: None if there is no presence.
        valid_until: of the presence.
        document_valid_until: of the document that it is in.
    """

    room: str
    state: str | None
    valid_until: datetime | None = None
    document_valid_until: datetime | None = None


@dataclass(slots=True)
class _Known:
    """What is remembered of a room on a panel."""

    right_at: float = -math.inf
    blamed: set[str] = field(default_factory=set)  # by these rules, so that each is reported once


class PresenceOracle:
    """Takes in what panels show.

    Args:
        truth: what was reported.
        checked: counts what is judged, by rule.
        blame: is called for each violation with its rule, the elapsed seconds, the panel, the room, what is
            shown and the story.
    """

    def __init__(
        self,
        truth: SensorTruth,
        checked: Counter[str],
        blame: Callable[[str, float, str, str, str, list[str]], None],
    ) -> None:
        self._truth = truth
        self._checked = checked
        self._blame = blame
        self._known: dict[tuple[str, str], _Known] = {}

    def see(self, panel: str, seen: PresenceSeen, elapsed: float) -> None:
        """Judges a presence on a panel."""
        if seen.room not in self._truth.rooms:
            self._judge("presence", panel, seen, elapsed, right=seen.state is None)
            return
        state = UNKNOWN if seen.state is None else seen.state
        allowed = self._truth.allows(seen.room, state, elapsed, SLACK)
        self._judge("presence", panel, seen, elapsed, right=allowed)
        ends = seen.valid_until, seen.document_valid_until
        if ends[0] is not None and ends[1] is not None:
            late = (ends[1] - ends[0]).total_seconds()
            self._judge("outlives", panel, seen, elapsed, right=late <= _ROUNDED)

    def see_answer(self, panel: str, seen: PresenceSeen, earliest: float, elapsed: float) -> None:
        """Judges an answer over HTTP, which was made at `earliest` or later: seconds since 1970."""
        until = seen.valid_until
        known = seen.state not in (None, UNKNOWN)
        valid = until is not None and until.timestamp() > earliest - _ROUNDED
        self._judge("past_presence", panel, seen, elapsed, right=valid or not known)

    def await_presence(self, panel: str, seen: PresenceSeen, elapsed: float, calm_since: float) -> None:
        """Judges a presence in calm, in which it has to be right."""
        if seen.room not in self._truth.rooms:
            return
        self._checked["presence_recovery"] += 1
        known = self._of(panel, seen.room)
        silent = not self._truth.is_reporting(seen.room, elapsed, _REPORTING)
        if silent or seen.state in self._truth.recent(seen.room, elapsed, _FRESH):
            known.right_at = elapsed
            known.blamed.discard("presence_recovery")
        elif elapsed - max(known.right_at, calm_since) > _GRACE:
            self._report("presence_recovery", panel, seen, known, elapsed)

    def _judge(self, rule: str, panel: str, seen: PresenceSeen, elapsed: float, *, right: bool) -> None:
        self._checked[rule] += 1
        known = self._of(panel, seen.room)
        if right:
            known.blamed.discard(rule)
        else:
            self._report(rule, panel, seen, known, elapsed)

    def _of(self, panel: str, room: str) -> _Known:
        return self._known.setdefault((panel, room), _Known())

    def _report(self, rule: str, panel: str, seen: PresenceSeen, known: _Known, elapsed: float) -> None:
        if rule in known.blamed:
            return
        known.blamed.add(rule)
        shown = f"{seen.state} until {seen.valid_until}, in a document until {seen.document_valid_until}"
        self._blame(rule, elapsed, panel, seen.room, shown, self._truth.story(seen.room, elapsed))
