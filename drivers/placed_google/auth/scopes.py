"""The OAuth scopes that are asked for: each the smallest that its request takes."""

from __future__ import annotations

_PREFIX = "https://www.googleapis.com/auth/"

EVENTS = f"{_PREFIX}calendar.events.readonly"  # events.list
FREE_BUSY = (
    f"{_PREFIX}calendar.events.freebusy"  # freebusy.query, which takes no scope that only reads events
)
CHANGE_EVENTS = f"{_PREFIX}calendar.events"  # for the service account of actions alone; it reads events, too
RESOURCES = f"{_PREFIX}admin.directory.resource.calendar.readonly"  # rooms and buildings of the directory
