"""Changes of events: POST, PATCH, DELETE, decline and cancel (Microsoft: resources/event)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec

from placed_microsoft365.simulator.graph.event_json import etag, event_fields, find_zone
from placed_microsoft365.simulator.graph.routes import Resource
from placed_microsoft365.simulator.http_messages import GRAPH_JSON, Request, graph_error
from placed_microsoft365.simulator.tenant.mailboxes import ShowAs
from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from placed_microsoft365.simulator.graph.routes import Route
    from placed_microsoft365.simulator.tenant.mailboxes import Mailbox, Meeting
    from placed_microsoft365.simulator.tenant.tenant import Tenant

METHODS = {
    Resource.EVENTS: frozenset({"POST"}),
    Resource.EVENT: frozenset({"PATCH", "DELETE"}),
    Resource.EVENT_DECLINE: frozenset({"POST"}),
    Resource.EVENT_CANCEL: frozenset({"POST"}),
}
_NOT_ORGANIZER = "Your request can't be completed. You need to be an organizer to cancel a meeting."
_Body = TypeVar("_Body")


class Moment(msgspec.Struct, frozen=True, rename="camel"):
    """A date and time in a time zone."""

    date_time: str
    time_zone: str

    def utc(self) -> datetime:
        """The moment.

        Raises:
            ValueError: it is none.
        """
        zone = find_zone(self.time_zone)
        moment = datetime.fromisoformat(self.date_time)
        if zone is None or moment.tzinfo is not None:
            raise ValueError("a date and time without an offset, and a time zone that is known")
        return moment.replace(tzinfo=zone).astimezone(UTC)


class Property(msgspec.Struct, frozen=True):
    """A single-value extended property."""

    id: str
    value: str


class NewEvent(msgspec.Struct, frozen=True, rename="camel"):
    """An event to create."""

    start: Moment
    end: Moment
    subject: str = ""
    show_as: ShowAs = "busy"
    is_reminder_on: bool = True
    transaction_id: str | None = None
    attendees: tuple[msgspec.Raw, ...] = ()
    single_value_extended_properties: tuple[Property, ...] = ()


class Change(msgspec.Struct, frozen=True, rename="camel"):
    """Other times of an event."""

    start: Moment | None = None
    end: Moment | None = None


class Answering(msgspec.Struct, frozen=True, rename="camel"):
    """A decline, or a cancellation."""

    comment: str = ""
    send_response: bool = True


class EventChanges:
    """Changes the events of one tenant."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    def answer(self, request: Request, route: Route, mailbox: Mailbox) -> Reply:
        """Do it, or refuse."""
        try:
            if route.resource is Resource.EVENTS:
                return self._create(request, mailbox)
            return self._change(request, route, mailbox)
        except ValueError as error:
            return graph_error(request, 400, "ErrorInvalidRequest", str(error))

    def _create(self, request: Request, mailbox: Mailbox) -> Reply:
        new = _read(request, NewEvent)
        start, end = new.start.utc(), new.end.utc()
        if end < start:
            raise ValueError("The end is before the start.")
        known = mailbox.transactions.get(new.transaction_id or "")
        if known is not None:
            return self._known(request, mailbox, known)
        meeting = self._tenant.create_event(
            mailbox,
            start,
            end,
            subject=new.subject,
            show_as=new.show_as,
            reminder=new.is_reminder_on,
            transaction_id=new.transaction_id,
            properties=tuple((one.id, one.value) for one in new.single_value_extended_properties),
            attendees=len(new.attendees),
        )
        return _event(201, meeting, mailbox)

    def _known(self, request: Request, mailbox: Mailbox, event_id: str) -> Reply:
        status = self._tenant.undocumented.known_transaction
        if status == 201 and event_id in mailbox.meetings:  # noqa: PLR2004 - created
            return _event(status, mailbox.meetings[event_id], mailbox)
        message = "The transactionId has already been used to create a different event."
        code = "ErrorDuplicateTransactionId"
        return graph_error(request, 400 if status == 400 else 409, code, message)  # noqa: PLR2004 - or a conflict

    def _change(self, request: Request, route: Route, mailbox: Mailbox) -> Reply:
        events = self._tenant.events_of(mailbox, route.event)
        if not events:
            message = "The specified object was not found in the store."
            return graph_error(request, 404, "ErrorItemNotFound", message)
        expected = request.headers.get("if-match")
        by_method = route.resource is Resource.EVENT
        if by_method and expected not in (None, "*") and expected != etag(events[0]):
            message = "The change key passed in the request does not match the current one for the item."
            return graph_error(request, 412, "ErrorIrresolvableConflict", message)
        replies = [self._change_one(request, route, mailbox, meeting) for meeting in events]
        return replies[0]

    def _change_one(self, request: Request, route: Route, mailbox: Mailbox, meeting: Meeting) -> Reply:
        tenant, organizer = self._tenant, meeting.response == "organizer"
        if request.method == "DELETE":
            tenant.delete_event(mailbox, meeting.id)
            return Reply(204)
        if request.method == "PATCH":
            return self._patch(request, mailbox, meeting)
        answering = _read(request, Answering)
        if route.resource is Resource.EVENT_CANCEL:
            if not organizer:
                raise ValueError(_NOT_ORGANIZER)
            tenant.cancel_event(mailbox, meeting.id, comment=answering.comment)
            return Reply(202)
        if organizer:
            raise ValueError("Your request can't be completed. You can't respond to this meeting.")
        tenant.decline_event(
            mailbox, meeting.id, comment=answering.comment, send_response=answering.send_response
        )
        return Reply(202)

    def _patch(self, request: Request, mailbox: Mailbox, meeting: Meeting) -> Reply:
        tenant = self._tenant
        if meeting.response != "organizer" and tenant.undocumented.attendee_patch == "refused":
            message = "Set action is invalid for property."
            return graph_error(request, 400, "ErrorInvalidPropertySet", message)
        change = _read(request, Change)
        start = meeting.start if change.start is None else change.start.utc()
        end = meeting.end if change.end is None else change.end.utc()
        if end < start:
            raise ValueError("The end is before the start.")
        return _event(200, tenant.patch_event(mailbox, meeting.id, start, end), mailbox)


def _read(request: Request, kind: type[_Body]) -> _Body:
    """The body.

    Raises:
        ValueError: it is none of that kind.
    """
    if not request.body:
        raise ValueError("Empty Payload. JSON content expected.")
    return msgspec.json.decode(request.body, type=kind)


def _event(status: int, meeting: Meeting, mailbox: Mailbox) -> Reply:
    return Reply(status, msgspec.json.encode(event_fields(meeting, mailbox, "UTC", UTC)), GRAPH_JSON)
