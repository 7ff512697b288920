"""The metrics of each room, written as lines, and the totals of all rooms.

    placed_room_info{building="HQ",connection="contoso",floor="3",name="Boardroom",room="boardroom"} 1.0
    placed_room_status{room="boardroom",status="busy"} 1.0
    placed_room_occupied{room="boardroom"} 1.0
    placed_room_observed_timestamp_seconds{room="boardroom"} 1767873600.0

Of the statuses every one is present, with 1 for the one that applies; what is not known is absent.
Of 50,000 rooms these are 400,000 samples. To make an object of each, as `prometheus_client` does, and the
garbage collector that looks at them, would hold up the event loop. Lines are written for some rooms at a
time, and what a scrape contains of the other metrics is small.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.registry import Collector

from placed.domain.model import Status
from placed.http.api.room_filters import status_at, use_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from prometheus_client.core import Metric

    from placed.domain.presence import Use
    from placed.domain.state_document import Statement

_END = b"# EOF\n"  # of OpenMetrics
_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


class _Headers(Collector):
    """The families of each room, without samples."""

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        yield InfoMetricFamily(
            "placed_room", "A room and where it is, to join the other metrics of rooms with."
        )
        yield GaugeMetricFamily("placed_room_status", "1 for the status of the room.")
        yield GaugeMetricFamily(
            "placed_room_occupied", "Whether somebody has the room now; absent if unknown."
        )
        yield GaugeMetricFamily(
            "placed_room_observed_timestamp_seconds",
            "When the calendar behind the latest statement was read.",
        )


class _Family(Collector):
    """One of them."""

    def __init__(self, family: Metric) -> None:
        self._family = family

    def collect(self) -> Iterator[Metric]:
        """See `Collector`."""
        yield self._family


def _status_lines(now: Status) -> str:
    return "".join(
        f'placed_room_status{{room="%s",status="{status.value}"}} {float(status is now)}\n'
        for status in Status
    )


_STATUS_LINES = {now: _status_lines(now) for now in Status}


class RoomMetrics:
    """The rooms at one moment.

    Args:
        moment: the moment.

    Attributes:
        statuses: rooms by connection and status.
        stale: rooms by connection that were not read in time.
        uses: rooms that show a presence, by connection and use.
    """

    def __init__(self, moment: datetime) -> None:
        self._moment = moment
        self.statuses: Counter[tuple[str, Status]] = Counter()
        self.stale: Counter[str] = Counter()
        self.uses: Counter[tuple[str, Use | None]] = Counter()
        self._lines: tuple[list[bytes], ...] = ([], [], [], [])  # of each family

    @property
    def connections(self) -> set[str]:
        """The names of the connections that have rooms."""
        return {connection for connection, _ in self.statuses}

    def add(self, statements: Iterable[Statement]) -> None:
        """Adds some rooms."""
        info: list[str] = []
        statuses: list[str] = []
        occupied: list[str] = []
        observed: list[str] = []
        for statement in statements:
            room, occupancy, now = statement.room, statement.occupancy, status_at(statement, self._moment)
            self.statuses[room.connection, now] += 1
            self.stale[room.connection] += occupancy.stale
            if statement.presence is not None:
                self.uses[room.connection, use_at(statement, self._moment)] += 1
            building, floor, name = _text(room.building), _text(room.floor), _text(room.name)
            info.append(
                f'placed_room_info{{building="{building}",connection="{_text(room.connection)}",floor="{floor}",'
                f'name="{name}",room="{room.id}"}} 1.0\n'
            )
            statuses.append(_STATUS_LINES[now] % ((room.id,) * len(Status)))
            if now is not Status.UNKNOWN:
                occupied.append(
                    f'placed_room_occupied{{room="{room.id}"}} {float(bool(occupancy.occupied))}\n'
                )
            if occupancy.observed_at:
                observed.append(
                    f'placed_room_observed_timestamp_seconds{{room="{room.id}"}} '
                    f"{occupancy.observed_at.timestamp()}\n"
                )
        for family, lines in zip(self._lines, (info, statuses, occupied, observed), strict=True):
            family.append("".join(lines).encode())

    def written(self, encode: Callable[[Collector], bytes]) -> list[bytes]:
        """Returns the families of each room, in parts; `encode` writes their heads."""
        parts: list[bytes] = []
        for family, lines in zip(_Headers().collect(), self._lines, strict=True):
            parts += [encode(_Family(family)).removesuffix(_END), *lines]
        return parts


def _text(value: str | None) -> str:
    return value.translate(_ESCAPED) if value else ""
