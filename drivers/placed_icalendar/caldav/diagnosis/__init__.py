"""The doctor's checks of a CalDAV connection: files, host, sign-in, discovery, calendars, bookings."""

from placed_icalendar.caldav.diagnosis.dav_checks import DavExamination

__all__ = ["DavExamination"]
