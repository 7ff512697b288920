"""Decides which calendars are read, by the tags that the server gives them and by when they were last read.

A tag is asked for before its calendar is read: what changes in between shows as another tag later, and is
never missed. A tag that stays although the calendar changes is found out by a full reading every few minutes,
and is not believed from then on.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

from placed.driver.unchanged_answer import Question, question_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from placed.driver import Query

FULL_WITHIN = 240.0  # seconds between full readings of a calendar whose tag does not change
_SPREAD = 0.25  # of that: by so much less for some, so that not all are read at once

log = logging.getLogger(__name__)


class CalendarTag(NamedTuple):
    """What shows that a calendar changed: both are strings without a meaning, and either may be missing."""

    ctag: str
    sync_token: str

    @property
    def offered(self) -> bool:
        """Whether the server gives the calendar any tag."""
        return bool(self.ctag or self.sync_token)


class Known(msgspec.Struct):
    """The last reading of a calendar.

    Attributes:
        question: what was asked: room, window and time zone.
        digest: of what was read.
        tag: that the calendar had before it was read; None if it had none.
        read_at: on a monotonic clock.
    """

    question: Question
    digest: bytes
    tag: CalendarTag | None
    read_at: float


class ChangeTags:
    """The last reading of each calendar.

    Args:
        time: seconds of a monotonic clock.

    Attributes:
        not_believed: mailboxes of calendars whose tag stayed although they changed.
    """

    def __init__(self, time: Callable[[], float]) -> None:
        self._time = time
        self._known: dict[str, Known] = {}  # by mailbox
        self._suspected: dict[str, CalendarTag] = {}  # tags that the calendar had before and after a change
        self.not_believed: set[str] = set()

    def keep(self, mailboxes: AbstractSet[str]) -> None:
        """Forgets all other calendars."""
        self._known = {mailbox: known for mailbox, known in self._known.items() if mailbox in mailboxes}
        self._suspected = {mailbox: tag for mailbox, tag in self._suspected.items() if mailbox in mailboxes}
        self.not_believed &= mailboxes

    def forget(self) -> None:
        """No reading counts as known."""
        self._known.clear()

    def drop(self, mailbox: str) -> None:
        """The last reading of a calendar does not count any more."""
        self._known.pop(mailbox, None)

    def is_same(self, query: Query, tag: CalendarTag | None) -> bool:
        """Returns whether the calendar is what it was, so that it need not be read now."""
        known = self._known_for(query)
        self._judge(query.room.mailbox, query.room.id, tag)
        if known is None or tag is None or known.tag != tag or query.room.mailbox in self.not_believed:
            return False
        return self._time() - known.read_at < _full_within(query.room.mailbox)

    def digest(self, query: Query) -> bytes | None:
        """Returns the digest of the last reading; None if that was of another window, or is not known."""
        known = self._known_for(query)
        return None if known is None else known.digest

    def was_read(self, query: Query, tag: CalendarTag | None, digest: bytes) -> None:
        """Notes a reading, and the tag that the calendar had before it."""
        mailbox = query.room.mailbox
        before = self._known.get(mailbox)
        question = question_of(query)
        changed = before is not None and before.question == question and before.digest != digest
        if before is not None and changed and tag is not None and before.tag == tag:
            # It may have changed just after its tag was given: the next tag shows it.
            self._suspected[mailbox] = tag
        self._known[mailbox] = Known(question, digest, tag, self._time())

    def _judge(self, mailbox: str, room_id: str, tag: CalendarTag | None) -> None:
        suspected = self._suspected.pop(mailbox, None)
        if suspected is not None and suspected == tag and mailbox not in self.not_believed:
            self.not_believed.add(mailbox)
            log.warning("a calendar's tag stayed although it changed, so it is read each time: %s", room_id)

    def _known_for(self, query: Query) -> Known | None:
        known = self._known.get(query.room.mailbox)
        return known if query.known and known is not None and known.question == question_of(query) else None


def _full_within(mailbox: str) -> float:
    share = (xxh3_64_intdigest(mailbox.encode()) % 1000) / 1000
    return FULL_WITHIN * (1 - _SPREAD * share)
