"""`GET /users/{id}/calendarView` (Microsoft: calendar-list-calendarview)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from placed_microsoft365.simulator.graph.event_json import (
    EVENT_FIELDS,
    EVENT_TYPE,
    NOT_SELECTABLE,
    event_fields,
    find_zone,
)
from placed_microsoft365.simulator.graph.query_options import (
    BadQueryError,
    next_link,
    parse_query,
    selection,
    whole_number,
)
from placed_microsoft365.simulator.http_messages import GRAPH_JSON, Request, graph_error, timestamp
from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placed_microsoft365.simulator.tenant.mailboxes import Mailbox, Meeting

DEFAULT_TOP = 10
MOST_TOP = 1000
LONGEST_WINDOW = timedelta(days=1825)
MOST_CACHED = 50_000
METADATA = "/v1.0/$metadata"
CREATION_TIME = "SystemTime 0x3007"  # PidTagCreationTime
EXPANDED = re.compile(
    r"singleValueExtendedProperties\(\$filter=id eq '"
    r"(String \{[0-9a-f-]{36}\} Name \w+|SystemTime 0x[0-9a-f]{4})'\)",
    re.IGNORECASE,
)
ZONE_PREFERENCE = re.compile(r'outlook\.timezone\s*=\s*"?([^",]+)"?', re.IGNORECASE)


@dataclass(slots=True)
class CalendarViews:
    """Answers for calendars; an unchanged one asked the same way is answered from memory, byte for byte."""

    base_url: str
    _cache: dict[tuple[str, str], tuple[Mailbox, int, Reply]] = field(default_factory=dict)

    def answer(self, request: Request, mailbox: Mailbox, query_text: str) -> Reply:
        """The page of the calendar that the query asks for, or 400."""
        prefer = request.headers.get("prefer", "")
        key = (request.target, prefer)
        cached = self._cache.get(key)
        if mailbox.unseen:
            cached = None
        if cached is not None and cached[0] is mailbox and cached[1] == mailbox.version:
            return cached[2]
        try:
            reply = self._render(request, mailbox, parse_query(query_text), prefer)
        except BadQueryError as error:
            return graph_error(request, 400, error.code, str(error))
        if len(self._cache) >= MOST_CACHED:
            self._cache.clear()
        if not mailbox.unseen:
            self._cache[key] = (mailbox, mailbox.version, reply)
        return reply

    def _render(self, request: Request, mailbox: Mailbox, query: Mapping[str, str], prefer: str) -> Reply:
        start, end = _window(query)
        top = whole_number(query, "$top", DEFAULT_TOP, least=1, most=MOST_TOP)
        skip = whole_number(query, "$skip", 0, least=0, most=1_000_000)
        chosen = selection(query, EVENT_FIELDS, EVENT_TYPE)
        wanted = _expanded_property(query)
        asked = ZONE_PREFERENCE.search(prefer)
        zone_name = asked[1].strip() if asked else "UTC"
        zone = find_zone(zone_name)
        if zone is None:
            raise BadQueryError(
                "TimeZoneNotSupportedException", f"A valid TimeZone value must be specified: {zone_name}."
            )
        found = _ordered(
            [meeting for meeting in mailbox.visible(request.moment) if meeting.overlaps(start, end)], query
        )
        value = []
        for meeting in found[skip : skip + top]:
            fields = event_fields(meeting, mailbox, zone_name, zone)
            shown = fields if chosen is None else _chosen(fields, chosen)
            value.append(shown if wanted is None else {**shown, **_extended(meeting, wanted)})
        url = f"{self.base_url}/v1.0{request.target.partition('?')[0]}"
        user = request.target.partition("?")[0].split("/")[2]  # the user as the request named them
        document: dict[str, object] = {
            "@odata.context": f"{self.base_url}{METADATA}#users('{user}')/calendarView",
        }
        if query.get("$count", "").lower() == "true":
            document["@odata.count"] = len(found)
        document["value"] = value
        if skip + top < len(found):
            document["@odata.nextLink"] = next_link(url, query, top=top, skip=skip + top)
        applied = (("Preference-Applied", f'outlook.timezone="{zone_name}"'),) if asked else ()
        return Reply(200, msgspec.json.encode(document), GRAPH_JSON, applied)


def calendar(request: Request, mailbox: Mailbox, query_text: str, base_url: str) -> Reply:
    """`GET /users/{id}/calendar`, the default calendar and whose it is (Microsoft: calendar-get), or 400."""
    fields = {
        "id": f"AAMkAD{mailbox.user_id}",
        "name": "Calendar",
        "color": "auto",
        "changeKey": f"v{mailbox.version}",
        "canShare": True,
        "canViewPrivateItems": True,
        "canEdit": True,
        "isDefaultCalendar": True,
        "owner": {"name": mailbox.name, "address": mailbox.address},
    }
    try:
        chosen = selection(parse_query(query_text), frozenset(fields), "Microsoft.OutlookServices.Calendar")
    except BadQueryError as error:
        return graph_error(request, 400, error.code, str(error))
    context = f"{base_url}{METADATA}#users('{quote(mailbox.user_id)}')/calendar/$entity"
    wanted = fields if chosen is None else {name: fields[name] for name in fields if name in chosen | {"id"}}
    return Reply(200, msgspec.json.encode({"@odata.context": context, **wanted}), GRAPH_JSON)


def _expanded_property(query: Mapping[str, str]) -> str | None:
    """The id of the extended property in `$expand`, in lower case; None without one."""
    text = query.get("$expand")
    if text is None:
        return None
    found = EXPANDED.fullmatch(text)
    if found is None:
        raise BadQueryError("ErrorInvalidUrlQuery", "$expand takes one property by its id here.")
    return found[1].lower()


def _extended(meeting: Meeting, wanted: str) -> dict[str, object]:
    """An event without the property has no such list at all."""
    booked = (CREATION_TIME, timestamp(meeting.created))
    found = [
        {"id": name, "value": value}
        for name, value in (*meeting.properties, booked)
        if name.lower() == wanted
    ]
    return {"singleValueExtendedProperties": found} if found else {}


def _chosen(fields: dict[str, object], chosen: frozenset[str]) -> dict[str, object]:
    """The etag and the id always come; two fields never do."""
    wanted = (chosen | {"@odata.etag", "id"}) - NOT_SELECTABLE
    return {name: value for name, value in fields.items() if name in wanted}


def _ordered(meetings: list[Meeting], query: Mapping[str, str]) -> list[Meeting]:
    """In the order of booking, unless `$orderby` is given."""
    for unsupported in ("$filter", "$search"):
        if unsupported in query:
            raise BadQueryError("ErrorInvalidUrlQuery", f"{unsupported} is not supported here.")
    text = query.get("$orderby", "")
    if not text:
        return meetings
    name, _, direction = text.partition(" ")
    if name not in ("start/dateTime", "end/dateTime") or direction.lower() not in ("", "asc", "desc"):
        raise BadQueryError("ErrorInvalidUrlQuery", f"The $orderby clause '{text}' is not supported.")
    by_start = name.startswith("start")
    return sorted(
        meetings,
        key=lambda meeting: (meeting.start if by_start else meeting.end, meeting.id),
        reverse=direction.lower() == "desc",
    )


def _window(query: Mapping[str, str]) -> tuple[datetime, datetime]:
    moments = []
    for name in ("startDateTime", "endDateTime"):
        text = query.get(name)
        if text is None:
            raise BadQueryError(
                "ErrorInvalidParameter",
                "This request requires a time window specified by the query string parameters "
                "StartDateTime and EndDateTime.",
            )
        moments.append(_moment(name, text))
    start, end = moments
    if end < start:
        raise BadQueryError("ErrorInvalidParameter", "The End date must be after the Start date.")
    if end - start > LONGEST_WINDOW:
        raise BadQueryError(
            "ErrorInvalidRequest",
            "Your request can't be completed. The range between the start and end dates is greater than the "
            "allowed range. Maximum number of days: 1825",
        )
    return start, end


def _moment(name: str, text: str) -> datetime:
    """An offset in the value counts, none means UTC; a raw plus sign has become a blank and is refused."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadQueryError(
            "ErrorInvalidParameter", f"The value '{text}' of parameter '{name}' is invalid."
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
