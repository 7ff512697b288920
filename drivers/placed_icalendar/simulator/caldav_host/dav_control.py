"""A small HTTP interface with which another process, or a person with curl, plays the server's users.

    GET    /_control/calendars                 all calendars, with their bookings and what is shared
    POST   /_control/calendars                 {"name","title","zone","person"}
    DELETE /_control/calendars/{name}
    POST   /_control/calendars/{name}/share    {"access":"read"}, or "write"; DELETE takes it back
    POST   /_control/bookings                  {"calendar","start","end","summary","organizer","rule",…},
                                               answers {"id"}
    POST   /_control/bookings/{id}/move        {"start","end"}
    POST   /_control/bookings/{id}/cancel
    DELETE /_control/bookings/{id}
    POST   /_control/account                   {"locked","digest","sees_principals",…}
    GET    /_control/faults                    POST a fault to switch it on, DELETE to switch all off
    GET    /_control/requests                  what was asked so far, DELETE to forget it

Times are `now`, `+5m`, `-1h30m`, or ISO 8601 with an offset; of an all-day booking dates. A fault has the
fields of `placed_icalendar.simulator.caldav_host.DavFault`. An error is `{"error":"…"}` with 400 or 404.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from placed_icalendar.simulator.bookings.booking_store import BookingStore, Response, ShowAs
from placed_icalendar.simulator.caldav_host.dav_account import Access, DavAccount
from placed_icalendar.simulator.caldav_host.dav_faults import DavFault, DavFaults
from placed_simulator.control_call import ControlCall, ControlInterface, requests
from placed_simulator.relative_time import parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from placed_simulator.http_messages import RequestRecord


class PlayedServer(NamedTuple):
    """What can be played."""

    store: BookingStore
    account: DavAccount
    faults: DavFaults


Call = ControlCall[PlayedServer]


class _NewCalendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    title: str | None = None
    zone: str | None = None
    person: bool = False


class _NewBooking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    calendar: str
    start: str
    end: str
    summary: str = "Meeting"
    organizer: str | None = None
    show_as: ShowAs = "busy"
    private: bool = False
    response: Response | None = None
    rule: str | None = None
    all_day: bool = False


class _Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    start: str
    end: str
    all_day: bool = False


class _Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    access: Access = "read"


class _Account(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    locked: bool | None = None
    digest: bool | None = None
    sees_principals: bool | None = None
    own_calendar: bool | None = None
    password: str | None = None
    reads_for: list[str] | None = None
    writes_for: list[str] | None = None


def control_of(server: PlayedServer, records: list[RequestRecord]) -> ControlInterface[PlayedServer]:
    """The interface of a server."""
    resources: dict[str, Callable[[Call], object]] = {
        "calendars": _calendars,
        "bookings": _bookings,
        "account": _account,
        "faults": _faults,
        "requests": requests,
    }
    return ControlInterface(server, records, resources)


def _calendars(call: Call) -> object:
    store, account = call.tenant.store, call.tenant.account
    match call.key():
        case ("GET",):
            pass
        case ("POST",):
            new = call.read(_NewCalendar)
            if new.person:
                store.add_person(new.name)
            else:
                store.add_room(new.name, new.title, zone=new.zone)
        case ("DELETE", name):
            store.calendar(name)
            store.remove(name)
        case ("POST", name, "share"):
            account.share(store.calendar(name).name, call.read(_Share).access)
        case ("DELETE", name, "share"):
            account.unshare(name)
        case _:
            raise call.unknown
    return [
        {
            "name": one.name,
            "title": one.title,
            "person": one.person,
            "shared": account.shares.get(one.name),
            "bookings": list(one.bookings.values()),
        }
        for one in store.calendars.values()
    ]


def _bookings(call: Call) -> object:
    store = call.tenant.store
    match call.key():
        case ("POST",):
            new = call.read(_NewBooking)
            booked = store.book(
                new.calendar,
                *_times(store, _Times(new.start, new.end, new.all_day)),
                summary=new.summary,
                organizer=new.organizer,
                show_as=new.show_as,
                private=new.private,
                response=new.response,
                rule=new.rule,
            )
            return {"id": booked.uid}
        case ("POST", uid, "move"):
            store.move(uid, *_times(store, call.read(_Times)))
        case ("POST", uid, "cancel"):
            store.cancel(uid)
        case ("DELETE", uid):
            store.delete(uid)
        case _:
            raise call.unknown
    return None


def _times(store: BookingStore, times: _Times) -> tuple[datetime | date, datetime | date]:
    if times.all_day:
        return date.fromisoformat(times.start), date.fromisoformat(times.end)
    return parse_moment(times.start, store.now()), parse_moment(times.end, store.now())


def _account(call: Call) -> object:
    if call.key() != ("POST",):
        raise call.unknown
    for key, value in msgspec.structs.asdict(call.read(_Account)).items():
        if value is not None:
            setattr(call.tenant.account, key, value)
    return None


def _faults(call: Call) -> object:
    faults = call.tenant.faults
    match call.key():
        case ("GET",):
            pass
        case ("POST",):
            faults.add(call.read(DavFault))
        case ("DELETE",):
            faults.clear()
        case _:
            raise call.unknown
    return faults.active()
