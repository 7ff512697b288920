"""Whether the settings of a connection name the time zone of its rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed.driver import ConnectionSettings


def default_zone(settings: ConnectionSettings) -> str | None:
    """Returns the IANA name of the zone that rooms have if nobody sets one; None if the settings name one."""
    return None if "time_zone" in settings.model_fields_set else settings.time_zone.key
