"""What is true: every calendar as it was and is, and what the clock on the wall showed. Uses no code of ours.

Elapsed time is that of the steady clock, which counts a suspend, but not for how long the machine had no
processor for what is judged.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

_Value = TypeVar("_Value")
Block = tuple[float, float]  # from and until when somebody has the room: seconds since 1970
_MIDNIGHT = time()
_TICK = 0.2  # seconds by which a clock may run ahead before it is noted; far below the slack of an edge


class Meeting(Protocol):
    """What there is to know of a meeting, whatever the service."""

    @property
    def start(self) -> datetime:
        """When it begins; of an all-day meeting any moment of its first day."""

    @property
    def end(self) -> datetime:
        """When it ends; of an all-day meeting any moment of the day after its last."""

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""

    @property
    def response(self) -> str:
        """The answer of the room."""

    @property
    def show_as(self) -> str:
        """How it shows."""

    @property
    def all_day(self) -> bool:
        """Whether it has days in place of times."""


def occupying(meetings: Iterable[Meeting], zone: ZoneInfo) -> tuple[Block, ...]:
    """When the room is taken, in order; what overlaps or touches is one."""
    spans = sorted(
        _span(meeting, zone)
        for meeting in meetings
        if not meeting.cancelled and meeting.response != "declined" and meeting.show_as != "free"
    )
    blocks: list[Block] = []
    for start, end in spans:
        if end <= start:
            continue
        if blocks and start <= blocks[-1][1]:
            blocks[-1] = blocks[-1][0], max(blocks[-1][1], end)
        else:
            blocks.append((start, end))
    return tuple(blocks)


def _span(meeting: Meeting, zone: ZoneInfo) -> Block:
    if not meeting.all_day:
        return meeting.start.timestamp(), meeting.end.timestamp()
    first, last = (datetime.combine(m.date(), _MIDNIGHT, zone) for m in (meeting.start, meeting.end))
    return first.timestamp(), last.timestamp()


@dataclass(frozen=True, slots=True)
class Sight:
    """What there is to see of a room: its status, and until when."""

    status: str
    until: float | None

    def __str__(self) -> str:
        until = datetime.fromtimestamp(self.until, UTC).strftime("%d. %H:%M:%S") if self.until else "ever"
        return f"{self.status} until {until}"


def sight(blocks: tuple[Block, ...], moment: float, lead: float) -> Sight:
    """What is to be seen of a room at a moment of the wall clock."""
    for start, end in blocks:
        if end <= moment:
            continue
        if start <= moment:
            return Sight("busy", end)
        return Sight("starting" if start - lead <= moment else "free", start)
    return Sight("free", None)


class Past(Generic[_Value]):
    """Values one after the other, each with since when it holds, in elapsed seconds."""

    def __init__(self) -> None:
        self.values: list[tuple[float, _Value]] = []

    def add(self, since: float, value: _Value) -> None:
        if not self.values or self.values[-1][1] != value:
            self.values.append((since, value))

    def within(self, since: float) -> Iterator[_Value]:
        """Those that held at any time from then on, the latest first."""
        for began, value in reversed(self.values):
            yield value
            if began <= since:
                return

    def forget(self, before: float) -> None:
        while len(self.values) > 1 and self.values[1][0] < before:
            del self.values[0]


class Truth:
    """Remembers what was true.

    Args:
        zone: of all rooms.
        lead: for how many seconds before its next meeting a free room is `starting`.
        slack: for how many seconds an edge may be early or late on a panel.
        remember: for how many seconds it is remembered.
    """

    def __init__(self, zone: ZoneInfo, lead: float, slack: float, remember: float = 120.0) -> None:
        self._zone = zone
        self._lead = lead
        self._slack = slack
        self._remember = remember
        self._calendars: dict[str, tuple[Block, ...]] = {}
        self._closed: dict[str, int] = {}
        self._postponed: dict[str, Past[float]] = {}
        self._pasts: dict[str, Past[tuple[Block, ...] | None]] = {}
        self._other_names: dict[str, str] = {}  # to the room of each
        self._ahead = 0.0
        self._walls: Past[float] = Past()  # seconds that the clock on the wall is ahead of what elapsed
        self._settings: Past[float] = Past()  # the same of the steady clock

    @property
    def rooms(self) -> list[str]:
        """Those that may be shown now."""
        return [room for room in self._calendars if not self._closed.get(room)]

    # --- what becomes true ---

    def tick(self, elapsed: float, wall: float, steady: float | None = None) -> None:
        """The clock on the wall shows this now, and this the steady one, if it runs ahead of what elapsed."""
        self._ahead = wall - elapsed
        for past, ahead, step in (
            (self._walls, self._ahead, _TICK),
            (self._settings, wall - (elapsed if steady is None else steady), 0.05),
        ):
            if not past.values or abs(past.values[-1][1] - ahead) > step:
                past.add(elapsed, ahead)
            past.forget(elapsed - self._remember)

    def note(self, room: str, meetings: Iterable[Meeting], elapsed: float) -> None:
        """This is the calendar of the room."""
        self._calendars[room] = occupying(meetings, self._zone)
        self._keep(room, elapsed)

    def also_called(self, name: str, room: str) -> None:
        """A room may be shown as this, too: by its object id, where nobody can know its name."""
        self._other_names[name] = room

    def close(self, room: str, elapsed: float) -> None:
        """Nothing of the room may be read from now on, for one reason more."""
        self._closed[room] = self._closed.get(room, 0) + 1
        self._keep(room, elapsed)

    def open(self, room: str, elapsed: float) -> None:
        """One reason less."""
        self._closed[room] -= 1
        self._keep(room, elapsed)

    def postpone(self, room: str, seconds: float, elapsed: float) -> None:
        """From now on nobody can know for so long that the room's calendar changed; 0 ends it."""
        past = self._postponed.setdefault(room, Past())
        past.add(elapsed, seconds)
        past.forget(elapsed - self._remember)

    def _keep(self, room: str, elapsed: float) -> None:
        past = self._pasts.setdefault(room, Past())
        past.add(elapsed, None if self._closed.get(room) else self._calendars.get(room))
        past.forget(elapsed - self._remember)

    # --- what is asked ---

    def wall(self, elapsed: float) -> float:
        """What the clock on the wall shows, in seconds since 1970."""
        return elapsed + self._ahead

    def set_forward(self, elapsed: float, within: float) -> float:
        """By how many seconds the clock on the wall was set forward in the last `within` seconds, at most."""
        ahead = list(self._settings.within(elapsed - within))
        return ahead[0] - min(ahead)

    def allows(self, room: str, seen: Sight, elapsed: float, budget: float) -> bool:
        """Whether that was right by what was true at some moment of the last `budget` seconds.

        What was read within these may have been older by what `postpone` allows.
        """
        room = self._other_names.get(room, room)
        past = self._pasts.get(room)
        if past is None:
            return False
        since = elapsed - budget
        postponed = self._postponed.get(room)
        earlier = max(postponed.within(since), default=0.0) if postponed is not None else 0.0
        calendars = [blocks for blocks in past.within(since - earlier) if blocks is not None]
        return any(
            self._right(blocks, seen, elapsed + ahead)
            for ahead in self._walls.within(since)
            for blocks in calendars
        )

    def _right(self, blocks: tuple[Block, ...], seen: Sight, moment: float) -> bool:
        if sight(blocks, moment, self._lead) == seen:
            return True
        first, last = moment - self._slack, moment + self._slack
        edges = {first, last}
        for start, end in blocks:
            edges |= {edge for edge in (start - self._lead, start, end) if first <= edge <= last}
        return any(sight(blocks, edge, self._lead) == seen for edge in edges)

    def story(self, room: str, elapsed: float) -> list[str]:
        """What was true of the room, and since when; for people."""
        past = self._pasts.get(self._other_names.get(room, room))
        ahead = self._walls.values[-1][1]
        lines = [f"wall: {', '.join(f'{a:+.1f} since {elapsed - s:.1f} s' for s, a in self._walls.values)}"]
        for since, blocks in past.values[-6:] if past else []:
            wanted = "not to be shown" if blocks is None else str(sight(blocks, elapsed + ahead, self._lead))
            lines.append(f"since {elapsed - since:.1f} s: {wanted}")
        return lines
