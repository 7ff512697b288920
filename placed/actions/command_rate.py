"""How many commands a room takes: six a minute, whichever way they come. Pure."""

from __future__ import annotations

from collections import deque

MOST = 6
WITHIN = 60.0  # seconds


class CommandRate:
    """Counts the accepted commands of every room. Times are seconds on the steady clock."""

    def __init__(self) -> None:
        self._accepted: dict[str, deque[float]] = {}

    def wait(self, room_id: str, moment: float) -> float:
        """Returns how many seconds pass until the room takes another command; 0 if it does now."""
        accepted = self._accepted.get(room_id)
        if accepted is None or len(accepted) < MOST:
            return 0.0
        return max(0.0, accepted[0] + WITHIN - moment)

    def count(self, room_id: str, moment: float) -> None:
        """Counts a command that was accepted."""
        self._accepted.setdefault(room_id, deque(maxlen=MOST)).append(moment)
