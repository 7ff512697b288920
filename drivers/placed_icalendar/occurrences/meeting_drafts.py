"""Makes meetings of their drafts: short keys, each once, and no person's name for a title."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.driver.meetings import more_occupying, short_key, title_without_name

if TYPE_CHECKING:
    from datetime import datetime

    from placed.domain.model import Meeting


class MeetingDrafts:
    """Collects the drafts of one reading."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, datetime, datetime], Meeting] = {}

    def add(self, draft: Meeting) -> None:
        """Adds a draft. Of two of one meeting, the one that occupies the room counts."""
        meeting = replace(
            draft,
            key=short_key(draft.key),
            series=None if draft.series is None else short_key(draft.series),
            # Exchange replaces the title of a meeting in a room by the organizer's name, by default.
            title=title_without_name(draft.title, draft.organizer),
        )
        place = meeting.key, meeting.start, meeting.end
        before = self._found.get(place)
        self._found[place] = meeting if before is None else more_occupying(before, meeting)

    @property
    def meetings(self) -> tuple[Meeting, ...]:
        """The meetings, in the order of their drafts."""
        return tuple(self._found.values())
