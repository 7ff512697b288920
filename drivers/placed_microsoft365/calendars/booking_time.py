"""When an event was booked, which a calendar view does not select as `createdDateTime`.

It is the extended property PidTagCreationTime, and of a room's copy the moment at which the room got it.
Sources: Microsoft, "List calendarView" (createdDateTime does not support $select), "Get
singleValueLegacyExtendedProperty" ($expand), and [MS-OXPROPS] 2.649, PidTagCreationTime: 0x3007, PtypTime.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from placed_microsoft365.graph.json_structs import Event

PROPERTY = "SystemTime 0x3007"
EXPAND = quote(f"singleValueExtendedProperties($filter=id eq '{PROPERTY}')", safe="$()='")


def booked_at(event: Event) -> datetime | None:
    """Returns when an event was booked; None if the property was not asked for, or is no time."""
    for one in event.single_value_extended_properties or ():
        if one.id.lower() == PROPERTY.lower() and one.value:
            try:
                moment = datetime.fromisoformat(one.value)
            except ValueError:
                return None
            return moment.astimezone(UTC) if moment.tzinfo is not None else None
    return None
