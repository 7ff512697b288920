"""Answers to the commands of panels over HTTP: the outcome, or why a command is refused."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import TYPE_CHECKING

import msgspec
from aiohttp import hdrs, web

from placed.domain.action import Outcome, Refusal
from placed.domain.problem import Problem
from placed.http.errors import HttpError
from placed.http.responses import JSON

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed.domain.action import Reply

FIELDS = {"Content-Type": JSON, "Cache-Control": "no-store"}
_WORDS = {
    Refusal.NOT_ALLOWED: "the settings do not allow this action",
    Refusal.NOT_CONFIGURED: "there are no actions in this room",
    Refusal.FORBIDDEN: "the calendar service does not allow it",
    Refusal.NO_SUCH_MEETING: "there is no such meeting",
    Refusal.CHANGED: "the meeting is another one now, or the key was used for another command",
    Refusal.CONFLICT: "the room is booked at that time",
    Refusal.TOO_LONG: "the booking would be longer than the settings allow",
    Refusal.TOO_LATE: "it is too late for it",
    Refusal.EXPIRED: "the command is too old",
    Refusal.THROTTLED: "there are too many requests; try again later",
    Refusal.UNAVAILABLE: "the calendar service is not available",
    Refusal.STANDBY: "this instance is a standby",
}


def answer(reply: Reply, retry_after: float | None) -> web.Response:
    """The answer with a reply: 200 with a final one, 202 with another; a refusal is a problem."""
    if reply.outcome is Outcome.REFUSED:
        members = msgspec.to_builtins(reply)
        if retry_after is not None:
            raise too_many(retry_after, members)
        if reply.reason is Refusal.NO_SUCH_ROOM:
            raise no_such_room(members)
        words = _WORDS.get(reply.reason) if reply.reason else None
        raise HttpError(
            HTTPStatus.CONFLICT, Problem("", words or "it is not possible"), lead="Refused: ", members=members
        )
    if reply.final:
        return document(reply, HTTPStatus.OK)
    return document(reply, HTTPStatus.ACCEPTED, {hdrs.LOCATION: f"/api/v1/actions/{reply.key}"})


def document(reply: Reply, status: HTTPStatus, headers: Mapping[str, str] | None = None) -> web.Response:
    """Returns a reply as JSON."""
    return web.Response(status=status, body=msgspec.json.encode(reply), headers={**FIELDS, **(headers or {})})


def too_many(wait: float, members: Mapping[str, object]) -> HttpError:
    """Returns the error for a room to which there are more commands than it takes; `wait` is in seconds."""
    problem = Problem("", "There are too many commands for this room", "wait for the seconds in Retry-After")
    headers = {"Retry-After": str(max(1, math.ceil(wait)))}
    return HttpError(HTTPStatus.TOO_MANY_REQUESTS, problem, headers=headers, members=members)


def no_such_room(members: Mapping[str, object]) -> HttpError:
    """Returns the error for a room that there is not."""
    return HttpError(HTTPStatus.NOT_FOUND, Problem("", "There is no room with this id"), members=members)
