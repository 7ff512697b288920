"""The Directory API v1 as far as it lists rooms and buildings: one call in, one reply out."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from placed_google.simulator.api_messages import NO_PAGE, ApiError, api_disabled, insufficient_scope, invalid
from placed_google.simulator.calendar_host.query_parameters import known_only, number
from placed_google.simulator.directory_host.resource_query import parse_query
from placed_google.simulator.faults.simulated_fault import Where
from placed_google.simulator.faults.spoiled_replies import DELAY, INSTEAD, instead
from placed_google.simulator.field_mask import parse_mask
from placed_google.simulator.page_tokens import offset_of, page_token
from placed_google.simulator.workspace.cloud_accounts import DIRECTORY_API

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed_google.simulator.api_messages import ApiCall
    from placed_google.simulator.workspace.organisation import Building, SimRoom
    from placed_google.simulator.workspace.workspace import Workspace
    from placed_simulator.http_messages import Reply

PREFIX = "/admin/directory/v1/"
SCOPES = frozenset(
    f"https://www.googleapis.com/auth/admin.directory.resource.calendar{end}" for end in ("", ".readonly")
)
MY_CUSTOMER = "my_customer"
MOST = 500
DEFAULT = 100
HERE = frozenset({Where.API, Where.DIRECTORY})
Json = dict[str, object]


class DirectoryApi:
    """The API for one Workspace; `sleep` is what a delay waits with."""

    def __init__(self, workspace: Workspace, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._workspace = workspace
        self._sleep = sleep

    async def answer(self, call: ApiCall) -> Reply:
        """Answer a request."""
        faults = self._workspace.faults
        delay = faults.take(DELAY, HERE)
        if delay is not None:
            await self._sleep(delay.seconds)
        fault = faults.take(INSTEAD, HERE)
        if fault is not None:
            return instead(fault)
        try:
            return self._answer(call)
        except ApiError as error:
            return error.reply()

    def _answer(self, call: ApiCall) -> Reply:
        project = call.caller.account.project
        if DIRECTORY_API not in project.apis:
            raise api_disabled("Admin SDK API", DIRECTORY_API, project.number)
        if not call.caller.has(SCOPES):
            raise insufficient_scope()
        match call.method, call.parts[3:]:
            case "GET", ("customer", customer, "resources", "calendars"):
                self._check(call, customer)
                return self._rooms(call)
            case "GET", ("customer", customer, "resources", "calendars", room_id):
                self._check(call, customer)
                return self._room(call, room_id)
            case "GET", ("customer", customer, "resources", "buildings"):
                self._check(call, customer)
                return self._buildings(call)
            case _:
                return NO_PAGE

    def _check(self, call: ApiCall, customer: str) -> None:
        """Whether the caller knows the organisation, and may see its resources."""
        caller, workspace = call.caller, self._workspace
        if caller.subject is not None:
            known = customer in (MY_CUSTOMER, workspace.customer_id)
            allowed = caller.subject in workspace.administrators
        else:
            known = customer == workspace.customer_id
            allowed = caller.account.reads_directory
            known = known and (workspace.answers.customer_id_works_for_roles or not allowed)
        if not known:
            raise ApiError(HTTPStatus.NOT_FOUND, "notFound", "Domain not found.")
        if not allowed:
            message = "Not Authorized to access this resource/api"
            raise ApiError(HTTPStatus.FORBIDDEN, "forbidden", message)

    def _rooms(self, call: ApiCall) -> Reply:
        known_only(call, "maxResults", "pageToken", "query", "orderBy")
        matches = parse_query(call.query.get("query", ""))
        found = [room for room in map(self._resource, self._workspace.rooms()) if matches(room)]
        order = call.query.get("orderBy", "")
        if order:
            field, _, direction = order.partition(" ")
            if field not in ("resourceId", "resourceName", "capacity", "buildingId", "floorName"):
                raise invalid("orderBy", f"Invalid value '{order}'.", "invalid")
            found.sort(key=lambda room: str(room.get(field, "")), reverse=direction == "desc")
        document = {
            "kind": "admin#directory#resources#calendars#calendarResourcesList",
            "etag": '"resources"',
        }
        return _page(call, document, "items", found, "CalendarResources")

    def _room(self, call: ApiCall, room_id: str) -> Reply:
        known_only(call)
        for room in self._workspace.rooms():
            if room.id == room_id:
                return call.json(self._resource(room))
        raise ApiError(HTTPStatus.NOT_FOUND, "notFound", "Resource Not Found: resourceId")

    def _buildings(self, call: ApiCall) -> Reply:
        known_only(call, "maxResults", "pageToken")
        found = [_building(building) for building in self._workspace.buildings.values()]
        document = {"kind": "admin#directory#resources#buildings#buildingsList", "etag": '"buildings"'}
        return _page(call, document, "buildings", found, "Buildings")

    def _resource(self, room: SimRoom) -> Json:
        buildings = self._workspace.buildings.values()
        building = next((one for one in buildings if one.name == room.building), None)
        places = [room.building, room.floor, room.section]
        generated = "-".join([place for place in places if place] + [room.name])
        if room.capacity is not None:
            generated += f" ({room.capacity})"
        optional = {
            "buildingId": building.id if building is not None else None,
            "floorName": room.floor,
            "floorSection": room.section,
            "capacity": room.capacity,
        }
        return {
            "kind": "admin#directory#resources#calendars#CalendarResource",
            "etags": '"resource"',
            "resourceId": room.id,
            "resourceName": room.name,
            "generatedResourceName": generated,
            "resourceEmail": room.address,
            "resourceCategory": room.category,
            **{name: value for name, value in optional.items() if value is not None},
        }


def _building(building: Building) -> Json:
    return {
        "kind": "admin#directory#resources#buildings#Building",
        "etags": '"building"',
        "buildingId": building.id,
        "buildingName": building.name,
        "floorNames": list(building.floors),
    }


def _page(call: ApiCall, document: dict[str, str], name: str, found: list[Json], schema: str) -> Reply:
    """One page of a list; without a list if there is nothing on it."""
    offset = offset_of(call.query.get("pageToken"))
    most = number(call, "maxResults", DEFAULT)
    if most > MOST:
        raise invalid("maxResults", f"Invalid value '{most}'. Values must be within the range: [1, {MOST}]")
    page = found[offset : offset + most]
    whole: Json = {**document, **({name: page} if page else {})}
    if offset + most < len(found):
        whole["nextPageToken"] = page_token(offset + most)
    if "fields" in call.query:
        return call.json(parse_mask(call.query["fields"], schema).apply(whole))
    return call.json(whole)
