"""A building out of a TOML file: rooms, people, and a day of meetings relative to the start."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

import msgspec

from placed_simulator.relative_time import parse_length, parse_moment

if TYPE_CHECKING:
    from pathlib import Path

ShowAs = Literal["busy", "tentative", "free"]
Response = Literal["accepted", "tentative", "declined", "unanswered"]


class ScenarioRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A room; `keeps_subject` and `keeps_private` are for services that change both when it is booked."""

    mailbox: str
    name: str
    building: str | None = None
    floor: int | None = None
    capacity: int | None = None
    keeps_subject: bool = False
    keeps_private: bool = False


class ScenarioPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody with a calendar outside of the fence."""

    mailbox: str
    name: str


class ScenarioMeeting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A meeting; `start` and `length` as in `relative_time`, or a `day` for an all-day one, 0 being today."""

    room: str
    start: str = "now"
    length: str = "30m"
    day: int | None = None
    subject: str = "Meeting"
    organizer: str = "Ada Example"
    show_as: ShowAs = "busy"
    private: bool = False
    response: Response = "accepted"
    cancelled: bool = False

    def times(self, start: datetime) -> tuple[datetime, datetime] | tuple[date, date]:
        """From when to when, if the building's day begins around `start`; of an all-day one dates."""
        if self.day is not None:
            day = (start + timedelta(days=self.day)).date()
            return day, day + timedelta(days=1)
        begin = parse_moment(self.start, start)
        return begin, begin + parse_length(self.length)


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole building; `group` is the group and `room_list` the list of all its rooms, if there are such."""

    domain: str | None = None
    group: str = "placed-rooms"
    room_list: str = "rooms"
    rooms: tuple[ScenarioRoom, ...] = ()
    people: tuple[ScenarioPerson, ...] = ()
    meetings: tuple[ScenarioMeeting, ...] = ()


def load_scenario(path: Path | None = None) -> Scenario:
    """Read a scenario; without a path the building that comes with the package.

    Raises:
        ValueError: the file is no TOML, or has keys or values that a scenario does not have.
        OSError: it cannot be read.
    """
    source = path if path is not None else files(__package__).joinpath("building.toml")
    return msgspec.convert(tomllib.loads(source.read_text(encoding="utf-8")), Scenario)
