"""Microsoft Graph's JSON as typed structs, with the fields that are used; msgspec checks their types.

Source: Microsoft Graph v1.0 metadata (`event`, `room`, `user`) and "Combine multiple HTTP requests using
JSON batching".
"""

from __future__ import annotations

from typing import Any

import msgspec

EVENT_FIELDS = ("id", "start", "end", "isAllDay", "isCancelled", "showAs", "sensitivity", "responseStatus")
EVENT_DETAILS = ("subject", "organizer")
EVENT_SERIES = ("seriesMasterId",)


class DateTimeTimeZone(msgspec.Struct, rename="camel"):
    """{"dateTime":"2026-10-06T07:00:00.0000000","timeZone":"UTC"}: seven fraction digits, no offset."""

    date_time: str
    time_zone: str = "UTC"


class ResponseStatus(msgspec.Struct):
    """The mailbox's response to the invitation."""

    response: str | None = None


class EmailAddress(msgspec.Struct):
    """A name with an address."""

    name: str | None = None
    address: str | None = None


class Recipient(msgspec.Struct, rename="camel"):
    """The wrapper of the organizer's address."""

    email_address: EmailAddress | None = None


class ExtendedProperty(msgspec.Struct):
    """A single-value extended property."""

    id: str
    value: str | None = None


class Event(msgspec.Struct, rename="camel"):
    """An occurrence in a calendar view; `sensitivity` has any type, since unknown values count as private.

    Events have been seen without an id. They occupy their room like any other.
    """

    start: DateTimeTimeZone
    end: DateTimeTimeZone
    id: str | None = None
    is_all_day: bool | None = None
    is_cancelled: bool | None = None
    show_as: str | None = None
    sensitivity: Any = None
    response_status: ResponseStatus | None = None
    subject: str | None = None
    organizer: Recipient | None = None
    series_master_id: str | None = None
    single_value_extended_properties: tuple[ExtendedProperty, ...] | None = None


class Events(msgspec.Struct):
    """A page of a calendar view."""

    value: list[Event]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")


class Readable(msgspec.Struct):
    """A calendar view with any events: it shows that a mailbox is readable."""

    value: list[msgspec.Raw]


class BatchItem(msgspec.Struct):
    """One item of a batch response; its body is decoded later."""

    id: str
    status: int
    headers: dict[str, Any] | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class BatchAnswer(msgspec.Struct):
    """The items of a batch response, in any order."""

    responses: list[BatchItem]


class RawBatchAnswer(msgspec.Struct):
    """The same without decoding the items, so that a malformed one does not affect the others."""

    responses: list[msgspec.Raw]


class BatchRequest(msgspec.Struct):
    """One request of a batch; `url` is relative to the API version."""

    id: str
    method: str
    url: str


class Batch(msgspec.Struct):
    """At most 20 requests."""

    requests: list[BatchRequest]


class GraphErrorDetails(msgspec.Struct):
    """The service's error code; its message is not used, since it may change and contain names."""

    code: str | None = None


class GraphErrorBody(msgspec.Struct):
    """{"error":{"code":"ErrorAccessDenied",...}}."""

    error: GraphErrorDetails | None = None


class DirectoryObject(msgspec.Struct, rename="camel"):
    """A group, or a member of one; fields that the application may not read are null."""

    id: str | None = None
    mail: str | None = None
    user_principal_name: str | None = None
    display_name: str | None = None
    visibility: str | None = None
    type: str | None = msgspec.field(default=None, name="@odata.type")


class DirectoryObjects(msgspec.Struct):
    """A page of groups or members; `count` covers all pages."""

    value: list[DirectoryObject]
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
    count: int | None = msgspec.field(default=None, name="@odata.count")


class Calendar(msgspec.Struct):
    """A calendar and its owner."""

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
