"""Since when a room has been watched, shown as booked, and offered a way to check in, without a gap. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Hashable

    from placed.domain.model import Occupancy

LONGEST_PAUSE = timedelta(seconds=5)  # between two looks at the clocks; more is a gap
_STEP = timedelta(seconds=0.5)  # by which the clocks may disagree between two looks
FOR_EVER = datetime.max.replace(tzinfo=UTC)
RECONNECTS = timedelta(seconds=10)  # a panel that is connected again within this time was never away


class Watch:
    """Since when this process has run without a gap, by its two clocks.

    A gap is a suspend, an event loop that was held up, a step of the wall clock, or what the owner reports
    with `begin`: a start, a reload, a takeover.

    Args:
        moment: the time by which rooms are judged.
        steady: seconds of a clock that is never set, and goes on during a suspend.

    Attributes:
        since: see above.
    """

    def __init__(self, moment: datetime, steady: float) -> None:
        self.since = moment
        self._moment = moment
        self._steady = steady

    def look(self, moment: datetime, steady: float) -> None:
        """Notes that it runs; a gap since the last look begins it again."""
        passed = timedelta(seconds=steady - self._steady)
        if passed > LONGEST_PAUSE or abs(moment - self._moment - passed) > _STEP:
            self.since = moment
        self._moment, self._steady = moment, steady

    def begin(self, moment: datetime, steady: float) -> None:
        """Begins again: something has happened of which it is not known what was missed."""
        self.since = self._moment = moment
        self._steady = steady


class Shown(msgspec.Struct, frozen=True, gc=False):
    """Which meeting the statements of a room show as current, and since when without a gap."""

    key: str
    start: datetime
    since: datetime


def shown_now(before: Shown | None, occupancy: Occupancy, moment: datetime) -> Shown | None:
    """Returns what a room's new statement shows; None if it has no current meeting."""
    current = occupancy.current
    if current is None:
        return None
    if before is not None and (before.key, before.start) == (current.key, current.start):
        return before
    return Shown(current.key, current.start, moment)


@dataclass(slots=True)
class _Ways:
    """The ways of one room: until when each is there, and since when there is one."""

    since: datetime
    until: dict[Hashable, datetime]

    @property
    def last(self) -> datetime:
        """Until when there is a way."""
        return max(self.until.values())


class CheckInWays:
    """Through what somebody can check in to the meetings of each room, and since when without a gap.

    A way is a panel that is connected, or that has shown a sign of life. Sensors are judged by the room's
    presence. Between two ways there may be `RECONNECTS`.
    """

    def __init__(self) -> None:
        self._rooms: dict[str, _Ways] = {}

    def __len__(self) -> int:
        """How many rooms have, or had, a way."""
        return len(self._rooms)

    def begin(self, room_id: str, way: Hashable, moment: datetime, until: datetime = FOR_EVER) -> None:
        """A way is there from now on; as long as nothing else is reported of it, until `until`."""
        ways = self._rooms.get(room_id)
        if ways is None or not timedelta() <= moment - ways.since or moment - RECONNECTS > ways.last:
            self._rooms[room_id] = _Ways(moment, {way: until})
            return
        ways.until = {other: end for other, end in ways.until.items() if end > moment} | {way: until}

    def end(self, room_id: str, way: Hashable, moment: datetime) -> None:
        """A way is no more."""
        ways = self._rooms.get(room_id)
        if ways is not None and way in ways.until:
            ways.until[way] = min(ways.until[way], moment)

    def end_all(self, way: Hashable, moment: datetime) -> None:
        """A way is no more, in every room."""
        for room_id in self._rooms:
            self.end(room_id, way, moment)

    def since(self, room_id: str, moment: datetime) -> datetime | None:
        """Since when there is a way at `moment`; None if there is none."""
        ways = self._rooms.get(room_id)
        return ways.since if ways is not None and ways.last > moment else None

    def keep(self, room_ids: frozenset[str]) -> None:
        """Forgets all other rooms."""
        self._rooms = {room_id: ways for room_id, ways in self._rooms.items() if room_id in room_ids}
