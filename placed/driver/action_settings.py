"""The tables `actions`, `check_in` and `no_show` of a connection."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from placed.domain.action import Action
from placed.domain.presence import SensorKind
from placed.driver.setting_values import Duration, Table, above_zero

PositiveDuration = Annotated[Duration, AfterValidator(above_zero)]


class ActionSettings(Table):
    """What panels may do to the rooms of a connection. A driver's table adds the credential."""

    allow: frozenset[Action] = Field(
        default=frozenset(), description="Which actions are allowed: check-in, end, extend, book."
    )
    longest: PositiveDuration = Field(
        default=timedelta(hours=2),
        description="The longest booking that a panel may make, extensions included.",
    )
    end: Literal["shorten", "decline"] = Field(
        default="shorten",
        description="How a meeting ends early: its end becomes now, or the room declines it, of which the "
        "organizer is notified.",
    )
    subject: str = Field(
        default="Booked at the room",
        min_length=1,
        max_length=200,
        description="The subject of a booking that was made at a panel.",
    )
    comment: str = Field(
        default="The room was released because nobody checked in.",
        max_length=1000,
        description="What the organizer is sent with a room's release.",
    )
    end_comment: str = Field(
        default="The meeting was ended at the room.",
        max_length=1000,
        description='What the organizer is sent where `end` is "decline".',
    )


class CheckInSettings(Table):
    """Whether a meeting waits for a check-in, and when one is accepted."""

    required: bool = Field(
        default=True, description="Whether rooms are `pending` from the start of a meeting until checked in."
    )
    before: PositiveDuration = Field(
        default=timedelta(minutes=10),
        alias="from",
        description="How long before its start a meeting can be checked in.",
    )
    after: PositiveDuration = Field(
        default=timedelta(minutes=10),
        description="How long after its start; then a room is busy, or counts as a no-show.",
    )


class NoShowExemptions(Table):
    """Meetings that are never released."""

    longer_than: PositiveDuration | None = Field(
        default=timedelta(hours=3), description="Meetings longer than this."
    )
    all_day: bool = Field(default=True, description="All-day meetings.")
    booked_within: Duration | None = Field(
        default=timedelta(hours=2), description="Meetings that were booked less than this before their start."
    )
    private: bool = Field(default=True, description="Private meetings.")


class NoShowSettings(Table):
    """What happens to a meeting that nobody checked in to."""

    mode: Literal["rehearse", "release"] = Field(
        default="rehearse", description="rehearse reports what it would do; release does it."
    )
    exempt: NoShowExemptions = NoShowExemptions()
    at_most: int = Field(default=5, ge=1, description="Releases an hour; beyond it none is made.")
    release_by: frozenset[SensorKind] = Field(
        default=frozenset((SensorKind.RADAR, SensorKind.COUNTER, SensorKind.THERMAL)),
        description="Kinds of sensors of which one is enough to find a room empty that has no panel; two of "
        "any kind are always enough.",
    )
