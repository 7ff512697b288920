"""The check-ins of all rooms, and the rules by which they count."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from placed.domain.check_in_rules import RoomCheckIns

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from placed.domain.check_in_rules import CheckedIn, CheckInRules
    from placed.domain.model import Room

_KEPT_FOR = timedelta(days=1)  # after the start of the meeting


class CheckInBook:
    """Keeps the check-ins of every room; the rules are those of its connection."""

    def __init__(self) -> None:
        self._rules: Mapping[str, CheckInRules] = {}
        self._known: dict[str, tuple[CheckedIn, ...]] = {}

    def set_rules(self, rules: Mapping[str, CheckInRules]) -> None:
        """Sets the rules, by connection; one without has no check-in."""
        self._rules = rules

    def of(self, room: Room) -> RoomCheckIns | None:
        """The rules and check-ins of a room; None if its connection has no check-in."""
        rules = self._rules.get(room.connection)
        return RoomCheckIns(rules, self._known.get(room.id, ())) if rules is not None else None

    def known(self, room_id: str) -> tuple[CheckedIn, ...]:
        """The check-ins of a room."""
        return self._known.get(room_id, ())

    def add(self, room_id: str, *records: CheckedIn, now: datetime) -> None:
        """Adds check-ins, and forgets those of long ago."""
        kept = [known for known in (*self.known(room_id), *records) if now - known.start < _KEPT_FOR]
        self._known[room_id] = tuple(dict.fromkeys(kept))

    def remove(self, room_id: str, meeting: str) -> None:
        """Forgets the check-ins to a meeting."""
        self._known[room_id] = tuple(known for known in self.known(room_id) if known.meeting != meeting)
