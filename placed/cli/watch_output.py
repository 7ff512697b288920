"""The output of `placed watch`: rows of a table, lines, and JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import typer

from placed.cli import presence_words
from placed.cli.room_table import Line, clock, plain
from placed.domain.timestamps import timestamp, timestamp_or_none
from placed.panel.state_validity import Why

if TYPE_CHECKING:
    from placed.panel.received_documents import PresenceHeard
    from placed.panel.state_validity import Moment, Panel, Shown

_TOLERATED = timedelta(seconds=5)  # difference between two clocks
WORDS = {
    Why.DISCONNECTED: "not connected to the broker",
    Why.BRIDGE_OFFLINE: "the daemon is offline",
    Why.BRIDGE_SILENT: "no message from the daemon",
    Why.NO_STATE: "the broker has no state of it",
    Why.UNREADABLE: "its state is invalid",
    Why.OUTDATED: "valid_until has passed",
    Why.EXPIRED: "its message has expired",
    Why.UNAVAILABLE: "availability is offline",
    Why.REPORTED: "the daemon does not know",
}


class WatchPrinter:
    """Prints what a panel shows, and later only the changes.

    Args:
        panel: the panel.
        as_json: prints JSON.
    """

    def __init__(self, panel: Panel, *, as_json: bool) -> None:
        self.panel = panel
        self._as_json = as_json
        self._printed: dict[str, tuple[object, ...]] = {}

    def lines(self, moment: Moment) -> list[Line]:
        """One line per room, in order."""
        return sorted(
            (_line(self.panel.shows(room, moment)) for room in self.panel.rooms), key=lambda line: line.order
        )

    def print_changes(self, moment: Moment) -> None:
        """Prints the changes of all rooms."""
        rooms = self.panel.rooms
        shown = [self.panel.shows(room, moment) for room in rooms]
        if not any(one.why is Why.DISCONNECTED for one in shown):
            for room in sorted(self._printed.keys() - set(rooms)):
                del self._printed[room]
                self._print({"room": room, "gone": True}, f"{room} is gone", moment)
        for one in shown:
            self._print_if_changed(one, moment)

    def print_room(self, room: str, moment: Moment) -> None:
        """Prints the changes of a room."""
        if self.panel.knows(room):
            self._print_if_changed(self.panel.shows(room, moment), moment)

    def clock_problem(self) -> str | None:
        """A warning if this machine's clock differs from the daemon's."""
        offset = self.panel.clock_offset
        if abs(offset) <= _TOLERATED:
            return None
        seconds = round(abs(offset).total_seconds())
        length = f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"  # noqa: PLR2004 - reads better
        side = "behind" if offset > timedelta(0) else "ahead of"
        return f"the clock here seems to be {length} {side} the daemon's; set it by NTP"

    def _print_if_changed(self, shown: Shown, moment: Moment) -> None:
        people = (shown.presence.state, shown.presence.count) if shown.presence is not None else None
        printed = (shown.status, shown.until, shown.stale, shown.why, shown.reason, people, shown.use)
        if self._printed.get(shown.room) != printed:
            self._printed[shown.room] = printed
            self._print(_document(shown), _sentence(shown, moment), moment)

    def _print(self, document: dict[str, Any], sentence: str, moment: Moment) -> None:
        if self._as_json:
            printed = {"at": timestamp(moment.wall.replace(microsecond=0)), **document}
            typer.echo(msgspec.json.encode(printed).decode())
        else:
            typer.echo(f"{moment.wall.astimezone():%H:%M:%S} {sentence}")


def why_unknown(shown: Shown) -> str:
    """Why the room is unknown, with the daemon's reason if there is one."""
    if shown.why is None:
        return ""
    reason = plain(shown.reason or "")
    return f"{WORDS[shown.why]}: {reason}" if reason else WORDS[shown.why]


def _note(shown: Shown) -> str:
    return why_unknown(shown) if shown.why is not None else plain(shown.reason or "")


def _line(shown: Shown) -> Line:
    place = shown.place
    return Line(
        place.name,
        place.building,
        place.floor,
        shown.status.value,
        until=shown.until,
        next_start=shown.next_start,
        stale=shown.stale,
        note=_note(shown),
        presence=shown.presence,
        use=shown.use,
    )


def _sentence(shown: Shown, moment: Moment) -> str:
    """`boardroom busy until 11:00, nobody since 10:12`."""
    people = presence_words.sentence(shown.presence, shown.use, lambda since: clock(since, moment.wall))
    if shown.why is not None:
        return f"{shown.room} unknown: {why_unknown(shown)}{people}"
    until = f" until {clock(shown.until, moment.wall)}" if shown.until else ""
    parts = ("stale" if shown.stale else "", _note(shown))
    note = ": ".join(part for part in parts if part)
    return f"{shown.room} {shown.status}{until}{f' ({note})' if note else ''}{people}"


def _document(shown: Shown) -> dict[str, Any]:
    return {
        "room": shown.room,
        "name": shown.place.name,
        "status": shown.status.value,
        "until": timestamp_or_none(shown.until),
        "stale": shown.stale,
        "why": shown.why.value if shown.why else None,
        "reason": shown.reason,
        "valid_until": timestamp_or_none(shown.valid_until),
        "presence": _presence_document(shown.presence) if shown.presence is not None else None,
        "use": shown.use,
    }


def _presence_document(presence: PresenceHeard) -> dict[str, Any]:
    return {
        "state": presence.state,
        "count": presence.count,
        "since": timestamp(presence.since),
        "valid_until": timestamp(presence.valid_until),
    }
