"""The daemon as a process of its own, among faults: `placed run` with clocks that can be set.

    python -m tests.fault_injection.daemon_process --clock FILE --config FILE [--break RULE]

It is the command `placed run` itself; what differs is the clock, how long it waits
(`tests.fault_injection.shortened_timeouts`), that host names can be lost, and a rule
that is broken on purpose, to see that the oracle notices.
"""

from __future__ import annotations

import argparse
import ctypes
import signal
import socket
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import structs

from tests.fault_injection.shared_clock import DaemonClock, SharedClock
from tests.fault_injection.shortened_timeouts import shortened

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed.domain.action import Reply
    from placed.domain.model import Occupancy, Schedule
    from placed.domain.presence import Presence, PresenceState, Sensor, SensorState
    from placed.domain.state_document import Statement
    from placed.driver import Booking


_WHEN_THE_PARENT_ENDS = 1  # PR_SET_PDEATHSIG, prctl(2)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clock", type=Path, required=True)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--break", dest="broken", choices=BREAKS)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_WHEN_THE_PARENT_ENDS, signal.SIGKILL)  # a test that is killed leaves none behind
    clock = DaemonClock(options.clock)
    _share(clock)
    _lose_names(clock)
    if options.broken:
        BREAKS[options.broken]()
    sys.argv[1:] = ["run", "--config", str(options.config), "--log-format", "json"]
    from placed.cli import main as placed  # noqa: PLC0415 - after the clock was shared

    with shortened():
        placed()


def _share(clock: SharedClock) -> None:
    import placed.domain.clock  # noqa: PLC0415 - it is patched here and nowhere else

    placed.domain.clock.SystemClock = lambda: clock  # type: ignore[assignment,misc]


def _lose_names(clock: SharedClock) -> None:
    found = socket.getaddrinfo

    def getaddrinfo(host: Any, *rest: Any, **more: Any) -> Any:
        if clock.nameless and host is not None and not str(host)[:1].isdigit():
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return found(host, *rest, **more)

    socket.getaddrinfo = getaddrinfo


# --- rules that may be broken on purpose ---


def _stale() -> None:
    """A state that was not read for long is published again and again."""
    from placed.domain import occupancy  # noqa: PLC0415 - only where it is broken

    def expiry(schedule: Schedule, moment: datetime, *_: object) -> datetime:
        return min(moment + timedelta(minutes=1), schedule.until)

    occupancy.expiry = expiry  # type: ignore[assignment]

    from placed.board.room_entry import RoomEntry  # noqa: PLC0415 - the same

    def renew_at(self: RoomEntry, policy: object, moment: datetime) -> datetime:
        del policy, moment
        return self.statement.occupancy.valid_until - timedelta(seconds=59)  # a second after it was made

    RoomEntry.renew_at = renew_at  # type: ignore[method-assign]


def _will() -> None:
    """The will is not delayed."""
    from placed.mqtt.publisher import Publisher  # noqa: PLC0415 - only where it is broken

    defaults = Publisher.__init__.__kwdefaults__
    assert defaults is not None
    defaults["timing"] = replace(defaults["timing"], will_delay=0.0)


def _republish() -> None:
    """After a reconnect only what is new is published."""
    from placed.mqtt.session import Session  # noqa: PLC0415 - only where it is broken

    publish_all = Session._publish_all

    async def first_time_only(self: Session) -> None:
        if not self._context.first_published.is_set():
            await publish_all(self)
        self._sender.initial_publication_queued()

    Session._publish_all = first_time_only  # type: ignore[method-assign]


def _repeat() -> None:
    """What the broker refused is not repeated."""
    from placed.mqtt.refused_topic_schedule import Refusals  # noqa: PLC0415 - only where it is broken

    def nothing(self: Refusals, steady: float) -> list[object]:
        del self, steady
        return []

    Refusals.due = nothing  # type: ignore[assignment]


def _clock() -> None:
    """What the services report of the time is ignored."""
    from placed.domain.corrected_clock import ServiceTimes  # noqa: PLC0415 - only where it is broken

    def deaf(self: ServiceTimes, *_: object) -> None:
        del self

    ServiceTimes.hear = deaf  # type: ignore[assignment]


def _turn() -> None:
    """What is answered over HTTP of a room is how it was when it was first taken."""
    from placed.domain.model import Status  # noqa: PLC0415 - only where it is broken
    from placed.http.api.rooms import RoomDocuments  # noqa: PLC0415 - only where it is broken

    document = RoomDocuments.document
    kept: dict[str, bytes] = {}

    def late(self: RoomDocuments, statement: Statement) -> bytes:
        made = document(self, statement)
        if statement.occupancy.status not in (Status.FREE, Status.UNKNOWN):
            kept.setdefault(statement.room.id, made)
        return kept.get(statement.room.id, made)

    RoomDocuments.document = late  # type: ignore[method-assign]


def _silence() -> None:
    """A page that hears nothing of the daemon believes what it heard for an hour."""
    from placed.http.pages import Assets  # noqa: PLC0415 - only where it is broken

    made = Assets.__init__

    def patient(self: Assets, frame_ancestors: tuple[str, ...] = (), *_: object, **more: bool) -> None:
        made(self, frame_ancestors, timedelta(hours=1), **more)

    Assets.__init__ = patient  # type: ignore[assignment]


def _presence() -> None:
    """A booked room that is empty is free, a document outlives its presence, and silence counts as empty.

    What is answered over HTTP of an empty room is how it was when it was first empty.
    """
    from placed.board import judging  # noqa: PLC0415 - only where it is broken
    from placed.domain import presence  # noqa: PLC0415 - the same
    from placed.domain.model import Status  # noqa: PLC0415 - the same
    from placed.http.api.rooms import RoomDocuments  # noqa: PLC0415 - the same

    document = RoomDocuments.document
    kept: dict[str, bytes] = {}

    def late(self: RoomDocuments, statement: Statement) -> bytes:
        made, shown = document(self, statement), statement.presence
        if shown is not None and shown.state is presence.PresenceState.EMPTY:
            kept.setdefault(statement.room.id, made)
        return kept.get(statement.room.id, made)

    RoomDocuments.document = late  # type: ignore[method-assign]

    def stated(occupancy: Occupancy, shown: Presence | None) -> Occupancy:
        is_empty = shown is not None and shown.state is presence.PresenceState.EMPTY
        return structs.replace(occupancy, status=Status.FREE) if is_empty else occupancy

    judging.valid_with = stated  # type: ignore[assignment]
    judged = presence.sensor_presence

    def believed(
        sensor: Sensor, state: SensorState, moment: datetime
    ) -> tuple[PresenceState, datetime | None]:
        found, until = judged(sensor, state, moment)
        if found is presence.PresenceState.UNKNOWN and state.last is not None:
            return presence.PresenceState.EMPTY, moment + timedelta(minutes=1)
        return found, until

    presence.sensor_presence = believed


def _commands() -> None:
    """Late commands count, whichever meeting runs is ended, every command is done, replies go anywhere."""
    from placed.actions import execution, plan, service  # noqa: PLC0415 - only where it is broken
    from placed.domain.action import Outcome  # noqa: PLC0415 - the same
    from placed.mqtt import command_intake  # noqa: PLC0415 - the same

    service._OLDEST = timedelta(days=1)
    end = execution.CommandExecution.end

    def done(self: execution.CommandExecution, reply: Reply) -> None:
        end(self, structs.replace(reply, outcome=Outcome.DONE, reason=None))

    execution.CommandExecution.end = done  # type: ignore[method-assign]

    def running(command: object, situation: plan.Situation) -> Booking:
        del command
        return situation.occupying[0]

    plan._running_as_named = running
    vars(command_intake)["is_response_topic"] = lambda *_: True


BREAKS: dict[str, Callable[[], None]] = {
    "clock": _clock,
    "commands": _commands,
    "presence": _presence,
    "silence": _silence,
    "turn": _turn,
    "repeat": _repeat,
    "stale": _stale,
    "will": _will,
    "republish": _republish,
}


if __name__ == "__main__":
    main()
