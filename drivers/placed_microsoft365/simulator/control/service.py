"""Answers what is asked below `/_control`: finds who knows, and turns what it raises into a status."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from placed_microsoft365.simulator.control import (
    app_registrations,
    consent_answer,
    people_and_groups,
    permission_grants,
    rooms_and_meetings,
)
from placed_microsoft365.simulator.control.control_request import PREFIX, Call
from placed_microsoft365.simulator.faults.fault import Fault
from placed_microsoft365.simulator.http_messages import JSON, Reply, Request, RequestRecord

if TYPE_CHECKING:
    from placed_microsoft365.simulator.tenant.tenant import Tenant


class Control:
    """Answers below `/_control` for one tenant and its request log."""

    def __init__(self, tenant: Tenant, requests: list[RequestRecord]) -> None:
        self._tenant = tenant
        self._requests = requests

    def answer(self, request: Request) -> Reply:
        """Do what is asked; `target` is the whole path."""
        path = urlsplit(request.target).path.removeprefix(PREFIX)
        parts = tuple(unquote(part) for part in path.split("/"))
        call = Call(self._tenant, self._requests, request.method, parts, request.body)
        try:
            result = _do(call)
        except LookupError as error:
            return _reply(404, {"error": str(error)})
        except ValueError as error:
            return _reply(400, {"error": str(error)})
        return _reply(200, {} if result is None else result)


def _do(call: Call) -> object:
    resource = RESOURCES.get(call.parts[0])
    if resource is None:
        raise call.unknown
    return resource(call)


def _faults(call: Call) -> object:
    faults = call.tenant.faults
    match call.key():
        case ("GET",):
            pass
        case ("POST",):
            return faults.add(call.read(Fault))
        case ("DELETE",):
            faults.clear()
        case _:
            raise call.unknown
    return faults.active()


def _requests(call: Call) -> object:
    match call.key():
        case ("GET",):
            return call.requests
        case ("DELETE",):
            call.requests.clear()
            return None
        case _:
            raise call.unknown


def _apps(call: Call) -> object:
    """What is asked of one app's permissions and fences is a matter of those who grant them."""
    asked = call.parts[2] if len(call.parts) > len(("apps", "id")) else ""
    return (
        permission_grants.answer(call) if asked in permission_grants.ASKED else app_registrations.answer(call)
    )


RESOURCES = {
    "rooms": rooms_and_meetings.rooms,
    "meetings": rooms_and_meetings.meetings,
    "people": people_and_groups.people,
    "groups": people_and_groups.groups,
    "apps": _apps,
    "consent-answer": consent_answer.answer,
    "faults": _faults,
    "requests": _requests,
}


def _reply(status: int, result: object) -> Reply:
    return Reply(status, msgspec.json.encode(result), JSON)
