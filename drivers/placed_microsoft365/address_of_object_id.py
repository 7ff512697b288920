"""Looks up the address and name of rooms that the directory lists by their object ids only.

An application that may read the members of groups, but not users, gets only a member's type and id
(Microsoft: group-list-transitivemembers). A calendar names its owner (calendar-get), which Calendars.Read
covers within the fence, so no further permission is needed.
"""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.driver import DriverError, Refused, UnexpectedAnswer
from placed_microsoft365.graph.client import BATCH_SIZE
from placed_microsoft365.graph.json_structs import Calendar
from placed_microsoft365.graph.response import decode, items_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.driver import FoundRoom
    from placed_microsoft365.graph.client import GraphClient
    from placed_microsoft365.graph.json_structs import EmailAddress


class RoomAddressLookup:
    """Reads who owns a room's calendar, and caches it; a missing owner is requested again next time."""

    def __init__(self, graph: GraphClient) -> None:
        self._graph = graph
        self._known: dict[str, EmailAddress] = {}  # by object id

    async def complete(self, rooms: Sequence[FoundRoom]) -> list[FoundRoom]:
        """Returns the rooms, with address and name from the calendar if the directory reported neither.

        Raises:
            Refused: the sign-in is refused. After any other failure rooms stay as they are.
        """
        wanted = [room.mailbox for room in rooms if room.address == room.object_id]
        await self._learn([mailbox for mailbox in wanted if mailbox not in self._known])
        named = [self._named(room) for room in rooms]
        count = Counter(room.address.lower() for room in named)
        outdated = [
            room.mailbox for room in named if count[room.address.lower()] > 1 and room.mailbox in self._known
        ]
        if not outdated:
            return named
        for mailbox in outdated:  # the address may have moved from one room to another since it was requested
            del self._known[mailbox]
        await self._learn(outdated)
        return [self._named(room) for room in rooms]

    async def _learn(self, unknown: Sequence[str]) -> None:
        for first in range(0, len(unknown), BATCH_SIZE):
            try:
                await self._ask(unknown[first : first + BATCH_SIZE])
            except Refused:
                raise
            except DriverError:
                break  # the same would happen to the remaining ones

    async def _ask(self, mailboxes: Sequence[str]) -> None:
        answer = await self._graph.batch(
            [f"/users/{mailbox}/calendar?$select=owner" for mailbox in mailboxes]
        )
        if answer.status != HTTPStatus.OK:
            raise UnexpectedAnswer(f"Graph answered {answer.status}")
        items = items_of(answer.body)
        for place, mailbox in enumerate(mailboxes):
            item = items.get(str(place))
            if item is None or item.status != HTTPStatus.OK:
                continue
            try:
                owner = decode(item.body, Calendar).owner
            except UnexpectedAnswer:
                continue
            if owner is not None and owner.address and "@" in owner.address:
                self._known[mailbox] = owner

    def _named(self, room: FoundRoom) -> FoundRoom:
        owner = self._known.get(room.mailbox) if room.address == room.object_id else None
        if owner is None or not owner.address:
            return room
        return replace(room, address=owner.address, name=room.name or owner.name or None)
