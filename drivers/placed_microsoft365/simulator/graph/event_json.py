"""A meeting as Graph writes it (Microsoft: resources/event)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from placed_microsoft365.simulator.http_messages import timestamp

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from placed_microsoft365.simulator.tenant.mailboxes import Mailbox, Meeting

EVENT_TYPE = "Microsoft.OutlookServices.Event"
UNSET_TIME = "0001-01-01T00:00:00Z"
NOT_SELECTABLE = frozenset({"createdDateTime", "lastModifiedDateTime"})
"""Left out when `$select` is given, even if it names them (Microsoft: calendar-list-calendarview)."""

EVENT_FIELDS = frozenset(
    """id changeKey iCalUId createdDateTime lastModifiedDateTime categories subject bodyPreview body
    importance sensitivity isAllDay isCancelled isDraft isOrganizer responseRequested responseStatus type
    seriesMasterId showAs originalStartTimeZone originalEndTimeZone originalStart start end location locations
    attendees organizer recurrence isOnlineMeeting onlineMeeting onlineMeetingProvider onlineMeetingUrl
    hasAttachments hideAttendees allowNewTimeProposals isReminderOn reminderMinutesBeforeStart transactionId
    webLink""".split()  # noqa: SIM905
)

# A part of the CLDR table windowsZones; Graph knows all of them, and the IANA names too.
WINDOWS_ZONES = {
    "UTC": "UTC",
    "GMT Standard Time": "Europe/London",
    "W. Europe Standard Time": "Europe/Berlin",
    "Central Europe Standard Time": "Europe/Budapest",
    "Romance Standard Time": "Europe/Paris",
    "FLE Standard Time": "Europe/Kiev",
    "Eastern Standard Time": "America/New_York",
    "Central Standard Time": "America/Chicago",
    "Mountain Standard Time": "America/Denver",
    "Pacific Standard Time": "America/Los_Angeles",
    "India Standard Time": "Asia/Kolkata",
    "China Standard Time": "Asia/Shanghai",
    "Tokyo Standard Time": "Asia/Tokyo",
    "AUS Eastern Standard Time": "Australia/Sydney",
    "New Zealand Standard Time": "Pacific/Auckland",
}


def find_zone(name: str) -> tzinfo | None:
    """The zone of a Windows or an IANA name, None for one that is not known."""
    try:
        return ZoneInfo(WINDOWS_ZONES.get(name, name))
    except (LookupError, ValueError, OSError):
        return None


def change_key(meeting: Meeting) -> str:
    """Another one after each change of the meeting."""
    return base64.b64encode(f"{meeting.id[6:18]}{meeting.revision:08}".encode()).decode()


def etag(meeting: Meeting) -> str:
    """What `If-Match` names."""
    return f'W/"{change_key(meeting)}"'


def event_type(meeting: Meeting) -> str:
    """What an event is of a series."""
    if meeting.series is None:
        return "singleInstance"
    return "exception" if meeting.exception else "occurrence"


def event_fields(meeting: Meeting, mailbox: Mailbox, zone_name: str, zone: tzinfo) -> dict[str, object]:
    """All fields of the event, the etag first; times in the zone, which is named as it was asked for."""
    key = change_key(meeting)
    domain = mailbox.address.partition("@")[2]
    organizer = _email(meeting.organizer, f"{meeting.organizer.lower().replace(' ', '.')}@{domain}")
    unanswered = {"response": "none", "time": UNSET_TIME}
    status = {"response": meeting.response, "time": UNSET_TIME}
    place = {
        "displayName": mailbox.name,
        "locationType": "default",
        "uniqueId": mailbox.name,
        "uniqueIdType": "private",
    }
    return {
        "@odata.etag": etag(meeting),
        "id": meeting.id,
        "createdDateTime": timestamp(meeting.created),
        "lastModifiedDateTime": timestamp(meeting.modified),
        "changeKey": key,
        "categories": [],
        "transactionId": meeting.transaction_id,
        "originalStartTimeZone": "UTC",
        "originalEndTimeZone": "UTC",
        "originalStart": timestamp(meeting.start) if meeting.series else None,
        "iCalUId": f"040000008200E00074C5B7101A82E008{meeting.id[6:26].encode().hex().upper()}",
        "reminderMinutesBeforeStart": 15,
        "isReminderOn": meeting.reminder,
        "hasAttachments": False,
        "subject": meeting.subject,
        "bodyPreview": "",
        "body": {"contentType": "html", "content": ""},
        "importance": "normal",
        "sensitivity": meeting.sensitivity,
        "isAllDay": meeting.all_day,
        "isCancelled": meeting.cancelled,
        "isOrganizer": meeting.response == "organizer",
        "isDraft": False,
        "responseRequested": True,
        "seriesMasterId": meeting.series,
        "showAs": meeting.show_as,
        "type": event_type(meeting),
        "webLink": f"https://outlook.example/owa/?itemid={meeting.id[6:26]}",
        "onlineMeetingUrl": None,
        "isOnlineMeeting": False,
        "onlineMeetingProvider": "unknown",
        "onlineMeeting": None,
        "allowNewTimeProposals": True,
        "hideAttendees": False,
        "recurrence": None,
        "responseStatus": status,
        "start": _date_time(meeting.start, meeting, zone_name, zone),
        "end": _date_time(meeting.end, meeting, zone_name, zone),
        "location": place,
        "locations": [place],
        "attendees": []
        if meeting.response == "organizer"
        else [
            {"type": "required", "status": unanswered, **organizer},
            {"type": "resource", "status": status, **_email(mailbox.name, mailbox.address)},
        ],
        "organizer": organizer,
    }


def _email(name: str, address: str) -> dict[str, object]:
    return {"emailAddress": {"name": name, "address": address}}


def _date_time(moment: datetime, meeting: Meeting, zone_name: str, zone: tzinfo) -> dict[str, object]:
    """Seven digits of fraction, no offset; an all-day event keeps its midnights in whatever zone."""
    local = moment if meeting.all_day else moment.astimezone(zone)
    digits = f"{local.microsecond:06}0"
    return {"dateTime": f"{local:%Y-%m-%dT%H:%M:%S}.{digits}", "timeZone": zone_name}
