"""Finds the rooms: an explicit list, or the resources of the organisation's directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from placed.driver import FoundRoom, NotPermitted, UnexpectedAnswer
from placed_google.api.json_structs import Buildings, CalendarResources

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from placed_google.api.client import ApiClient
    from placed_google.api.json_structs import CalendarResource
    from placed_google.settings import GoogleSettings

DEFAULT_QUERY = "resourceCategory=CONFERENCE_ROOM"
_A_PAGE = 500
_MOST_PAGES = 200
_PAGE = "kind,nextPageToken"  # the kind shows that a page without entries is one
_ROOM = "resourceEmail,resourceName,generatedResourceName,capacity,buildingId,floorName"

_Page = TypeVar("_Page", CalendarResources, Buildings)


async def find_rooms(directory: ApiClient, settings: GoogleSettings) -> Sequence[FoundRoom]:
    """Returns the rooms of the settings. A list needs no right in the directory.

    Raises:
        DriverError: the directory does not list them.
    """
    if settings.customer is None:
        return [
            FoundRoom(address=address, mailbox=address.lower(), opaque_address=True)
            for address in settings.rooms
        ]
    resources = f"/admin/directory/v1/customer/{quote(settings.customer, safe='')}/resources"
    query = quote(settings.room_query or DEFAULT_QUERY, safe="")
    path = f"{resources}/calendars?maxResults={_A_PAGE}&query={query}&fields={_PAGE},items({_ROOM})"
    found: dict[str, CalendarResource] = {}
    async for page in _pages(directory, path, CalendarResources):
        found |= {item.resource_email.lower(): item for item in page.items if item.resource_email}
    names = await _building_names(directory, resources) if any(r.building_id for r in found.values()) else {}
    return [_room(mailbox, resource, names) for mailbox, resource in found.items()]


async def _building_names(directory: ApiClient, resources: str) -> dict[str, str]:
    """Returns the names of buildings by their ids, which are opaque; none if they may not be read."""
    fields = f"{_PAGE},buildings(buildingId,buildingName)"
    path = f"{resources}/buildings?maxResults={_A_PAGE}&fields={fields}"
    names = {}
    try:
        async for page in _pages(directory, path, Buildings):
            names.update(
                {b.building_id: b.building_name for b in page.buildings if b.building_id and b.building_name}
            )
    except NotPermitted:
        return {}
    return names


async def _pages(directory: ApiClient, path: str, shape: type[_Page]) -> AsyncIterator[_Page]:
    """Yields all pages; one without an entry may have a successor."""
    page = await _page(directory, path, shape)
    yield page
    seen: set[str] = set()
    while (token := page.next_page_token) is not None:
        if token in seen or len(seen) >= _MOST_PAGES:
            raise UnexpectedAnswer("the directory has pages without an end")
        seen.add(token)
        page = await _page(directory, f"{path}&pageToken={quote(token, safe='')}", shape)
        yield page


async def _page(directory: ApiClient, path: str, shape: type[_Page]) -> _Page:
    """Returns a page. JSON without any of its fields is another's, such as a gateway's.

    Raises:
        UnexpectedAnswer: it is none, so that it removes no room.
        DriverError: there is no answer.
    """
    page = await directory.get(path, shape)
    if page == shape():
        raise UnexpectedAnswer("the answer is no page of the directory")
    return page


def _room(mailbox: str, resource: CalendarResource, building_names: Mapping[str, str]) -> FoundRoom:
    return FoundRoom(
        address=mailbox,
        mailbox=mailbox,
        name=resource.resource_name or resource.generated_resource_name or None,
        building=building_names.get(resource.building_id or ""),
        floor=resource.floor_name or None,
        capacity=resource.capacity if resource.capacity and resource.capacity > 0 else None,
        opaque_address=True,
    )
