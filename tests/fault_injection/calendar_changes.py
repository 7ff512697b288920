"""People who book, move, shorten, cancel and decline meetings, so that the truth changes all the time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from datetime import datetime

    from placed_microsoft365.simulator import Meeting, SimRoom, Tenant
    from placed_microsoft365.simulator.tenant.mailboxes import Response, Sensitivity, ShowAs

UNKNOWN_SHOW_AS = cast("ShowAs", "daydreaming")  # Exchange does not know it yet; it occupies its room
_SHOW_AS: tuple[ShowAs, ...] = (
    "busy",
    "busy",
    "busy",
    "busy",
    "tentative",
    "oof",
    "workingElsewhere",
    UNKNOWN_SHOW_AS,
    "free",
)
_SENSITIVITY: tuple[Sensitivity, ...] = ("normal", "normal", "private")
_RESPONSE: tuple[Response, ...] = ("accepted", "accepted", "accepted", "tentativelyAccepted", "notResponded")
_MANY = 6  # meetings of a room, from which on fewer are booked
_FORGET = timedelta(seconds=30)


class People:
    """Makes one thing happen at a time.

    Args:
        tenant: whose calendars they are.
        chance: what happens.
        changed: is called after each.
    """

    def __init__(self, tenant: Tenant, chance: random.Random, changed: Callable[[], None]) -> None:
        self.booked = 0
        self.changes = 0
        self._tenant = tenant
        self._chance = chance
        self._changed = changed

    async def run(self, pause: float) -> None:
        """For ever, with such a pause on average."""
        while True:
            await asyncio.sleep(self._chance.uniform(0.2, 1.8) * pause)
            self.step()

    def step(self) -> None:
        """Something happens now."""
        rooms = self._tenant.rooms()
        if not rooms:
            return
        room, now = self._chance.choice(rooms), self._tenant.now()
        self._forget(room, now)
        meetings = self._tenant.meetings(room)
        if meetings and (len(meetings) >= _MANY or self._chance.random() < 0.4):
            self._change(self._chance.choice(meetings), now)
        elif self._chance.random() < 0.06:
            self._book_a_day(room, now)
        else:
            self._book(room, now)
        self.changes += 1
        self._changed()

    def _book(self, room: SimRoom, now: datetime) -> None:
        chance = self._chance
        start = now.replace(microsecond=0) + timedelta(seconds=chance.randint(-4, 15))
        others = [meeting for meeting in self._tenant.meetings(room) if not meeting.all_day]
        if others and chance.random() < 0.3:
            start = chance.choice(others).end
        self._tenant.book(
            room,
            start,
            start + timedelta(seconds=chance.choice((0, 2, 5, 8, 12, 20, 30, 45))),
            show_as=chance.choice(_SHOW_AS),
            sensitivity=chance.choice(_SENSITIVITY),
            response=chance.choice(_RESPONSE),
        )
        self.booked += 1

    def _book_a_day(self, room: SimRoom, now: datetime) -> None:
        day = now.date() + timedelta(days=self._chance.choice((0, 0, 1)))
        self._tenant.book(
            room, day, day + timedelta(days=1), all_day=True, show_as=self._chance.choice(_SHOW_AS)
        )
        self.booked += 1

    def _change(self, meeting: Meeting, now: datetime) -> None:
        tenant, chance = self._tenant, self._chance
        later = timedelta(seconds=chance.randint(-10, 20))
        what = chance.choice(("move", "move", "shorten", "cancel", "delete", "delete", "decline", "respond"))
        if what == "delete" or meeting.all_day:
            tenant.delete(meeting.id)
        elif what == "move":
            tenant.move(meeting.id, meeting.start + later, meeting.end + later)
        elif what == "shorten":
            tenant.move(meeting.id, meeting.start, max(meeting.start, now.replace(microsecond=0)))
        elif what == "cancel":
            tenant.cancel(meeting.id)
        elif what == "decline":
            tenant.decline(meeting.id, stays=chance.random() < 0.5)
        else:
            tenant.respond(meeting.id, "accepted")

    def _forget(self, room: SimRoom, now: datetime) -> None:
        """Keeps calendars short."""
        for meeting in self._tenant.meetings(room):
            if not now - _FORGET < meeting.end < now + timedelta(days=2):
                self._tenant.delete(meeting.id)
