"""Looks for what the account can reach beyond the rooms: other calendars, delegations, rights to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from placed.driver import NotPermitted, Problem, UnexpectedAnswer
from placed_icalendar.caldav import dav_names as names
from placed_icalendar.caldav.calendar_listing import calendars_of
from placed_icalendar.caldav.dav_requests import HOMES_OF_OTHERS, LISTING, PRINCIPAL, WHO
from placed_icalendar.caldav.hrefs import collection, key_of, path_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from placed_icalendar.caldav.calendar_home import CalendarHome
    from placed_icalendar.caldav.calendar_listing import Calendar
    from placed_icalendar.caldav.dav_client import DavClient
    from placed_icalendar.caldav.multistatus import DavResponse

MOST_HOMES = 50  # homes of others that are looked at
MAY_CHANGE = "may change bookings"
_CALENDARS = "take back these shares, or name the rooms in calendars"
_DELEGATE = "remove the account from the delegates of these people"
_READ_ONLY = "share the calendars for reading only: placed never writes"


class Excess(NamedTuple):
    """What the account can do beyond reading rooms, in words, and what to do about it."""

    names: tuple[str, ...] = ()
    warnings: tuple[Problem, ...] = ()


class Reach(NamedTuple):
    """What the account can reach.

    Attributes:
        others: keys of calendars that are no rooms.
        read_for: how many people it is a delegate of, for reading.
        write_for: the same, for changing.
        writable: how many rooms it may change.
    """

    others: frozenset[str] = frozenset()
    read_for: int = 0
    write_for: int = 0
    writable: int = 0

    @property
    def excess(self) -> Excess:
        """What of it nobody asked for."""
        found: list[str] = []
        warnings: list[Problem] = []

        def add(name: str, text: str, remedy: str) -> None:
            found.append(name)
            warnings.append(Problem("", text, remedy, joint=": "))

        if self.others:
            text = f"{len(self.others)} calendar(s) beyond the rooms"
            add(text, f"the account can read {text}", _CALENDARS)
        people = self.read_for + self.write_for
        if people:
            kind = "calendar-proxy-write-for" if self.write_for else "calendar-proxy-read-for"
            add(kind, f"the account is a delegate of {people} person(s) ({kind})", _DELEGATE)
        if self.writable:
            add(MAY_CHANGE, f"the account may change bookings of {self.writable} room(s)", _READ_ONLY)
        return Excess(tuple(found), tuple(warnings))


async def look_beyond(
    client: DavClient, home: CalendarHome, listed: Sequence[Calendar], rooms: AbstractSet[str]
) -> Reach:
    """Looks at the home, and at the homes of all principals that the server shows.

    Args:
        client: asks the server.
        home: of the account.
        listed: the calendars in it.
        rooms: keys of the rooms' calendars.

    Raises:
        DriverError: the server cannot be asked.
    """
    principal = home.principal or await _principal(client, home.paths[0])
    own = await _ask(client, principal, PRINCIPAL) if principal is not None else ()
    # A calendar of the account's own, as Nextcloud makes one for every user, is nobody else's.
    mine = None if principal is None else key_of(principal)
    others = {
        one.key for one in listed if one.key not in rooms and (one.owner is None or key_of(one.owner) != mine)
    }
    for path in await _homes_of_others(client, own, {key_of(path) for path in home.paths}):
        found = calendars_of(await _ask(client, path, LISTING, depth="1"))
        others |= {one.key for one in found if one.key not in rooms and one.may_read is not False}
    return Reach(
        others=frozenset(others),
        read_for=len(_hrefs(own, names.READS_FOR)),
        write_for=len(_hrefs(own, names.WRITES_FOR)),
        writable=sum(bool(one.may_change) for one in listed if one.key in rooms),
    )


async def _principal(client: DavClient, path: str) -> str | None:
    found = _hrefs(await _ask(client, path, WHO), names.CURRENT_USER_PRINCIPAL)
    return found[0] if found else None


async def _homes_of_others(
    client: DavClient, own: Sequence[DavResponse], mine: AbstractSet[str]
) -> list[str]:
    """Returns the homes of other principals: those that are listed, and those that the account acts for."""
    acting = [*_hrefs(own, names.READS_FOR), *_hrefs(own, names.WRITES_FOR)]
    found: list[str] = []
    for path in _hrefs(own, names.PRINCIPAL_COLLECTIONS):
        found += _hrefs(await _ask(client, path, HOMES_OF_OTHERS, depth="1"), names.CALENDAR_HOMES)
    for path in acting[:MOST_HOMES]:
        found += _hrefs(await _ask(client, path, HOMES_OF_OTHERS), names.CALENDAR_HOMES)
    others = dict.fromkeys(collection(path) for path in found if key_of(path) not in mine)
    return list(others)[:MOST_HOMES]


async def _ask(client: DavClient, path: str, body: bytes, *, depth: str = "0") -> Sequence[DavResponse]:
    """Returns what the server shows; nothing if it refuses, which is as it should be."""
    try:
        return await client.propfind(path, body, depth=depth)
    except (NotPermitted, UnexpectedAnswer):
        return ()


def _hrefs(found: Iterable[DavResponse], name: str) -> list[str]:
    return [path_of(href, one.path) for one in found for href in one.hrefs(name)]
