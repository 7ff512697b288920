"""The names of elements and properties of WebDAV (RFC 4918), CalDAV (RFC 4791) and their extensions."""

from __future__ import annotations

_DAV = "{DAV:}"
_CALDAV = "{urn:ietf:params:xml:ns:caldav}"
_CALENDAR_SERVER = "{http://calendarserver.org/ns/}"

MULTISTATUS = f"{_DAV}multistatus"
RESPONSE = f"{_DAV}response"
HREF = f"{_DAV}href"
STATUS = f"{_DAV}status"
PROPSTAT = f"{_DAV}propstat"
PROP = f"{_DAV}prop"
ERROR = f"{_DAV}error"
UNAUTHENTICATED = f"{_DAV}unauthenticated"

RESOURCE_TYPE = f"{_DAV}resourcetype"
DISPLAY_NAME = f"{_DAV}displayname"
SYNC_TOKEN = f"{_DAV}sync-token"  # RFC 6578
OWNER = f"{_DAV}owner"  # RFC 3744
CURRENT_USER_PRINCIPAL = f"{_DAV}current-user-principal"  # RFC 5397
PRINCIPAL_COLLECTIONS = f"{_DAV}principal-collection-set"  # RFC 3744
PRIVILEGES = f"{_DAV}current-user-privilege-set"  # RFC 3744
PRIVILEGE = f"{_DAV}privilege"

CALENDAR = f"{_CALDAV}calendar"
CALENDAR_DATA = f"{_CALDAV}calendar-data"
CALENDAR_HOMES = f"{_CALDAV}calendar-home-set"
ADDRESSES = f"{_CALDAV}calendar-user-address-set"  # RFC 6638
CALENDAR_TIMEZONE = f"{_CALDAV}calendar-timezone"
COMPONENT_SET = f"{_CALDAV}supported-calendar-component-set"
TOO_MANY = f"{_CALDAV}number-of-matches-within-limits"  # the same in DAV:, RFC 6578
TOO_MANY_DAV = f"{_DAV}number-of-matches-within-limits"

CTAG = f"{_CALENDAR_SERVER}getctag"  # calendarserver.org, caldav-ctag
READS_FOR = f"{_CALENDAR_SERVER}calendar-proxy-read-for"  # calendarserver.org, caldav-proxy
WRITES_FOR = f"{_CALENDAR_SERVER}calendar-proxy-write-for"
