"""The events of a calendar as they were decoded last: an event whose bytes are the same is not decoded again.

Of a calendar that has changed, nearly all events are as they were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from placed.domain.model import Meeting
from placed.driver.unchanged_answer import digest_of
from placed_google.api.json_structs import Event
from placed_google.api.reply import decode
from placed_google.calendars.event_to_meeting import SEES_NO_DETAILS, distinct, lacks_own_answer, meeting_of

if TYPE_CHECKING:
    from collections.abc import Iterable


class DecodedEvents(msgspec.Struct, frozen=True, gc=False):
    """The events of one calendar.

    Attributes:
        hidden: whether no details were shown.
        zone: in which all-day events have their midnights.
        by_digest: the meeting of each event; None for an event that is none.
        lacks_own_answers: whether there is an event that does not show what the room answered.
    """

    hidden: bool
    zone: ZoneInfo | None
    by_digest: dict[bytes, Meeting | None]
    lacks_own_answers: bool = False

    @property
    def all(self) -> tuple[Meeting, ...]:
        """The meetings, without duplicates."""
        return distinct([meeting for meeting in self.by_digest.values() if meeting is not None])

    def next(self, events: Iterable[msgspec.Raw], role: str | None, zone: ZoneInfo) -> DecodedEvents:
        """Decodes the events that these do not have.

        Args:
            events: of the next answer.
            role: of the service account on this calendar, if it is reported.
            zone: in which all-day events have their midnights.

        Raises:
            DriverError: an event has another shape.
            ValueError, OverflowError: an event has no id, or invalid times.
        """
        hidden = role in SEES_NO_DETAILS
        alike = (hidden, zone) == (self.hidden, self.zone) and not self.lacks_own_answers
        before = self.by_digest if alike else {}
        now: dict[bytes, Meeting | None] = {}
        lacking = False
        for raw in events:
            digest = digest_of(raw)
            if digest in before:
                now[digest] = before[digest]
                continue
            event = decode(raw, Event)
            lacking = lacking or lacks_own_answer(event)
            now[digest] = meeting_of(event, zone, hidden=hidden)
        return DecodedEvents(hidden, zone, now, lacking)


NOTHING_DECODED = DecodedEvents(hidden=False, zone=None, by_digest={})
