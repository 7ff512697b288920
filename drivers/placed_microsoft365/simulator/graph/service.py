"""Microsoft Graph v1.0 as far as a reader of room calendars needs it: one request in, one reply out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from placed_microsoft365.simulator.faults.fault import Kind, Where
from placed_microsoft365.simulator.faults.faulty_replies import (
    DELAY,
    INSTEAD,
    afterwards,
    instead,
    instead_of_any,
    lacking,
)
from placed_microsoft365.simulator.graph.batch_endpoint import Batches
from placed_microsoft365.simulator.graph.calendar_view_endpoint import CalendarViews, calendar
from placed_microsoft365.simulator.graph.events_endpoint import METHODS, EventChanges
from placed_microsoft365.simulator.graph.groups_endpoint import Directory
from placed_microsoft365.simulator.graph.places_endpoint import Places
from placed_microsoft365.simulator.graph.routes import Resource, route_of
from placed_microsoft365.simulator.http_messages import Request, graph_error
from placed_microsoft365.simulator.login.access_tokens import TokenRefusedError
from placed_microsoft365.simulator.tenant.app_access import (
    Caller,
    Verdict,
    may_read_calendar,
    may_write_calendar,
)
from placed_microsoft365.simulator.tenant.mailboxes import MailboxState
from placed_simulator.http_messages import DROPPED

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed_microsoft365.simulator.graph.routes import Route
    from placed_microsoft365.simulator.graph.throttling import Refusal
    from placed_microsoft365.simulator.tenant.mailboxes import Mailbox
    from placed_microsoft365.simulator.tenant.tenant import Tenant
    from placed_simulator.http_messages import Reply

OUTER = frozenset({Where.GRAPH})
CALENDAR = frozenset({Where.CALENDAR})
WRITE = frozenset({Where.WRITE})
TOKEN = frozenset({Kind.TOKEN})
LOST_ANSWER = frozenset({Kind.LOST_ANSWER})

CALENDARS = frozenset({Resource.CALENDAR, Resource.CALENDAR_VIEW, *METHODS})
LISTS = frozenset(
    {
        Resource.MEMBERS,
        Resource.MEMBER_USERS,
        Resource.TRANSITIVE_MEMBERS,
        Resource.TRANSITIVE_MEMBER_USERS,
        Resource.ROOMS,
        Resource.ROOMS_OF_LIST,
    }
)

WHERE = {
    Resource.CALENDAR: Where.CALENDAR,
    Resource.CALENDAR_VIEW: Where.CALENDAR,
    **dict.fromkeys(METHODS, Where.WRITE),
    Resource.BATCH: Where.BATCH,
    Resource.ROOMS: Where.PLACES,
    Resource.ROOM_LISTS: Where.PLACES,
    Resource.ROOMS_OF_LIST: Where.PLACES,
}
"""What is not here belongs to the groups."""


class Graph:
    """Graph for one tenant, reachable at `base_url`; `sleep` is what a delay waits with."""

    def __init__(self, tenant: Tenant, base_url: str, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._tenant = tenant
        self._base_url = base_url
        self._sleep = sleep
        self._views = CalendarViews(base_url)
        self._changes = EventChanges(tenant)
        self._directory = Directory(tenant, base_url)
        self._places = Places(tenant, base_url)
        self._batches = Batches(tenant, self)

    def authenticate(self, authorization: str | None) -> Caller:
        """Who asks.

        Raises:
            TokenRefusedError: the request gets a 401.
        """
        tenant = self._tenant
        grant = tenant.tokens.read(authorization, self._base_url)
        fault = tenant.faults.take(TOKEN, OUTER)
        if fault is not None:
            raise TokenRefusedError(fault.detail)
        app = tenant.apps.get(grant.client_id)
        if app is None:
            raise TokenRefusedError("The identity of the calling application could not be established.")
        return Caller(app, grant.roles & app.roles.keys())

    async def answer(self, request: Request) -> Reply:
        """Answer a request that came from outside, a batch included."""
        faults = self._tenant.faults
        where = WHERE.get(route_of(request.target).resource, Where.GROUPS)
        scope = OUTER if where in (Where.CALENDAR, Where.WRITE) else OUTER | {where}
        delay = faults.take(DELAY, scope)
        if delay is not None:
            await self._sleep(delay.seconds)
        fault = faults.take(INSTEAD, scope)
        if fault is not None:
            return instead(fault, request)
        if route_of(request.target).resource is Resource.BATCH:
            if request.method != "POST":
                return _wrong_method(request)
            return afterwards(faults, await self._batches.answer(request), Where.BATCH)
        reply = await self.answer_item(request)
        if where is Where.WRITE:
            return await self._after_write(request, reply)
        if route_of(request.target).resource in LISTS:
            ids = {mailbox.user_id: mailbox.address for mailbox in self._tenant.mailboxes.values()}
            reply = lacking(faults, reply, where, ids)
        return reply if where is Where.CALENDAR else afterwards(faults, reply, where)

    def mailbox_of(self, target: str) -> Mailbox | None:
        """The mailbox that the target names, None if it names none or one that does not exist."""
        route = route_of(target)
        return self._tenant.find_mailbox(route.key) if route.resource in CALENDARS else None

    async def answer_item(self, request: Request) -> Reply:
        """Answer a request or an item of a batch, with whatever delay a fault asks for."""
        tenant = self._tenant
        writes = route_of(request.target).resource in METHODS
        if writes or not tenant.faults.any(Kind.DELAY, Where.CALENDAR):
            return self.answer_now(request)
        mailbox = self.mailbox_of(request.target)
        delay = tenant.faults.take(DELAY, CALENDAR, mailbox.address) if mailbox is not None else None
        if mailbox is None or delay is None:
            return self.answer_now(request)
        client_id = request.caller.app.client_id
        refusal = self._refuse(request, mailbox)
        if refusal is not None:
            return _throttled(request, refusal)
        tenant.throttle.begin(client_id, mailbox.address)
        try:
            await self._sleep(delay.seconds)
        finally:
            tenant.throttle.end(client_id, mailbox.address)
        return self._calendar(request, route_of(request.target), mailbox)

    def answer_now(self, request: Request) -> Reply:
        """Answer a request or an item of a batch at once."""
        route = route_of(request.target)
        if route.resource is Resource.UNKNOWN or route.resource is Resource.BATCH:
            return graph_error(
                request, 400, "BadRequest", f"Resource not found for the segment '{route.key or '$batch'}'."
            )
        if request.method not in METHODS.get(route.resource, {"GET"}):
            return _wrong_method(request)
        if route.resource not in CALENDARS:
            refusal = self._tenant.throttle.refuse_app(request.caller.app.client_id, self._tenant.now())
            return self._elsewhere(request, route) if refusal is None else _throttled(request, refusal)
        mailbox = self._tenant.find_mailbox(route.key)
        if mailbox is None:
            return graph_error(
                request, 404, "ErrorInvalidUser", f"The requested user '{route.key}' is invalid."
            )
        refusal = self._refuse(request, mailbox)
        if refusal is not None:
            return _throttled(request, refusal)
        return self._calendar(request, route, mailbox)

    def _refuse(self, request: Request, mailbox: Mailbox) -> Refusal | None:
        throttle, now = self._tenant.throttle, self._tenant.now()
        client_id = request.caller.app.client_id
        return throttle.refuse_app(client_id, now) or throttle.refuse_mailbox(client_id, mailbox.address, now)

    def _calendar(self, request: Request, route: Route, mailbox: Mailbox) -> Reply:
        tenant = self._tenant
        writes = route.resource in METHODS
        fault = tenant.faults.take(INSTEAD, WRITE if writes else CALENDAR, mailbox.address)
        if fault is not None:
            return instead(fault, request)
        if mailbox.state is not MailboxState.ACTIVE:
            return _unreachable(request, mailbox.state)
        may = may_write_calendar if writes else may_read_calendar
        verdict = may(request.caller, mailbox.address, tenant.groups, tenant.now())
        if verdict is not Verdict.GRANTED:
            return _refused(request, verdict)
        if writes:
            return self._changes.answer(request, route, mailbox)
        if route.resource is Resource.CALENDAR:
            return calendar(request, mailbox, route.query, self._base_url)
        reply = self._views.answer(request, mailbox, route.query)
        return afterwards(tenant.faults, reply, Where.CALENDAR, mailbox.address)

    async def _after_write(self, request: Request, reply: Reply) -> Reply:
        """The answer of a change that is done, late or lost if a fault has it so."""
        if not reply.ok:
            return reply
        faults, mailbox = self._tenant.faults, self.mailbox_of(request.target)
        room = mailbox.address if mailbox is not None else None
        delay = faults.take(DELAY, WRITE, room)
        if delay is not None:
            await self._sleep(delay.seconds)
        lost = faults.take(LOST_ANSWER, WRITE, room)
        if lost is None:
            return reply
        return instead_of_any(replace(lost, kind=Kind.HTML)) if lost.status else DROPPED

    def _elsewhere(self, request: Request, route: Route) -> Reply:
        match route.resource:
            case Resource.ROOMS:
                return self._places.rooms(request, route.query)
            case Resource.ROOM_LISTS:
                return self._places.room_lists(request, route.query)
            case Resource.ROOMS_OF_LIST:
                return self._places.rooms_of_list(request, route.key, route.query)
            case Resource.GROUPS:
                return self._directory.groups(request, route.query)
            case Resource.GROUP:
                return self._directory.group(request, route.key, route.query)
            case _:
                transitive = route.resource in (
                    Resource.TRANSITIVE_MEMBERS,
                    Resource.TRANSITIVE_MEMBER_USERS,
                )
                users_only = route.resource in (
                    Resource.MEMBER_USERS,
                    Resource.TRANSITIVE_MEMBER_USERS,
                )
                return self._directory.members(
                    request, route.key, route.query, transitive=transitive, users_only=users_only
                )


def _throttled(request: Request, refusal: Refusal) -> Reply:
    return graph_error(
        request, 429, refusal.code, refusal.message, retry_after=refusal.retry_after, inner_code="429"
    )


def _wrong_method(request: Request) -> Reply:
    return graph_error(
        request, 405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."
    )


def _unreachable(request: Request, state: MailboxState) -> Reply:
    if state is MailboxState.ON_PREMISES:
        return graph_error(
            request,
            404,
            "MailboxNotEnabledForRESTAPI",
            "The mailbox is either inactive, soft-deleted, or is hosted on-premise.",
        )
    return graph_error(request, 404, "ResourceNotFound", "Resource could not be discovered.")


def _refused(request: Request, verdict: Verdict) -> Reply:
    if verdict is Verdict.BLOCKED_BY_POLICY:
        return graph_error(
            request,
            403,
            "ErrorAccessDenied",
            "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy "
            "settings.",
        )
    return graph_error(
        request, 403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."
    )
