"""The control interface of the simulated host: rooms, meetings, links, faults, delay, clock."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import msgspec

from placed_icalendar.simulator.feed_host.feed_faults import Fault
from placed_icalendar.simulator.feed_host.published_room import ETag, Link
from placed_icalendar.simulator.feed_host.publisher import Publisher
from placed_simulator.control_call import ControlCall, ControlInterface, requests
from placed_simulator.relative_time import parse_length, parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed_simulator.http_messages import RequestRecord

Call = ControlCall[Publisher]


class NewRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A calendar to publish; `login` is user and password."""

    room: str
    name: str | None = None
    link: Link = "secret"
    text: str | None = None
    etag: ETag = "honoured"
    last_modified: bool = False
    gzip: bool = True
    chunked: bool = False
    stamped: bool = False
    login: tuple[str, str] | None = None


class NewMeeting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A meeting to book."""

    room: str
    start: str
    end: str
    summary: str = "Meeting"
    organizer: str = "Ada Example"
    all_day: bool = False
    private: bool = False


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a meeting is moved to."""

    start: str
    end: str


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text in place of the meetings; null publishes these again."""

    text: str | None


class Length(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A length of time, such as 1d or 90s."""

    length: str


def control_of(
    publisher: Publisher, records: list[RequestRecord], link_of: Callable[[str], str]
) -> ControlInterface[Publisher]:
    """The interface; `link_of` gives the address of a room's feed."""

    def rooms(call: Call) -> object:
        match call.key():
            case ("GET",):
                pass
            case ("POST",):
                new = msgspec.structs.asdict(call.read(NewRoom))
                call.tenant.add_room(new.pop("room"), **new)
            case ("DELETE", room):
                call.tenant.remove_room(room)
            case ("POST", room, "new-link"):
                call.tenant.new_link(room)
            case ("POST", room, "text"):
                call.tenant.write(room, call.read(Text).text)
            case _:
                raise call.unknown
        return [{"room": room.address, "link": link_of(room.address)} for room in call.tenant.rooms()]

    resources: dict[str, Callable[[Call], object]] = {
        "rooms": rooms,
        "meetings": _meetings,
        "faults": _faults,
        "delay": _delay,
        "clock": _clock,
        "requests": requests,
    }
    return ControlInterface(publisher, records, resources)


def _meetings(call: Call) -> object:
    publisher = call.tenant
    match call.key():
        case ("POST",):
            new = call.read(NewMeeting)
            start, end = (_when(publisher, text, all_day=new.all_day) for text in (new.start, new.end))
            fields = {"summary": new.summary, "organizer": new.organizer, "private": new.private}
            return {"id": publisher.book(new.room, start, end, **fields)}
        case ("POST", meeting, "move"):
            times = call.read(Times)
            start, end = (_when(publisher, text, all_day=False) for text in (times.start, times.end))
            publisher.move(meeting, start, end)
        case ("POST", meeting, "cancel"):
            publisher.cancel(meeting)
        case ("DELETE", meeting):
            publisher.delete(meeting)
        case _:
            raise call.unknown
    return None


def _when(publisher: Publisher, text: str, *, all_day: bool) -> datetime | date:
    return date.fromisoformat(text) if all_day else parse_moment(text, publisher.now())


def _faults(call: Call) -> object:
    faults = call.tenant.faults
    match call.key():
        case ("GET",):
            pass
        case ("POST",):
            return faults.add(call.read(Fault))
        case ("DELETE",):
            faults.clear()
        case _:
            raise call.unknown
    return faults.active()


def _delay(call: Call) -> object:
    if call.key() != ("POST",):
        raise call.unknown
    call.tenant.delay = parse_length(call.read(Length).length)
    return {"delay_seconds": call.tenant.delay.total_seconds()}


def _clock(call: Call) -> object:
    if call.key() != ("POST",):
        raise call.unknown
    text = call.read(Length).length
    length = parse_length(text.removeprefix("-"))
    call.tenant.clock_ahead = -length if text.startswith("-") else length
    return {"ahead_seconds": call.tenant.clock_ahead.total_seconds()}
