"""The rooms' own mail addresses, by which a room's answer to an invitation is found.

A calendar that is shared by a user of its own, as rooms are at Nextcloud, has the address of that user
(RFC 6638, 2.4.1). A user who owns several calendars is a person, or an office, and no room.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from placed.driver import NotPermitted, Throttled, Unavailable, UnexpectedAnswer
from placed_icalendar.caldav import dav_names as names
from placed_icalendar.caldav.dav_requests import ADDRESSES
from placed_icalendar.caldav.hrefs import key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_icalendar.caldav.calendar_listing import Calendar
    from placed_icalendar.caldav.dav_client import DavClient

_SIDE_BY_SIDE = 4
_MAILTO = "mailto:"


class RoomAddresses:
    """What is known of the calendars' owners.

    Args:
        client: asks the server.
    """

    def __init__(self, client: DavClient) -> None:
        self._client = client
        self._by_owner: dict[str, str | None] = {}  # by the path of the owner's principal
        self._by_calendar: dict[str, str] = {}  # by the key of the calendar

    def of(self, mailbox: str) -> str | None:
        """Returns the address of a room; None if it has none, or none that is known."""
        return self._by_calendar.get(key_of(mailbox))

    async def look(self, calendars: Sequence[Calendar]) -> bool:
        """Asks for the addresses of owners, each once; returns whether those of rooms have changed.

        Raises:
            Refused: the account is refused.
        """
        owned = Counter(calendar.owner for calendar in calendars)
        owners = {one.key: one.owner for one in calendars if one.owner is not None and owned[one.owner] == 1}
        limit = asyncio.Semaphore(_SIDE_BY_SIDE)

        async def ask(owner: str) -> None:
            async with limit:
                await self._ask(owner)

        await asyncio.gather(*(ask(owner) for owner in owners.values() if owner not in self._by_owner))
        found = {key: self._by_owner.get(owner) for key, owner in owners.items()}
        before = self._by_calendar
        self._by_calendar = {key: address for key, address in found.items() if address is not None}
        return self._by_calendar != before

    async def _ask(self, owner: str) -> None:
        try:
            responses = await self._client.propfind(owner, ADDRESSES)
        except (Unavailable, Throttled):
            return  # it is asked for again with the next list
        except (NotPermitted, UnexpectedAnswer):
            responses = []
        hrefs = [href for one in responses for href in one.hrefs(names.ADDRESSES)]
        mails = [href for href in hrefs if href.lower().startswith(_MAILTO) and "@" in href]
        self._by_owner[owner] = mails[0][len(_MAILTO) :].lower() if mails else None
