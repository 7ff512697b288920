"""A second calendar service in a campaign: a Google Workspace with rooms, and people who book them."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from placed_google.simulator import Simulator, Workspace
from placed_google.simulator.scenario.daemon_access import let_in
from tests.fault_injection.calendar_service import MANY, ZONE, Booked, moment
from tests.fault_injection.network_link import Line
from tests.fault_injection.secrecy_oracle import HIDDEN_TITLE
from tests.fault_injection.workspace_bookings import ACTING, WorkspaceBookings

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from placed_google.simulator import Event, ServiceAccount, SimRoom
    from placed_google.simulator.workspace.event_model import EventStatus, Response, Transparency

ROOMS = ("google-1", "google-2", "google-3")
ALL_ROOMS = ROOMS + ACTING.all
_FORGET = timedelta(seconds=30)
# Calendars are read each second, not each half minute: the same requests come in a twentieth of the time.
_REQUESTS_PER_MINUTE = 20 * 480
# Words that Google does not know yet: what is booked in them occupies its room.
UNKNOWN_TRANSPARENCY = cast("Transparency", "translucent")
UNKNOWN_STATUS = cast("EventStatus", "postponed")
UNKNOWN_RESPONSE = cast("Response", "delegated")
UNKNOWN_TYPE = "daydream"


class WorkspaceCalendars:
    """The Workspace, a line to it, and its people.

    Args:
        clock: of its services.
        chance: what people do.
        changed: is called after each change of a calendar.

    Attributes:
        workspace: what is simulated.
        line: of the daemon, to it.
        bookings: the rooms in which panels act.
        account: that reads.
        changes: how many so far.
    """

    line: Line
    account: ServiceAccount
    names = ALL_ROOMS

    def __init__(
        self, clock: Callable[[], datetime], chance: random.Random, changed: Callable[[], None]
    ) -> None:
        self.workspace = Workspace(now=clock)
        self.rooms = [self.workspace.add_room(name, zone=ZONE) for name in ROOMS]
        self.bookings = WorkspaceBookings(self.workspace)
        self.workspace.add_person("ada")
        self.changes = 0
        self._chance = chance
        self._changed = changed

    @asynccontextmanager
    async def served(self, folder: Path) -> AsyncIterator[str]:
        """See `CalendarService.served`."""
        simulator = Simulator(self.workspace)
        async with simulator:
            port = int(simulator.url.rpartition(":")[2])
            async with Line(port) as self.line:
                simulator.url = f"https://localhost:{self.line.port}"  # so that everything goes by the line
                simulator.open_services()
                self.workspace.limits.per_user_minute = self.workspace.limits.per_project_minute = None
                table = let_in(simulator, folder).replace(
                    'driver = "google"\n',
                    f'driver = "google"\nrequests_per_minute = {_REQUESTS_PER_MINUTE}\n',
                )
                (self.account,) = self.workspace.accounts.values()
                yield table + self.bookings.let_write(simulator, folder)

    def calendars(self) -> Iterator[tuple[str, object, list[Booked]]]:
        """See `CalendarService.calendars`."""
        for name, room in zip(ALL_ROOMS, self.rooms + self.bookings.rooms, strict=True):
            calendar = self.workspace.calendar(room)
            yield name, calendar.version, [_booked(e, calendar.id) for e in self.workspace.events(room)]

    async def run(self, pause: float) -> None:
        """People book, move, cancel and release, for ever, with such a pause on average."""
        while True:
            await asyncio.sleep(self._chance.uniform(0.2, 1.8) * pause)
            self.step()

    def step(self) -> None:
        """Something happens now."""
        room, now = self._chance.choice(self.rooms), self.workspace.now()
        for event in self.workspace.events(room):
            if not now - _FORGET < _end(event) < now + timedelta(days=2):
                self.workspace.delete(event.id)
        events = self.workspace.events(room)
        if events and (len(events) >= MANY or self._chance.random() < 0.4):
            self._change(self._chance.choice(events), now)
        else:
            self._book(room, now)
        self.changes += 1
        self._changed()

    def _book(self, room: SimRoom, now: datetime) -> None:
        chance, workspace = self._chance, self.workspace
        start = now.replace(microsecond=0) + timedelta(seconds=chance.randint(-4, 15))
        end = start + timedelta(seconds=chance.choice((0, 2, 5, 8, 12, 20, 30, 45)))
        if chance.random() < 0.05:
            workspace.hold(room, start.date(), start.date() + timedelta(days=1))
        elif chance.random() < 0.2:
            workspace.hold(room, start, end)
        else:
            workspace.book(
                room,
                start,
                end,
                summary=HIDDEN_TITLE,
                transparency=chance.choice(
                    ("opaque", "opaque", "opaque", "transparent", UNKNOWN_TRANSPARENCY)
                ),
                visibility=chance.choice(("default", "private")),
                status=chance.choice(("confirmed", "confirmed", "tentative", UNKNOWN_STATUS)),
                event_type=chance.choice(("default", "default", "outOfOffice", "focusTime", UNKNOWN_TYPE)),
                response=chance.choice((None, None, "accepted", "needsAction", UNKNOWN_RESPONSE)),
            )

    def _change(self, event: Event, now: datetime) -> None:
        workspace, chance = self.workspace, self._chance
        what = chance.choice(("move", "move", "cancel", "delete", "release", "shorten"))
        later = timedelta(seconds=chance.randint(-10, 20))
        start, end = event.start, event.end
        if what == "delete" or not isinstance(start, datetime) or not isinstance(end, datetime):
            workspace.delete(event.id)
        elif what == "move":
            workspace.move(event.id, start + later, end + later)
        elif what == "shorten":
            workspace.move(event.id, start, max(start, now.replace(microsecond=0)))
        elif what == "cancel":
            workspace.cancel(event.id)
        else:
            workspace.release(event.id)


def _booked(event: Event, calendar: str) -> Booked:
    own = event.own(calendar)
    declined = own is not None and own.response == "declined"
    return Booked(
        moment(event.start),
        moment(event.end),
        event.status == "cancelled",
        "declined" if declined else "accepted",
        "free" if event.transparency == "transparent" else "busy",
        event.all_day,
    )


def _end(event: Event) -> datetime:
    return moment(event.end)
