"""Rooms and room lists in the places directory (Microsoft: place-list); no fence applies here."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING

import msgspec

from placed_microsoft365.simulator.graph.query_options import (
    BadQueryError,
    next_link,
    parse_query,
    selection,
    whole_number,
)
from placed_microsoft365.simulator.http_messages import GRAPH_JSON, Request, graph_error
from placed_microsoft365.simulator.tenant.app_access import PLACE_ROLES
from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_microsoft365.simulator.tenant.groups import Group
    from placed_microsoft365.simulator.tenant.mailboxes import SimRoom
    from placed_microsoft365.simulator.tenant.tenant import Tenant

DEFAULT_TOP = 100
MOST_TOP = 999
ROOM_FIELDS = frozenset(
    """id emailAddress displayName address geoCoordinates phone nickname label capacity building floorLabel
    floorNumber isWheelChairAccessible bookingType tags audioDeviceName videoDeviceName displayDeviceName
    """.split()  # noqa: SIM905
)
ROOM_LIST_FIELDS = frozenset({"id", "emailAddress", "displayName", "address", "geoCoordinates", "phone"})


class Places:
    """The places part of Graph for one tenant."""

    def __init__(self, tenant: Tenant, base_url: str) -> None:
        self._tenant = tenant
        self._base_url = base_url

    def rooms(self, request: Request, query_text: str) -> Reply:
        """`GET /places/microsoft.graph.room`."""
        rooms = [self._room(room) for room in self._tenant.rooms()]
        return self._answer(request, query_text, rooms, ROOM_FIELDS)

    def room_lists(self, request: Request, query_text: str) -> Reply:
        """`GET /places/microsoft.graph.roomlist`."""
        lists = [_list_fields(group) for group in self._tenant.groups.values() if group.room_list]
        return self._answer(request, query_text, lists, ROOM_LIST_FIELDS)

    def rooms_of_list(self, request: Request, address: str, query_text: str) -> Reply:
        """`GET /places/{address}/microsoft.graph.roomlist/rooms`; an id is not taken for an address."""
        group = self._tenant.groups.get(address.lower())
        if request.caller.roles & PLACE_ROLES and (group is None or not group.room_list):
            return graph_error(request, 404, "ErrorItemNotFound", f"The room list '{address}' was not found.")
        members = set(group.listed()) if group is not None else set()
        rooms = [self._room(room) for room in self._tenant.rooms() if room.address in members]
        return self._answer(request, query_text, rooms, ROOM_FIELDS)

    def _room(self, room: SimRoom) -> dict[str, object]:
        """As the schema has it, or with the two slips of Microsoft's sample of place-list."""
        fields = _room_fields(room)
        if self._tenant.sloppy_places:
            accessible = fields.pop("isWheelChairAccessible")
            capacity = None if room.capacity is None else str(room.capacity)
            fields |= {"capacity": capacity, "isWheelchairAccessible": accessible}
        return fields

    def _answer(
        self,
        request: Request,
        query_text: str,
        value: Sequence[dict[str, object]],
        known: frozenset[str],
    ) -> Reply:
        if not request.caller.roles & PLACE_ROLES:
            message = json.dumps(
                {"errorCode": "invalid_permissions", "target": "place.read.all place.readwrite.all"}
            )
            return graph_error(request, 403, "UnknownError", message)
        try:
            query = parse_query(query_text)
            chosen = selection(query, known, "Microsoft.OutlookServices.Place")
            top = whole_number(query, "$top", DEFAULT_TOP, least=1, most=MOST_TOP)
            skip = whole_number(query, "$skip", 0, least=0, most=1_000_000)
        except BadQueryError as error:
            return graph_error(request, 400, error.code, str(error))
        document: dict[str, object] = {"@odata.context": f"{self._base_url}/v1.0/$metadata#places"}
        if query.get("$count", "").lower() == "true":
            document["@odata.count"] = len(value)
        document["value"] = [
            {name: field for name, field in place.items() if chosen is None or name in chosen}
            for place in value[skip : skip + top]
        ]
        if skip + top < len(value):
            url = f"{self._base_url}/v1.0{request.target.partition('?')[0]}"
            document["@odata.nextLink"] = next_link(url, query, top=top, skip=skip + top)
        return Reply(200, msgspec.json.encode(document), GRAPH_JSON)


def _room_fields(room: SimRoom) -> dict[str, object]:
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, room.user_id)),
        "displayName": room.name,
        "address": None,
        "geoCoordinates": None,
        "phone": "",
        "nickname": room.name,
        "emailAddress": room.address,
        "building": room.building,
        "floorNumber": room.floor,
        "floorLabel": None,
        "label": None,
        "capacity": room.capacity,
        "bookingType": "standard",
        "audioDeviceName": None,
        "videoDeviceName": None,
        "displayDeviceName": None,
        "isWheelChairAccessible": False,
        "tags": [],
    }


def _list_fields(group: Group) -> dict[str, object]:
    return {
        "id": group.group_id,
        "displayName": group.name,
        "address": None,
        "geoCoordinates": None,
        "phone": "",
        "emailAddress": group.address,
    }
