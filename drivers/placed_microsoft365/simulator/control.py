"""A small HTTP interface with which another process, or a person with curl, plays the tenant.

    GET    /_control/rooms                     all rooms, with their meetings
    POST   /_control/rooms                     {"room","name","building","floor","capacity","groups":[…]}
    DELETE /_control/rooms/{room}
    POST   /_control/meetings                  {"room","start","end","subject","show_as",…}, answers {"id"}
    POST   /_control/meetings/{id}/move        {"start","end"}
    POST   /_control/meetings/{id}/cancel      also /decline, /accept
    DELETE /_control/meetings/{id}
    GET    /_control/faults                    POST a fault to switch it on, DELETE to switch all off
    GET    /_control/requests                  what was asked so far, DELETE to forget it
    GET    /_control/apps                      what is registered
    POST   /_control/apps/{client_id}/grant    {"roles":[…]}, also /revoke
    POST   /_control/apps/{client_id}/expire-secrets     also /expire-tokens

Times are `now`, `+5m`, `-1h30m`, or ISO 8601 with an offset; of an all-day meeting dates. A fault has the
fields of `placed_microsoft365.simulator.faults.Fault`. An error is `{"error":"…"}` with 400 or 404. There is
no access control: the server listens on loopback only, and there is nothing to protect.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from placed_microsoft365.simulator.faults import Fault
from placed_microsoft365.simulator.mailboxes import Meeting, Response, Sensitivity, ShowAs, SimRoom
from placed_microsoft365.simulator.relative_time import parse_moment
from placed_microsoft365.simulator.wire import JSON, Reply, Request, RequestRecord

if TYPE_CHECKING:
    from placed_microsoft365.simulator.tenant import Tenant

PREFIX = "/_control/"


class NewRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A room to add; `groups` it becomes a member of."""

    room: str
    name: str | None = None
    building: str | None = None
    floor: int | None = None
    capacity: int | None = None
    groups: tuple[str, ...] = ()


class NewMeeting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A meeting to book."""

    room: str
    start: str
    end: str
    subject: str = "Meeting"
    organizer: str = "Ada Example"
    show_as: ShowAs = "busy"
    sensitivity: Sensitivity = "normal"
    all_day: bool = False
    response: Response = "accepted"


class Times(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a meeting is moved to."""

    start: str
    end: str


class Roles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """App roles to grant or to revoke."""

    roles: tuple[str, ...]


class RoomState(msgspec.Struct, frozen=True):
    """A room as it is listed."""

    room: SimRoom
    meetings: list[Meeting]


class AppState(msgspec.Struct, frozen=True):
    """An app as it is listed."""

    client_id: str
    name: str
    roles: list[str]


class Control:
    """Answers below `/_control` for one tenant and its request log."""

    def __init__(self, tenant: Tenant, requests: list[RequestRecord]) -> None:
        self._tenant = tenant
        self._requests = requests

    def answer(self, request: Request) -> Reply:
        """Do what is asked; `target` is the whole path."""
        parts = [unquote(part) for part in urlsplit(request.target).path.removeprefix(PREFIX).split("/")]
        try:
            result = self._do((request.method, *parts), request.body or b"{}")
        except LookupError as error:
            return _reply(404, {"error": str(error)})
        except ValueError as error:
            return _reply(400, {"error": str(error)})
        return _reply(200, result)

    def _do(self, call: tuple[str, ...], body: bytes) -> object:  # noqa: PLR0911 - one for each route
        tenant = self._tenant
        match call:
            case ("GET", "rooms"):
                return [RoomState(room, tenant.meetings(room)) for room in tenant.rooms()]
            case ("POST", "rooms"):
                return self._add_room(msgspec.json.decode(body, type=NewRoom))
            case ("DELETE", "rooms", room):
                tenant.remove_room(room)
            case ("POST", "meetings"):
                return {"id": self._book(msgspec.json.decode(body, type=NewMeeting))}
            case (_, "meetings", *rest):
                self._change((call[0], *rest), body)
            case (_, "faults"):
                return self._faults(call[0], body)
            case ("GET", "requests"):
                return self._requests
            case ("DELETE", "requests"):
                self._requests.clear()
            case (_, "apps", *rest):
                return self._apps((call[0], *rest), body)
            case _:
                raise LookupError(f"there is no {call[0]} {PREFIX}{'/'.join(call[1:])}")
        return {}

    def _add_room(self, new: NewRoom) -> SimRoom:
        groups = [self._tenant.group(group) for group in new.groups]
        room = self._tenant.add_room(
            new.room, name=new.name, building=new.building, floor=new.floor, capacity=new.capacity
        )
        for group in groups:
            self._tenant.add_member(group, room)
        return room

    def _book(self, new: NewMeeting) -> str:
        return self._tenant.book(
            new.room,
            self._moment(new.start, all_day=new.all_day),
            self._moment(new.end, all_day=new.all_day),
            subject=new.subject,
            organizer=new.organizer,
            show_as=new.show_as,
            sensitivity=new.sensitivity,
            all_day=new.all_day,
            response=new.response,
        )

    def _change(self, call: tuple[str, ...], body: bytes) -> None:
        tenant = self._tenant
        match call:
            case ("POST", meeting, "move"):
                times = msgspec.json.decode(body, type=Times)
                all_day = tenant.meeting(meeting).all_day
                start, end = (self._moment(text, all_day=all_day) for text in (times.start, times.end))
                tenant.move(meeting, start, end)
            case ("POST", meeting, "cancel"):
                tenant.cancel(meeting)
            case ("POST", meeting, "decline"):
                tenant.decline(meeting)
            case ("POST", meeting, "accept"):
                tenant.respond(meeting, "accepted")
            case ("DELETE", meeting):
                tenant.delete(meeting)
            case _:
                raise LookupError(f"there is no {call[0]} {PREFIX}meetings/{'/'.join(call[1:])}")

    def _faults(self, method: str, body: bytes) -> object:
        faults = self._tenant.faults
        if method == "POST":
            return faults.add(msgspec.json.decode(body, type=Fault))
        if method == "DELETE":
            faults.clear()
        return faults.active()

    def _apps(self, call: tuple[str, ...], body: bytes) -> object:
        tenant = self._tenant
        if call == ("GET",):
            now = tenant.now()
            return [AppState(app.client_id, app.name, app.granted(now)) for app in tenant.apps.values()]
        app = tenant.apps.get(call[1].lower()) if len(call) == len(("POST", "id", "verb")) else None
        if app is None:
            raise LookupError(f"there is no app {'/'.join(call[1:])!r}")
        match call[2]:
            case "grant":
                tenant.grant(app, *msgspec.json.decode(body, type=Roles).roles)
            case "revoke":
                tenant.revoke(app, *msgspec.json.decode(body, type=Roles).roles)
            case "expire-secrets":
                tenant.expire_secrets(app)
            case "expire-tokens":
                tenant.expire_tokens(app)
            case verb:
                raise LookupError(f"an app can not {verb!r}")
        return AppState(app.client_id, app.name, app.granted(tenant.now()))

    def _moment(self, text: str, *, all_day: bool) -> datetime | date:
        return date.fromisoformat(text) if all_day else parse_moment(text, self._tenant.now())


def _reply(status: int, result: object) -> Reply:
    return Reply(status, msgspec.json.encode(result), JSON)
