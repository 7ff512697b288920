"""Settings of rooms: what counts as occupied, what may be shown, and values of single rooms."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from placed.domain.model import ShowPresence
from placed.domain.privacy import Show
from placed.driver import TimeZone
from placed.driver.setting_values import Duration, Table, above_zero, as_text


class Occupancy(Table):
    """How occupancy is computed from the meetings."""

    lead: Duration = Field(
        default=timedelta(minutes=5),
        description="The time before its next meeting in which a free room is `starting`.",
    )
    busy_for: frozenset[Literal["busy", "tentative", "oof", "workingElsewhere"]] = Field(
        default=frozenset(("busy", "tentative", "oof", "workingElsewhere")),
        description="Which meetings occupy a room, by their status: busy, tentative, oof, workingElsewhere.",
    )
    stale_after: Annotated[Duration, AfterValidator(above_zero)] | None = Field(
        default=None,
        description="A room that was not read for this time is shown as stale. By default three intervals.",
    )
    expire_after: Annotated[Duration, AfterValidator(above_zero)] = Field(
        default=timedelta(minutes=15),
        description="A room that was not read for this time is unknown.",
    )
    offline_grace: Duration = Field(
        default=timedelta(),
        description="While the calendar service cannot be reached, the last readings are published as stale "
        "for this time, if it is longer than `expire_after`.",
    )


class Privacy(Table):
    """Which details of a meeting are published."""

    show: Show = Field(
        default=Show.NOTHING,
        description="nothing, organizer, title or everything (both). A private meeting never shows either.",
    )
    presence: ShowPresence = Field(
        default=ShowPresence.STATE,
        description="What is shown of the presence in rooms: nothing, state, or count (with the number).",
    )


class RoomSettings(Table):
    """The settings of one room; they override the values of the calendar service."""

    id: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9_-]+$",
        description="The room's id in topics and addresses: a-z, 0-9, - and _.",
    )
    name: str | None = Field(default=None, description="The room's display name.")
    building: str | None = Field(default=None, description="The building's name.")
    floor: Annotated[str, BeforeValidator(as_text)] | None = Field(
        default=None, description="The floor's name or number."
    )
    capacity: int | None = Field(default=None, ge=0, description="The number of seats.")
    time_zone: TimeZone | None = Field(default=None, description="The room's IANA time zone.")
    presence: ShowPresence | None = Field(
        default=None,
        description="What is shown of its presence; by default that of [privacy], and nothing for one seat.",
    )
