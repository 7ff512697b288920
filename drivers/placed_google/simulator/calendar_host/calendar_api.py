"""The Calendar API v3 as far as a client that reads and books rooms needs it: one call in, one reply out."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from placed_google.simulator.api_messages import NO_PAGE, ApiError, api_disabled, segments
from placed_google.simulator.calendar_host import calendar_metadata, event_writing, free_busy
from placed_google.simulator.calendar_host.batch_faults import PartAnswer, cut_short, spoilt
from placed_google.simulator.calendar_host.batch_parts import answer_id, read_parts, write_parts
from placed_google.simulator.calendar_host.calendar_access import (
    QUERY_FREE_BUSY,
    READ_EVENTS,
    readable,
    require,
    role_for_events,
)
from placed_google.simulator.calendar_host.event_listing import list_events
from placed_google.simulator.faults.simulated_fault import Where
from placed_google.simulator.faults.spoiled_replies import (
    DELAY,
    INSTEAD,
    LOST_ANSWER,
    afterwards,
    instead,
    lost,
)
from placed_google.simulator.workspace.cloud_accounts import CALENDAR_API
from placed_simulator.http_messages import HTML, ItemRecord, Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed_google.simulator.api_messages import ApiCall
    from placed_google.simulator.calendar_host.batch_parts import Part
    from placed_google.simulator.workspace.workspace import Workspace

PREFIX = "/calendar/v3/"
BATCH = "/batch/calendar/v3"
FREE_BUSY = f"{PREFIX}freeBusy"
CALENDAR = frozenset({Where.CALENDAR})
WRITE = frozenset({Where.WRITE})
BAD_GATEWAY = Reply(502, b"<html><title>Error 502 (Server Error)!!1</title></html>", HTML)


class CalendarApi:
    """The API for one Workspace; `sleep` is what a delay waits with."""

    def __init__(self, workspace: Workspace, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._workspace = workspace
        self._sleep = sleep
        self._order = random.Random(workspace.domain)  # noqa: S311 - an order, not a secret

    async def answer(self, call: ApiCall) -> Reply:
        """Answer a request that came from outside, a batch included."""
        faults = self._workspace.faults
        where = _where(call.target)
        scope = {Where.API} if where is Where.CALENDAR else {Where.API, where}
        delay = faults.take(DELAY, scope)
        if delay is not None:
            await self._sleep(delay.seconds)
        fault = faults.take(INSTEAD, scope)
        if fault is not None:
            return instead(fault)
        try:
            if where is Where.BATCH:
                return await self._batch(call)
            if not self._workspace.answers.daily_limit_counts_parts:
                self._count_day(call, 1)
            return await self._single(call)
        except ApiError as error:
            return error.reply()

    async def _batch(self, call: ApiCall) -> Reply:
        if call.method != "POST":
            return NO_PAGE
        parts = read_parts(call.headers.get("content-type", ""), call.body)
        if not self._workspace.answers.daily_limit_counts_parts:
            self._count_day(call, 1)
        replies = await asyncio.gather(*(self._part(call, part) for part in parts))
        call.items.extend(
            ItemRecord(part.method, part.target, reply.status)
            for part, reply in zip(parts, replies, strict=True)
        )
        prefix = self._workspace.answers.content_ids_get_a_prefix
        answers = [
            PartAnswer(answer_id(part.content_id, prefix=prefix), _room_of(part), reply)
            for part, reply in zip(parts, replies, strict=True)
        ]
        faults = self._workspace.faults
        written = [(one.content_id, one.reply) for one in spoilt(faults, answers)]
        return cut_short(faults, write_parts(written, self._order))

    async def _part(self, call: ApiCall, part: Part) -> Reply:
        """One part's answer; the outer authorization holds for it. A lost connection is a gateway's 502."""
        inner = replace(
            call, method=part.method, target=part.target, headers=part.headers, body=part.body, items=[]
        )
        try:
            reply = await self._single(inner)
        except ApiError as error:
            return error.reply()
        return BAD_GATEWAY if reply.dropped else reply

    async def _single(self, call: ApiCall) -> Reply:
        """The answer to a call that is no batch."""
        project = call.caller.account.project
        if CALENDAR_API not in project.apis:
            raise api_disabled("Google Calendar API", CALENDAR_API, project.number)
        if not call.target.startswith(PREFIX):
            return NO_PAGE
        if self._workspace.answers.daily_limit_counts_parts:
            self._count_day(call, 1)
        self._workspace.quota.count(call.caller.account, call.caller.identity, call.moment)
        match call.method, call.parts[2:]:
            case "GET", ("calendars", calendar_id, "events"):
                return await self._events(call, calendar_id)
            case "POST", ("freeBusy",):
                require(call, QUERY_FREE_BUSY)
                return free_busy.query(self._workspace, call)
            case _:
                return self._elsewhere(call)

    async def _events(self, call: ApiCall, calendar_id: str) -> Reply:
        """The events of a calendar, with the faults that hit it."""
        faults, room = self._workspace.faults, calendar_id.lower()
        delay = faults.take(DELAY, CALENDAR, room)
        if delay is not None:
            await self._sleep(delay.seconds)
        fault = faults.take(INSTEAD, CALENDAR, room)
        if fault is not None:
            return instead(fault)
        require(call, READ_EVENTS)
        calendar, role = readable(self._workspace, call, calendar_id)
        role = role_for_events(self._workspace, call, role)
        reply = list_events(self._workspace, call, calendar, role)
        return afterwards(faults, reply, room, call.query.get("pageToken", ""))

    def _elsewhere(self, call: ApiCall) -> Reply:
        """Calendars themselves, and single events."""
        match call.parts[2:]:
            case ("calendars", calendar_id, "events", *rest) if len(rest) <= 1:
                if call.method == "GET":
                    return event_writing.answer(self._workspace, call, calendar_id, *rest)
                return self._write(call, calendar_id, *rest)
            case _:
                return calendar_metadata.answer(self._workspace, call)

    def _write(self, call: ApiCall, calendar_id: str, *event_id: str) -> Reply:
        """A change of a calendar, with the faults that hit it before and after."""
        faults, room = self._workspace.faults, calendar_id.lower()
        fault = faults.take(INSTEAD, WRITE, room)
        if fault is not None:
            return instead(fault)
        reply = event_writing.answer(self._workspace, call, calendar_id, *event_id)
        fault = faults.take(LOST_ANSWER, WRITE, room) if reply.ok else None
        return reply if fault is None else lost(fault)

    def _count_day(self, call: ApiCall, requests: int) -> None:
        self._workspace.quota.count_day(call.caller.account, requests, call.moment)


def _where(target: str) -> Where:
    """Which part of the API a request is for."""
    path = target.partition("?")[0]
    if path == BATCH:
        return Where.BATCH
    return Where.FREE_BUSY if path == FREE_BUSY else Where.CALENDAR


def _room_of(part: Part) -> str | None:
    """The calendar that a part is asked of."""
    match segments(part.target):
        case (_, _, "calendars", calendar_id, *_):
            return calendar_id.lower()
        case _:
            return None
