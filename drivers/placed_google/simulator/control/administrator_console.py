"""Answers what is asked below `/_control`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from placed_google.simulator.control import (
    cloud_console,
    event_bookings,
    rooms_and_people,
    sharing_and_limits,
)
from placed_google.simulator.faults.simulated_fault import Fault
from placed_google.simulator.workspace.request_quota import Limits
from placed_google.simulator.workspace.tenant_answers import TenantAnswers
from placed_simulator.control_call import ControlInterface, requests
from placed_simulator.relative_time import parse_length

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from placed_google.simulator.control.console_call import Call
    from placed_google.simulator.workspace.workspace import Workspace
    from placed_simulator.http_messages import RequestRecord

T = TypeVar("T")


class ServicesClock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the services' clock is ahead; behind with a minus sign."""

    ahead: str


def control_of(workspace: Workspace, log: list[RequestRecord], token_uri: str) -> ControlInterface[Workspace]:
    """Answers below `/_control` for one Workspace and its request log."""
    resources: Mapping[str, Callable[[Call], object]] = {
        "rooms": rooms_and_people.rooms,
        "people": rooms_and_people.people,
        "groups": rooms_and_people.groups,
        "events": event_bookings.events,
        "calendars": sharing_and_limits.calendars,
        "external-sharing": sharing_and_limits.external_sharing,
        "accounts": cloud_console.accounts(token_uri),
        "projects": cloud_console.projects,
        "quota": _quota,
        "answers": _answers,
        "clock": _clock,
        "faults": _faults,
        "requests": requests,
    }
    return ControlInterface(workspace, log, resources)


def _quota(call: Call) -> object:
    if call.method == "POST":
        given = call.read(dict[str, object])
        call.tenant.quota.limits = _with(call.tenant.limits, Limits, given)
    return call.tenant.limits


def _answers(call: Call) -> object:
    if call.method == "POST":
        given = call.read(dict[str, object])
        call.tenant.answers = _with(call.tenant.answers, TenantAnswers, given)
    return call.tenant.answers


def _with(before: T, kind: type[T], given: Mapping[str, object]) -> T:
    """The values with others in place of some."""
    known = msgspec.to_builtins(before)
    unknown = given.keys() - known.keys()
    if unknown:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; one of {', '.join(known)}")
    return msgspec.convert({**known, **given}, kind)


def _clock(call: Call) -> object:
    if call.method == "POST":
        text = call.read(ServicesClock).ahead
        length = parse_length(text.removeprefix("-"))
        call.tenant.clock_ahead = -length if text.startswith("-") else length
    return {"ahead_seconds": call.tenant.clock_ahead.total_seconds()}


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
