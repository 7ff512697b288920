"""Finds the rooms: an explicit list, the members of the room group, a room list, or all rooms."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec.structs import replace

from placed.driver import Consent, FoundRoom, NotPermitted, UnexpectedAnswer
from placed_microsoft365.graph.json_structs import DirectoryObject, DirectoryObjects, Places
from placed_microsoft365.graph.response import decode, directory_error
from placed_microsoft365.settings import ALL_ROOMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_microsoft365.graph.client import GraphClient
    from placed_microsoft365.graph.json_structs import Place
    from placed_microsoft365.settings import Microsoft365Settings

# A cast is an advanced query: Microsoft, "Advanced query capabilities on directory objects".
_ADVANCED = {"ConsistencyLevel": "eventual"}
_USER = "#microsoft.graph.user"
_HIDDEN = "HiddenMembership"
_MEMBERS_A_PAGE = 999
_PLACES_A_PAGE = 100
_MOST_PAGES = 1000
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_CAPACITY = re.compile(r"[0-9]{1,6}")


async def find_rooms(graph: GraphClient, settings: Microsoft365Settings) -> Sequence[FoundRoom]:
    """Returns the rooms of the settings; the ways are listed by how little permission they need."""
    if settings.rooms:
        return [FoundRoom(address=address, mailbox=address) for address in settings.rooms]
    if settings.room_group is not None:
        return await _members(graph, settings.room_group)
    return await _places(graph, settings.room_list or ALL_ROOMS)


class _VisitedPages:
    """The pages that were read: none twice, and not without end."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def step(self, url: str) -> None:
        if url in self._seen or len(self._seen) >= _MOST_PAGES:
            raise UnexpectedAnswer("the directory has pages without an end")
        self._seen.add(url)


async def _members(graph: GraphClient, group: str) -> list[FoundRoom]:
    group_id = group if _GUID.fullmatch(group) else await _group_id(graph, group)
    url: str | None = (
        f"/groups/{quote(group_id, safe='')}/transitiveMembers/microsoft.graph.user"
        f"?$select=id,mail,userPrincipalName,displayName&$count=true&$top={_MEMBERS_A_PAGE}"
    )
    rooms: list[FoundRoom] = []
    others, count = 0, 0
    trail = _VisitedPages()
    while url is not None:
        trail.step(url)
        page = await graph.get(url, DirectoryObjects, _ADVANCED, directory_error)
        for member in page.value:
            if member.id and (member.type is None or member.type.lower() == _USER):
                rooms.append(_member(member.id, member))
            else:
                others += 1
        count = max(count, page.count or 0)
        url = page.next_link
    if not rooms:
        await _explain_no_rooms(graph, group_id, others, count)
    return rooms


def _member(object_id: str, member: DirectoryObject) -> FoundRoom:
    """Returns a room by its object id; fields that the application may not read are null."""
    addresses = (a for a in (member.mail, member.user_principal_name) if a and "@" in a)
    return FoundRoom(
        address=next(addresses, object_id),
        mailbox=object_id,
        name=member.display_name or None,
        object_id=object_id,
    )


async def _explain_no_rooms(graph: GraphClient, group_id: str, others: int, count: int) -> None:
    """Explains a group without rooms: it may be empty, or its members may be hidden.

    Raises:
        DriverError: it has members, and none of them is a readable room.
    """
    if others:
        raise NotPermitted(
            f"the room group has {others} member(s), and none of them is a user or a room mailbox",
            remedy="add the room mailboxes to the group that room_group names",
        )
    if count:
        raise UnexpectedAnswer(f"the directory counts {count} member(s) of the room group and lists none")
    answer = await graph.ask("GET", f"/groups/{quote(group_id, safe='')}?$select=id,visibility")
    if answer.status != HTTPStatus.OK:
        return
    with suppress(UnexpectedAnswer):
        if decode(answer.body, DirectoryObject).visibility == _HIDDEN:
            raise NotPermitted(
                "the room group hides its members",
                remedy="have the administrator consent to Member.Read.Hidden, or list the rooms in rooms",
                lasting=True,
                consent=Consent.MISSING,
            )


async def _group_id(graph: GraphClient, address: str) -> str:
    wanted = quote(address.replace("'", "''"), safe="@'")
    found = await graph.get(
        f"/groups?$filter=mail%20eq%20'{wanted}'&$select=id", DirectoryObjects, None, directory_error
    )
    group_id = next((group.id for group in found.value if group.id), None)
    if group_id is None:
        raise NotPermitted(
            "the room group is not found",
            remedy="check room_group, or create the mail-enabled security group that it names "
            "(placed setup writes the script)",
            lasting=True,
        )
    return group_id


async def _places(graph: GraphClient, room_list: str) -> list[FoundRoom]:
    path = (
        "/places/microsoft.graph.room"
        if room_list == ALL_ROOMS
        else f"/places/{quote(room_list, safe='@')}/microsoft.graph.roomlist/rooms"
    )
    url: str | None = f"{path}?$top={_PLACES_A_PAGE}&$skip=0"
    rooms: dict[str, FoundRoom] = {}
    listed = 0
    trail = _VisitedPages()
    while url is not None:
        trail.step(url)
        page = await graph.get(url, Places, None, directory_error)
        before = len(rooms)
        for place in page.value:
            if place.email_address and "@" in place.email_address:
                rooms[place.email_address.lower()] = _room(place.email_address, place)
        listed += len(page.value)
        url = page.next_link
        # Next links have been missing from this response: microsoft-graph-docs issues 6427, 9923.
        if url is None and len(page.value) >= _PLACES_A_PAGE and len(rooms) > before:
            url = f"{path}?$top={_PLACES_A_PAGE}&$skip={listed}"
    if listed and not rooms:
        raise NotPermitted(
            f"the list has {listed} room(s), and none of them has an e-mail address",
            remedy="check the rooms' mailboxes, or list the addresses in rooms",
        )
    ids = Counter(room.object_id for room in rooms.values())
    return [room if ids[room.object_id] == 1 else replace(room, object_id=None) for room in rooms.values()]


def _room(address: str, place: Place) -> FoundRoom:
    capacity = _number_as_text(place.capacity)
    return FoundRoom(
        address=address,
        mailbox=address,
        name=place.display_name or None,
        building=place.building or None,
        floor=place.floor_label or _number_as_text(place.floor_number) or None,
        capacity=int(capacity) if _CAPACITY.fullmatch(capacity) else None,
        object_id=place.id or None,
    )


def _number_as_text(number: float | str | None) -> str:
    """Returns a number as text, whether it is reported as a number or as text."""
    if number is None:
        return ""
    if isinstance(number, float) and number.is_integer():
        return str(int(number))
    return str(number).strip()
