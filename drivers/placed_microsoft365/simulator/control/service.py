"""Answers what is asked below `/_control`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed_microsoft365.simulator.control import (
    app_registrations,
    consent_answer,
    people_and_groups,
    permission_grants,
    rooms_and_meetings,
    undocumented_answers,
)
from placed_microsoft365.simulator.faults.fault import Fault
from placed_simulator.control_call import ControlInterface, requests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from placed_microsoft365.simulator.control.control_request import Call
    from placed_microsoft365.simulator.tenant.tenant import Tenant
    from placed_simulator.http_messages import RequestRecord


def control_of(tenant: Tenant, log: list[RequestRecord]) -> ControlInterface[Tenant]:
    """Answers below `/_control` for one tenant and its request log."""
    return ControlInterface(tenant, log, RESOURCES)


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


def _apps(call: Call) -> object:
    """What is asked of one app's permissions and fences is a matter of those who grant them."""
    asked = call.parts[2] if len(call.parts) > len(("apps", "id")) else ""
    return (
        permission_grants.answer(call) if asked in permission_grants.ASKED else app_registrations.answer(call)
    )


RESOURCES: Mapping[str, Callable[[Call], object]] = {
    "rooms": rooms_and_meetings.rooms,
    "meetings": rooms_and_meetings.meetings,
    "people": people_and_groups.people,
    "groups": people_and_groups.groups,
    "apps": _apps,
    "consent-answer": consent_answer.answer,
    "undocumented": undocumented_answers.undocumented,
    "messages": undocumented_answers.messages,
    "faults": _faults,
    "requests": requests,
}
