"""Commands of the program itself: releases of no-shows, and check-ins of people whom a sensor notices."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from placed.domain.action import Action, Channel, Command

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed.actions.service import ActionService
    from placed.domain.action import Reply
    from placed.domain.clock import Clock
    from placed.domain.model import Meeting

_NAMESPACE = UUID("9c0d3c5e-0d2f-4b52-9f5e-8f1b3a6d7e21")  # so that a key is the same after a restart


class OwnCommands:
    """Gives commands to the service, each once for a meeting.

    Args:
        service: carries them out.
        clock: what time it is.
    """

    def __init__(self, service: ActionService, clock: Clock) -> None:
        self._service = service
        self._clock = clock

    async def release(self, room_id: str, meeting: Meeting, still: Callable[[], bool]) -> Reply:
        """See `placed.actions.no_show_service.Releaser`."""
        command = self._command(Action.END, Channel.NO_SHOW, room_id, meeting)
        return await self._service.release(command, meeting, still).final()

    def check_in(self, room_id: str, meeting: Meeting) -> None:
        """Checks in to a meeting for somebody whom a sensor has noticed."""
        self._service.submit(self._command(Action.CHECK_IN, Channel.SENSOR, room_id, meeting))

    def _command(self, action: Action, channel: Channel, room_id: str, meeting: Meeting) -> Command:
        moment = f"{meeting.start.timestamp():.0f}"
        return Command(
            key=str(uuid5(_NAMESPACE, f"{channel.value}/{room_id}/{meeting.key}/{moment}")),
            action=action,
            room=room_id,
            issued_at=self._clock.now(),
            meeting=meeting.start,
            channel=channel,
        )
