"""The fields of answers, by schema (Google: discovery documents of Calendar v3 and Directory v1).

A field maps to the schema of what is in it: "" for none, `ANY` for anything. `*` stands for any name.
"""

from __future__ import annotations

from typing import Final

ANY: Final = "*"


def _plain(names: str) -> dict[str, str]:
    """Fields without further ones."""
    return dict.fromkeys(names.split(), "")


SCHEMAS: Final[dict[str, dict[str, str]]] = {
    "Events": {
        **_plain("accessRole description etag kind nextPageToken nextSyncToken summary timeZone updated"),
        "defaultReminders": "EventReminder",
        "items": "Event",
    },
    "EventReminder": {
        **_plain("method minutes"),
    },
    "Event": {
        **_plain(
            "anyoneCanAddSelf attendeesOmitted colorId created description endTimeUnspecified etag "
            "eventLabelId eventType guestsCanInviteOthers guestsCanModify guestsCanSeeOtherGuests "
            "hangoutLink htmlLink iCalUID id kind location locked privateCopy recurrence "
            "recurringEventId sequence status summary transparency updated visibility"
        ),
        "attachments": "EventAttachment",
        "attendees": "EventAttendee",
        "birthdayProperties": "EventBirthdayProperties",
        "conferenceData": "ConferenceData",
        "creator": "Event.creator",
        "end": "EventDateTime",
        "extendedProperties": "Event.extendedProperties",
        "focusTimeProperties": "EventFocusTimeProperties",
        "gadget": "Event.gadget",
        "organizer": "Event.organizer",
        "originalStartTime": "EventDateTime",
        "outOfOfficeProperties": "EventOutOfOfficeProperties",
        "reminders": "Event.reminders",
        "source": "Event.source",
        "start": "EventDateTime",
        "workingLocationProperties": "EventWorkingLocationProperties",
    },
    "EventAttachment": {
        **_plain("fileId fileUrl iconLink mimeType title"),
    },
    "EventAttendee": {
        **_plain(
            "additionalGuests asyncOperation comment displayName email id optional organizer resource "
            "responseStatus self"
        ),
    },
    "EventBirthdayProperties": {
        **_plain("contact customTypeName type"),
    },
    "ConferenceData": {
        **_plain("conferenceId notes signature"),
        "conferenceSolution": "ConferenceSolution",
        "createRequest": "CreateConferenceRequest",
        "entryPoints": "EntryPoint",
        "parameters": "ConferenceParameters",
    },
    "ConferenceSolution": {
        **_plain("iconUri name"),
        "key": "ConferenceSolutionKey",
    },
    "ConferenceSolutionKey": {
        **_plain("type"),
    },
    "CreateConferenceRequest": {
        **_plain("requestId"),
        "conferenceSolutionKey": "ConferenceSolutionKey",
        "status": "ConferenceRequestStatus",
    },
    "ConferenceRequestStatus": {
        **_plain("statusCode"),
    },
    "EntryPoint": {
        **_plain(
            "accessCode entryPointFeatures entryPointType label meetingCode passcode password pin "
            "regionCode uri"
        ),
    },
    "ConferenceParameters": {
        "addOnParameters": "ConferenceParametersAddOnParameters",
    },
    "ConferenceParametersAddOnParameters": {
        "parameters": "ConferenceParametersAddOnParameters.parameters",
    },
    "ConferenceParametersAddOnParameters.parameters": {
        **_plain("*"),
    },
    "Event.creator": {
        **_plain("displayName email id self"),
    },
    "EventDateTime": {
        **_plain("date dateTime timeZone"),
    },
    "Event.extendedProperties": {
        "private": "Event.extendedProperties.private",
        "shared": "Event.extendedProperties.shared",
    },
    "Event.extendedProperties.private": {
        **_plain("*"),
    },
    "Event.extendedProperties.shared": {
        **_plain("*"),
    },
    "EventFocusTimeProperties": {
        **_plain("autoDeclineMode chatStatus declineMessage"),
    },
    "Event.gadget": {
        **_plain("display height iconLink link title type width"),
        "preferences": "Event.gadget.preferences",
    },
    "Event.gadget.preferences": {
        **_plain("*"),
    },
    "Event.organizer": {
        **_plain("displayName email id self"),
    },
    "EventOutOfOfficeProperties": {
        **_plain("autoDeclineMode declineMessage"),
    },
    "Event.reminders": {
        **_plain("useDefault"),
        "overrides": "EventReminder",
    },
    "Event.source": {
        **_plain("title url"),
    },
    "EventWorkingLocationProperties": {
        **_plain("type"),
        "customLocation": "EventWorkingLocationProperties.customLocation",
        "homeOffice": ANY,
        "officeLocation": "EventWorkingLocationProperties.officeLocation",
    },
    "EventWorkingLocationProperties.customLocation": {
        **_plain("label"),
    },
    "EventWorkingLocationProperties.officeLocation": {
        **_plain("buildingId deskId floorId floorSectionId label"),
    },
    "FreeBusyResponse": {
        **_plain("kind timeMax timeMin"),
        "calendars": "FreeBusyResponse.calendars",
        "groups": "FreeBusyResponse.groups",
    },
    "FreeBusyResponse.calendars": {
        "*": "FreeBusyCalendar",
    },
    "FreeBusyCalendar": {
        "busy": "TimePeriod",
        "errors": "Error",
    },
    "TimePeriod": {
        **_plain("end start"),
    },
    "Error": {
        **_plain("domain reason"),
    },
    "FreeBusyResponse.groups": {
        "*": "FreeBusyGroup",
    },
    "FreeBusyGroup": {
        **_plain("calendars"),
        "errors": "Error",
    },
    "Acl": {
        **_plain("etag kind nextPageToken nextSyncToken"),
        "items": "AclRule",
    },
    "AclRule": {
        **_plain("etag id kind role"),
        "scope": "AclRule.scope",
    },
    "AclRule.scope": {
        **_plain("type value"),
    },
    "Calendar": {
        **_plain("autoAcceptInvitations dataOwner description etag id kind location summary timeZone"),
        "conferenceProperties": "ConferenceProperties",
        "labelProperties": "LabelProperties",
        "workingHours": "Calendar.workingHours",
    },
    "ConferenceProperties": {
        **_plain("allowedConferenceSolutionTypes"),
    },
    "LabelProperties": {
        "eventLabels": "EventLabel",
    },
    "EventLabel": {
        **_plain("backgroundColor id name"),
    },
    "Calendar.workingHours": {
        **_plain("workingHoursEnabled"),
        "availableTimes": "Calendar.workingHours.availableTimes",
    },
    "Calendar.workingHours.availableTimes": {
        **_plain("dayOfWeek periodEnd periodStart"),
    },
    "CalendarList": {
        **_plain("etag kind nextPageToken nextSyncToken"),
        "items": "CalendarListEntry",
    },
    "CalendarListEntry": {
        **_plain(
            "accessRole autoAcceptInvitations backgroundColor colorId dataOwner deleted description "
            "etag foregroundColor hidden id kind location primary selected summary summaryOverride "
            "timeZone"
        ),
        "conferenceProperties": "ConferenceProperties",
        "defaultReminders": "EventReminder",
        "notificationSettings": "CalendarListEntry.notificationSettings",
    },
    "CalendarListEntry.notificationSettings": {
        "notifications": "CalendarNotification",
    },
    "CalendarNotification": {
        **_plain("method type"),
    },
    "CalendarResources": {
        **_plain("etag kind nextPageToken"),
        "items": "CalendarResource",
    },
    "CalendarResource": {
        **_plain(
            "buildingId capacity etags floorName floorSection generatedResourceName kind "
            "resourceCategory resourceDescription resourceEmail resourceId resourceName resourceType "
            "userVisibleDescription"
        ),
        "featureInstances": ANY,
    },
    "Buildings": {
        **_plain("etag kind nextPageToken"),
        "buildings": "Building",
    },
    "Building": {
        **_plain("buildingId buildingName description etags floorNames kind"),
        "address": "BuildingAddress",
        "coordinates": "BuildingCoordinates",
    },
    "BuildingAddress": {
        **_plain("addressLines administrativeArea languageCode locality postalCode regionCode sublocality"),
    },
    "BuildingCoordinates": {
        **_plain("latitude longitude"),
    },
}
