"""Rules of the daemon that are broken on purpose, to see that the oracle notices.

Each is imported where it is broken, so that a daemon that is whole imports nothing of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from msgspec import structs

from tests.fault_injection.shortened_timeouts import SHORTENED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from placed.domain.action import Reply
    from placed.domain.model import Meeting, Occupancy, Schedule
    from placed.domain.presence import Presence, PresenceState, Sensor, SensorState
    from placed.domain.state_document import Statement
    from placed.driver import Booking, FoundRoom
    from placed.polling.missing_rooms import MissingRooms
    from placed.runtime.daemon import Daemon


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


def _rooms() -> None:
    """A room that one list lacks is removed, ids go by addresses, and one refusal counts for good."""
    from placed.polling import reading_planner  # noqa: PLC0415 - only where it is broken
    from placed.polling.missing_rooms import MissingRooms  # noqa: PLC0415 - the same
    from placed.polling.room_ids import RoomIds  # noqa: PLC0415 - the same

    def believe(self: MissingRooms, listed: Iterable[FoundRoom], _: object) -> list[FoundRoom]:
        del self
        return list(listed)

    MissingRooms.compare = believe  # type: ignore[assignment]
    RoomIds._follow_objects = lambda *_: None  # type: ignore[method-assign]
    vars(reading_planner)["DOUBTED"] = 0
    del SHORTENED["placed.polling.reading_planner"]["SELDOM"]  # five minutes, in which nobody asks again


def _fence() -> None:
    """Whatever refuses a canary proves the fence, and no room has to be readable."""
    from placed_microsoft365 import fence  # noqa: PLC0415 - only where it is broken

    ask = fence._any_readable
    vars(fence)["error_code"] = lambda _: fence._DENIED

    async def readable(*asked: Any) -> tuple[bool, str]:
        return True, (await ask(*asked))[1]

    fence._any_readable = readable  # type: ignore[assignment]


def _days() -> None:
    """An all-day event lasts for as long as it is written, and an unknown sensitivity counts as none."""
    from placed_microsoft365.calendars import event_to_meeting  # noqa: PLC0415 - only where it is broken

    def as_written(start: datetime, end: datetime) -> tuple[date, date]:
        return start.date(), end.date()

    event_to_meeting._outwards = as_written
    event_to_meeting._NOT_PRIVATE = (*event_to_meeting._NOT_PRIVATE, "Private")  # type: ignore[assignment]


def _texts() -> None:
    """All texts of a meeting are kept, published and answered, whatever may be shown."""
    from placed.domain import privacy, state_document  # noqa: PLC0415 - only where it is broken

    def anything(meeting: Meeting, _: object) -> Meeting:
        return meeting

    vars(privacy)["permitted"] = vars(state_document)["permitted"] = anything


def _limits() -> None:
    """An answer of a login may be as large as it is, and take a minute."""
    from placed.driver.network.response_decompression import Body  # noqa: PLC0415 - only where it is broken

    made = Body.__init__

    def unlimited(self: Body, encoding: str | None, _: int) -> None:
        made(self, encoding, 2**40)

    Body.__init__ = unlimited  # type: ignore[assignment,method-assign]
    for module in ("placed_microsoft365.auth.msal_login", "placed.driver.token_cache"):
        SHORTENED[module]["TIMEOUT"] = 60.0


def _operators() -> None:
    """A reload is not tried, a start is over only when all is there, and two may use one state directory."""
    from placed.runtime import configuration_reloader  # noqa: PLC0415 - only where it is broken
    from placed.runtime.daemon import Daemon  # noqa: PLC0415 - the same
    from placed.store import state_lock  # noqa: PLC0415 - the same

    async def taken(*_: object) -> None:
        pass

    vars(configuration_reloader)["rehearse"] = taken
    state_lock._lock = lambda *_: None
    report = Daemon._report_when_ready

    async def patient(self: Daemon) -> None:
        self._surroundings.ready_within = 3600.0
        await report(self)

    Daemon._report_when_ready = patient  # type: ignore[method-assign]


BREAKS: dict[str, Callable[[], None]] = {
    "clock": _clock,
    "commands": _commands,
    "days": _days,
    "fence": _fence,
    "limits": _limits,
    "operators": _operators,
    "presence": _presence,
    "rooms": _rooms,
    "silence": _silence,
    "texts": _texts,
    "turn": _turn,
    "repeat": _repeat,
    "stale": _stale,
    "will": _will,
    "republish": _republish,
}
