"""What became of the meetings of a week to which nobody checked in: numbers, no names. Pure.

would have released 41 of 320 meetings, 3 of them had people in the room later
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec.structs import replace

WEEK = timedelta(days=7)
_A_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


class NoShowWeek(msgspec.Struct, frozen=True):
    """The numbers of one week, of one connection.

    Attributes:
        since: the Monday on which it began, 00:00 UTC.
        meetings: how many meetings waited for a check-in, and whose window is over.
        would_release: how many of them a rehearsal would have released.
        used_later: how many of those had people in the room later, by sensors, or were checked in late.
        released: how many were released.
        kept: how many were not, by the first reason.
    """

    since: datetime
    meetings: int = 0
    would_release: int = 0
    used_later: int = 0
    released: int = 0
    kept: dict[str, int] = {}

    @property
    def sentence(self) -> str:
        """The numbers in one sentence."""
        parts = []
        if self.would_release or not self.released:
            parts.append(f"would have released {self.would_release} of {_meetings(self.meetings)}")
            if self.would_release:
                parts.append(f"{self.used_later} of them had people in the room later")
        if self.released:
            parts.append(f"released {self.released} of {_meetings(self.meetings)}")
        return ", ".join(parts)

    def with_kept(self, reason: str) -> NoShowWeek:
        """Returns the same with one more meeting that was not released."""
        kept = {**self.kept, reason: self.kept.get(reason, 0) + 1}
        return replace(self, meetings=self.meetings + 1, kept=kept)

    def with_release(self, *, rehearsal: bool) -> NoShowWeek:
        """Returns the same with one more meeting that was released, or would have been."""
        return replace(
            self,
            meetings=self.meetings + 1,
            would_release=self.would_release + rehearsal,
            released=self.released + (not rehearsal),
        )

    def with_later_use(self) -> NoShowWeek:
        """Returns the same where a meeting that would have been released had people in the room later."""
        return replace(self, used_later=self.used_later + 1)


def week_of(moment: datetime) -> datetime:
    """Returns the Monday, 00:00 UTC, on which the week of a moment begins."""
    return moment - (moment - _A_MONDAY) % WEEK


def _meetings(number: int) -> str:
    return f"{number} meeting" if number == 1 else f"{number} meetings"
