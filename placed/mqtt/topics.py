"""The names of all topics. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics below a base topic such as `placed/hq`."""

    base: str

    @property
    def bridge_state(self) -> str:
        """Whether the daemon is there; also the topic of the will."""
        return f"{self.base}/bridge/state"

    @property
    def bridge_info(self) -> str:
        """What the daemon is."""
        return f"{self.base}/bridge/info"

    @property
    def bridge_health(self) -> str:
        """How its connections are."""
        return f"{self.base}/bridge/health"

    @property
    def rooms(self) -> str:
        """The index of rooms."""
        return f"{self.base}/rooms"

    def state(self, room_id: str) -> str:
        """The room's one atomic document."""
        return f"{self.base}/rooms/{room_id}/state"

    def availability(self, room_id: str) -> str:
        """Whether anything is known of the room: `online`, `offline`."""
        return f"{self.base}/rooms/{room_id}/availability"

    def occupied(self, room_id: str) -> str:
        """`ON`, `OFF`, or nothing."""
        return f"{self.base}/rooms/{room_id}/occupied"

    def status(self, room_id: str) -> str:
        """The status word."""
        return f"{self.base}/rooms/{room_id}/status"

    def event(self, room_id: str) -> str:
        """What happens in the room; not retained."""
        return f"{self.base}/rooms/{room_id}/event"

    def retained(self, room_id: str) -> tuple[str, ...]:
        """All topics of a room that the broker may hold something on."""
        return (
            self.state(room_id),
            self.availability(room_id),
            self.occupied(room_id),
            self.status(room_id),
        )
