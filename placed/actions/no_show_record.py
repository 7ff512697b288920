"""What is kept of a connection's no-shows over a restart: weeks, latest releases, repeated ones. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from placed.actions.no_show_week import WEEK, NoShowWeek, week_of

if TYPE_CHECKING:
    from placed.domain.model import Meeting

ONE_HOUR = timedelta(hours=1)
REPEATED = 3  # no-shows in a row from which on a series counts as one to which nobody comes
_FORGOTTEN = timedelta(days=100)  # after the latest occurrence of a series
_MOST_SERIES = 10_000


class Strikes(msgspec.Struct, frozen=True):
    """To how many meetings of a series in a row nobody has come, and when the latest of them began."""

    number: int
    latest: datetime


class NoShowRecord(msgspec.Struct, frozen=True):
    """The record of one connection. It has no titles and no names.

    Attributes:
        week: the numbers of this week.
        last_week: those of the last week in which there was a meeting.
        releases: when meetings were released, or would have been, in the last hour.
        series: the strikes of each series in each room, by "room/series".
    """

    week: NoShowWeek
    last_week: NoShowWeek | None = None
    releases: tuple[datetime, ...] = ()
    series: dict[str, Strikes] = {}

    @classmethod
    def new(cls, moment: datetime) -> NoShowRecord:
        """A record that begins now."""
        return cls(NoShowWeek(week_of(moment)))

    def at(self, moment: datetime) -> NoShowRecord:
        """Returns the record as it is at a moment: a week may have ended, an hour passed."""
        releases = tuple([one for one in self.releases if abs(moment - one) < ONE_HOUR])
        if self.week.since <= moment < self.week.since + WEEK:
            return self if len(releases) == len(self.releases) else replace(self, releases=releases)
        series = {key: one for key, one in self.series.items() if moment - one.latest < _FORGOTTEN}
        last_week = self.week if self.week.meetings else self.last_week
        return NoShowRecord(NoShowWeek(week_of(moment)), last_week, releases, series)

    def with_release(self, moment: datetime) -> NoShowRecord:
        """Returns the record with one more release in the last hour."""
        return replace(self, releases=(*self.releases, moment))

    def with_no_show(self, room_id: str, meeting: Meeting) -> tuple[NoShowRecord, int | None]:
        """Returns the record after a meeting to which nobody came, and the strikes of its series."""
        key = _key(room_id, meeting)
        if key is None:
            return self, None
        before = self.series.get(key)
        number = before.number + 1 if before is not None else 1
        if before is None and len(self.series) >= _MOST_SERIES:
            return self, number
        return replace(self, series={**self.series, key: Strikes(number, meeting.start)}), number

    def with_use(self, room_id: str, meeting: Meeting) -> NoShowRecord:
        """Returns the record after a meeting to which somebody came: its series begins at none again."""
        key = _key(room_id, meeting)
        if key is None or key not in self.series:
            return self
        return replace(self, series={other: one for other, one in self.series.items() if other != key})

    @property
    def repeated_series(self) -> int:
        """To how many series nobody has come several times in a row."""
        return sum(one.number >= REPEATED for one in self.series.values())


def _key(room_id: str, meeting: Meeting) -> str | None:
    return f"{room_id}/{meeting.series}" if meeting.series is not None else None
