"""The line that `systemctl status` shows: how the daemon is now, and what it waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from placed.domain.connection_health import ConnectionState
from placed.driver import FenceState
from placed.runtime.systemd import first_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from placed.domain.connection_health import ConnectionHealth
    from placed.domain.corrected_clock import CorrectedClock
    from placed.domain.mqtt_delivery_status import DeliveryStatus
    from placed.domain.problem import Problem
    from placed.runtime.systemd import Supervisor

_EVERY = 1.0  # seconds between two looks; systemd is notified only of what changed
_LONGEST = 160  # characters of one problem

_STATES = {
    ConnectionState.OK: "",
    ConnectionState.STARTING: "not read yet",
    ConnectionState.FAILING: "failing",
    ConnectionState.REFUSED: "refused",
    ConnectionState.BREACHED: "fence breached, not read any more",
}


class Polled(Protocol):
    """What is asked of a poller."""

    answered: int

    @property
    def health(self) -> ConnectionHealth:
        """How the connection is."""
        ...

    @property
    def rooms(self) -> int:
        """How many rooms are polled."""
        ...


class StatusLine:
    """Keeps systemd's status line true.

    Args:
        supervisor: systemd.
        pollers: of every connection.
        bridge: gives the publisher as it is now.
        clock: what time it is, and how the machine's own clock is.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        pollers: Sequence[Polled],
        bridge: Callable[[], DeliveryStatus],
        clock: CorrectedClock,
    ) -> None:
        self.refused_reload: str | None = None
        self._supervisor = supervisor
        self._pollers = pollers
        self._bridge = bridge
        self._clock = clock
        self._away_since: datetime | None = None
        self._shown: str | None = None

    async def run(self) -> None:
        """Shows what changed, until it is cancelled."""
        while self._supervisor.listens:
            self.show()
            await self._clock.sleep(_EVERY)

    def show(self) -> None:
        """Notifies systemd if the line is another than it was."""
        text = self.text()
        if text != self._shown and self._supervisor.status(text):
            self._shown = text

    def refuse_reload(self, problems: Sequence[Problem]) -> None:
        """A changed configuration was refused; the line shows that until one is accepted."""
        self.refused_reload = f"reload at {_time(self._clock.now())} refused: {first_of(problems)}"
        self.show()

    def text(self) -> str:
        """The line."""
        healths = [poller.health for poller in self._pollers]
        rooms = sum(poller.rooms for poller in self._pollers)
        parts = [f"{rooms} rooms in {len(healths)} connection(s)"]
        unread = sum(len(health.failing or ()) for health in healths)
        if unread:
            parts[0] += f", {unread} not readable"
        if self.refused_reload:
            parts.append(self.refused_reload)
        if problem := self._clock.health.problem:
            parts.append(problem.text)
        parts += [*self._broker(), *self._connections()]
        doubtful = [
            f"{health.name} {health.fence.state.value}"
            for health in healths
            if health.fence.state is not FenceState.VERIFIED
        ]
        if doubtful:
            parts.append(f"fence {', '.join(doubtful)}")
        return "; ".join(parts)

    def _broker(self) -> Iterator[str]:
        bridge = self._bridge()
        if not bridge.configured:
            return
        error = f": {_short(bridge.last_error)}" if bridge.last_error else ""
        if bridge.connected:
            self._away_since = None
            if error:
                yield f"broker{error}"
            return
        self._away_since = self._away_since or self._clock.now()
        if bridge.was_connected:
            yield f"broker away since {_time(self._away_since)}{error}"
        else:
            yield f"waiting for the broker{error}"

    def _connections(self) -> Iterator[str]:
        for poller in self._pollers:
            health = poller.health
            if health.state is ConnectionState.STARTING:
                yield f"{health.name}: reading the rooms for the first time{_progress(poller)}"
            elif health.state is not ConnectionState.OK:
                since = f" since {_time(health.since)}" if health.since else ""
                problem = f": {_short(health.problem.text)}" if health.problem else ""
                yield f"{health.name} {_STATES[health.state]}{since}{problem}"


def _progress(poller: Polled) -> str:
    return f": {poller.answered} of {poller.rooms}" if poller.answered else ""


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"


def _short(text: str | None) -> str:
    line = " ".join((text or "").split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
