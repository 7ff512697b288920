"""Microsoft Graph's JSON as typed structs: only what is read, and nothing believed that is not checked.

Source: Microsoft Graph v1.0 metadata (`event`, `room`, `user`) and "Combine multiple HTTP requests using
JSON batching".
"""

from __future__ import annotations

from typing import Any

import msgspec

EVENT_FIELDS = ("id", "start", "end", "isAllDay", "isCancelled", "showAs", "sensitivity", "responseStatus")
EVENT_DETAILS = ("subject", "organizer")


class DateTimeTimeZone(msgspec.Struct, rename="camel"):
    """{"dateTime":"2026-10-06T07:00:00.0000000","timeZone":"UTC"}: seven fraction digits, no offset."""

    date_time: str
    time_zone: str = "UTC"


class ResponseStatus(msgspec.Struct):
    """What the mailbox answered to the invitation."""

    response: str | None = None


class EmailAddress(msgspec.Struct):
    """A person, or whoever has an address."""

    name: str | None = None
    address: str | None = None


class Recipient(msgspec.Struct, rename="camel"):
    """The organizer's wrapping."""

    email_address: EmailAddress | None = None


class Event(msgspec.Struct, rename="camel"):
    """An occurrence in a calendar view; a sensitivity of whatever type, since anything unknown is private."""

    id: str
    start: DateTimeTimeZone
    end: DateTimeTimeZone
    is_all_day: bool | None = None
    is_cancelled: bool | None = None
    show_as: str | None = None
    sensitivity: Any = None
    response_status: ResponseStatus | None = None
    subject: str | None = None
    organizer: Recipient | None = None


class Events(msgspec.Struct):
    """A page of a calendar view."""

    value: list[Event]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class Readable(msgspec.Struct):
    """A calendar view of whatever events: what shows that a mailbox can be read."""

    value: list[msgspec.Raw]


class BatchItem(msgspec.Struct):
    """One answer of a batch; its body stays as it came until somebody wants it."""

    id: str
    status: int
    headers: dict[str, Any] | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class BatchAnswer(msgspec.Struct):
    """The answers of a batch, in any order."""

    responses: list[BatchItem]


class RawBatchAnswer(msgspec.Struct):
    """The same, where one of them may be malformed, which does not spoil the others."""

    responses: list[msgspec.Raw]


class BatchRequest(msgspec.Struct):
    """One question of a batch; `url` is relative and starts after the version."""

    id: str
    method: str
    url: str


class Batch(msgspec.Struct):
    """At most 20 questions."""

    requests: list[BatchRequest]


class GraphErrorDetails(msgspec.Struct):
    """The service's own code; its message may change, and may name people."""

    code: str | None = None


class GraphErrorBody(msgspec.Struct):
    """{"error":{"code":"ErrorAccessDenied",...}}."""

    error: GraphErrorDetails | None = None


class DirectoryObject(msgspec.Struct, rename="camel"):
    """A group, or a member of one; what the application may not read is null."""

    id: str | None = None
    mail: str | None = None
    user_principal_name: str | None = None
    display_name: str | None = None
    visibility: str | None = None
    type: str | None = msgspec.field(default=None, name="@odata.type")


class DirectoryObjects(msgspec.Struct):
    """A page of groups or members; `count` is of all pages."""

    value: list[DirectoryObject]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
    count: int | None = msgspec.field(default=None, name="@odata.count")


class Calendar(msgspec.Struct):
    """A calendar, and whose it is."""

    owner: EmailAddress | None = None


class Place(msgspec.Struct, rename="camel"):
    """A room of the Places service; the documentation shows `capacity` as text, the schema as a number."""

    id: str | None = None
    email_address: str | None = None
    display_name: str | None = None
    building: str | None = None
    floor_label: str | None = None
    floor_number: int | float | str | None = None
    capacity: int | float | str | None = None


class Places(msgspec.Struct):
    """A page of rooms."""

    value: list[Place]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
