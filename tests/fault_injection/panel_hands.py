"""People at panels: they book, extend, end and check in, over MQTT and HTTP, and some of it is forged."""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from tests.fault_injection.action_oracle import Press
from tests.fault_injection.command_sender import TOKEN, PanelCommand

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from tests.fault_injection.action_oracle import ActionOracle
    from tests.fault_injection.command_sender import CommandSender
    from tests.fault_injection.shared_clock import SharedClock

READ_ONLY = "room-1"  # of a connection without actions
LONGEST = timedelta(minutes=5)
_OLD = timedelta(minutes=5)
_SHORT = timedelta(seconds=65)


class BookedMeeting(Protocol):
    """A meeting as people see it."""

    @property
    def id(self) -> str:
        """By which it is changed."""
        ...

    @property
    def start(self) -> datetime:
        """When it starts."""
        ...

    @property
    def end(self) -> datetime:
        """When it ends."""
        ...

    @property
    def cancelled(self) -> bool:
        """Whether it does not take place."""
        ...


class ActingCalendars(Protocol):
    """The calendars of a service, as people elsewhere see and change them."""

    def meetings(self, room: str) -> Sequence[BookedMeeting]:
        """What is booked in a room."""
        ...

    def book(self, room: str, start: datetime, end: datetime) -> object:
        """Somebody books it."""
        ...

    def move(self, meeting_id: str, start: datetime, end: datetime) -> object:
        """Its organizer moves a meeting."""
        ...

    def delete(self, meeting_id: str) -> object:
        """Its organizer deletes it."""
        ...


@dataclass(frozen=True, slots=True)
class ActingRooms:
    """The rooms of a service in which panels act.

    Attributes:
        lively: people elsewhere book these, too, and anything is pressed in them.
        quiet: here only those press who want a write; a room takes six a minute.
    """

    lively: tuple[str, ...]
    quiet: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Both."""
        return self.lively + self.quiet


ACTING = ActingRooms(("acting-1", "acting-2", "acting-3"), ("acting-4", "acting-5"))
ROOMS = ACTING.all


def panel_tokens(rooms: Iterable[str] = ROOMS) -> str:
    """The file of the panels' tokens."""
    scopes = [f"rooms/{room}:{action}" for room in rooms for action in ("book", "extend", "end", "check-in")]
    digest = hashlib.sha256(TOKEN.encode()).hexdigest()
    return f"[hands]\ntoken_sha256 = {json.dumps(digest)}\nscopes = {json.dumps(scopes)}\n"


def action_tables(client_id: str, secret: Path) -> str:
    """The tables of the connection whose bookings they change."""
    return f"""
[connections.actions]
client_id = {json.dumps(client_id)}
client_secret_file = {json.dumps(str(secret))}
allow = ["check-in", "end", "extend", "book"]
longest = "{LONGEST.seconds}s"
[connections.check_in]
from = "20s"
after = "40s"
"""


class Hands:
    """All people at the panels of the rooms that act at one service.

    Args:
        calendars: of the service.
        rooms: that act.
        sender: sends what they press, and takes in the replies.
        clock: shared with the daemon.
        oracle: is given every command and reply.
        chance: what they do.
        changed: is called after each change of a calendar.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the world they live in
        self,
        calendars: ActingCalendars,
        rooms: ActingRooms,
        sender: CommandSender,
        clock: SharedClock,
        oracle: ActionOracle,
        chance: random.Random,
        changed: Callable[[], None],
    ) -> None:
        self._calendars = calendars
        self._rooms = rooms
        self._clock = clock
        self._oracle = oracle
        self._chance = chance
        self._changed = changed
        self._sender = sender
        self._sending: set[asyncio.Task[None]] = set()
        self.pressed = 0

    async def run(self, pause: float) -> None:
        """For ever, with such a pause on average between two commands."""
        while True:
            await asyncio.sleep(self._chance.uniform(0.2, 1.8) * pause)
            self._keep_booked()
            self._changed()
            command = self._draw()
            if command is not None:
                self._press(command)

    async def press_over_mqtt(
        self, press: Press, *, issued_at: datetime | None = None, response_topic: str | None = None
    ) -> None:
        """Presses one button; waits until the broker has the command."""
        await self._sender.listening.wait()
        self._oracle.press(press)
        issued_at = issued_at or self._clock.now()
        await self._sender.publish(PanelCommand(press, issued_at, response_topic=response_topic))

    def press_what_writes(self, chance: random.Random) -> None:
        """Presses a button whose command can be carried out now: books a room, or ends what runs in it.

        Nobody presses if each room is about to be used, or used for hardly a minute more.
        """
        now, lively, quiet = self._clock.now(), self._rooms.lively, self._rooms.quiet
        for room in chance.choice((lively + quiet, quiet + lively)):
            meetings = [m for m in self._calendars.meetings(room) if not m.cancelled and m.end > now]
            running = [m for m in meetings if m.start <= now]
            if len(running) == 1 and running[0].end > now + _SHORT:
                press = self._named("end", room, running[0].start)
            elif all(m.start > now + _SHORT for m in meetings):
                until = now.replace(microsecond=0) + chance.choice((_SHORT, 3 * _SHORT))
                press = self._named("book", room, None, until)
            else:
                continue
            self._press(PanelCommand(press, now))
            return

    def end_a_persons_meeting(self, chance: random.Random) -> None:
        """Somebody books a room elsewhere, and somebody else ends that meeting at the panel.

        Nobody does if each room is in use, or is about to be.
        """
        now = self._clock.now()
        for room in chance.sample(self._rooms.all, len(self._rooms.all)):
            meetings = [m for m in self._calendars.meetings(room) if not m.cancelled]
            if any(m.end > now - _SHORT and m.start < now + 2 * _SHORT for m in meetings):
                continue
            start = now.replace(microsecond=0) - timedelta(seconds=5)
            self._calendars.book(room, start, start + 2 * _SHORT)
            self._changed()
            self._press(PanelCommand(self._named("end", room, start), now))
            return

    # --- what they do ---

    def _keep_booked(self) -> None:
        """People elsewhere book these rooms, too, for some minutes, and move or delete what is booked."""
        chance, now = self._chance, self._clock.now().replace(microsecond=0)
        room = chance.choice(self._rooms.lively)
        meetings = self._calendars.meetings(room)
        for meeting in meetings:
            if meeting.end < now - timedelta(minutes=1):
                self._calendars.delete(meeting.id)
        ahead = [meeting for meeting in meetings if meeting.end > now]
        if len(ahead) < 3 and chance.random() < 0.5:
            start = now + timedelta(seconds=chance.choice((-30, 0, 5, 60, 150)))
            self._calendars.book(room, start, start + timedelta(seconds=chance.choice((90, 150, 240, 400))))
        elif ahead and chance.random() < 0.4:
            meeting = chance.choice(ahead)
            later = timedelta(seconds=chance.choice((-20, 15, 60)))
            if chance.random() < 0.3:
                self._calendars.delete(meeting.id)
            else:
                self._calendars.move(meeting.id, meeting.start + later, meeting.end + later)

    def _draw(self) -> PanelCommand | None:
        chance, now = self._chance, self._clock.now()
        room = chance.choice(self._rooms.lively)
        running = [m for m in self._calendars.meetings(room) if m.start <= now < m.end]
        action = chance.choice(("book", "book", "extend", "end", "end", "check-in"))
        meeting: BookedMeeting | None = chance.choice(running) if running and action != "book" else None
        if action != "book" and meeting is None:
            return None
        until = None
        if action in ("book", "extend"):
            begin = meeting.end if meeting is not None and action == "extend" else now
            until = (begin + timedelta(seconds=chance.choice((60, 90, 150, 600)))).replace(microsecond=0)
        forbidden, issued_at, retained, response = "", now, False, None
        fault = chance.random()
        if fault < 0.06:
            forbidden, issued_at = "it was late", now - _OLD
        elif fault < 0.12:
            forbidden, retained = "it was retained", True
        elif fault < 0.18:
            forbidden, room = "the room takes none", READ_ONLY
        elif fault < 0.24:
            response = chance.choice(
                (f"placed/rooms/{room}/state", "placed/bridge/state", "elsewhere/reply", "placed/responses/a")
            )
        start = meeting.start if meeting is not None else None
        press = self._named(action, room, start, until, forbidden)
        return PanelCommand(press, issued_at, retained, response)

    def _named(
        self,
        action: str,
        room: str,
        meeting: datetime | None,
        until: datetime | None = None,
        forbidden: str = "",
    ) -> Press:
        key = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))
        return Press(key, action, room, meeting, until, forbidden, self._clock.elapsed())

    def _press(self, command: PanelCommand) -> None:
        self.pressed += 1
        self._begin(self._sender.send(command))

    def _begin(self, sending: Any) -> None:
        task = asyncio.create_task(sending)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)
