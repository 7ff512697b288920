"""What the simulated CalDAV server answers: discovery and properties, by what an account may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from placed_icalendar.simulator.caldav_host import dav_xml as xml
from placed_icalendar.simulator.caldav_host.calendar_query import XML, CalendarQueries, respelled
from placed_icalendar.simulator.caldav_host.dav_faults import Kind, Where
from placed_icalendar.simulator.caldav_host.dav_xml import CALDAV, CALENDAR_SERVER, DAV, PropResponse
from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from placed_icalendar.simulator.bookings.booking_store import BookingStore, StoredCalendar
    from placed_icalendar.simulator.caldav_host.dav_account import DavAccount
    from placed_icalendar.simulator.caldav_host.dav_faults import DavFaults
    from placed_icalendar.simulator.caldav_host.dav_xml import DavQuery

ROOT = "/dav/"
PRINCIPALS = "/dav/principals/"
CALENDARS = "/dav/calendars/"
OWN = "personal"
_READ = ("read", "read-current-user-privilege-set")
_WRITE = (*_READ, "write", "write-content", "bind", "unbind")


@dataclass(frozen=True, slots=True)
class DavCall:
    """A request of a signed-in account."""

    method: str
    path: str
    depth: str
    query: DavQuery


class DavService:
    """The server without its socket.

    Attributes:
        queries: answers questions for bookings.
    """

    def __init__(self, store: BookingStore, account: DavAccount, faults: DavFaults) -> None:
        self._store = store
        self._account = account
        self._faults = faults
        self._frozen: dict[str, int] = {}  # revisions
        self._answers = 0
        self.queries = CalendarQueries(faults)

    @property
    def home(self) -> str:
        """Path of the account's home."""
        return f"{CALENDARS}{self._account.user}/"

    def answer(self, call: DavCall) -> Reply:
        """Answers PROPFIND and REPORT."""
        self._answers += 1
        if call.method == "REPORT":
            path = unquote(call.path).rstrip("/") + "/"
            calendar = self._visible(path)
            return _NOT_FOUND if calendar is None else self.queries.answer(path, calendar, call.query)
        found = self._resources(call)
        return (
            _NOT_FOUND if found is None else Reply(207, xml.multistatus(respelled(found, self._faults)), XML)
        )

    # --- PROPFIND ---

    def _resources(self, call: DavCall) -> list[PropResponse] | None:
        """The resource that was asked for, and with depth 1 what is in it; None if it may not be seen."""
        path = unquote(call.path).rstrip("/") + "/"
        if path in ("/", ROOT):
            return [
                self._select(
                    call, path, {**self._of_everything(), f"{{{DAV}}}resourcetype": "<d:collection/>"}
                )
            ]
        if path == PRINCIPALS:
            return self._principals(call)
        if path.startswith(PRINCIPALS):
            user = path.removeprefix(PRINCIPALS).rstrip("/")
            account = self._account
            visible = user == account.user or user in account.shares or account.sees_principals
            return [self._select(call, path, self._principal(user))] if visible else None
        if path == self.home:
            own = {**self._of_everything(), f"{{{DAV}}}resourcetype": "<d:collection/>"}
            below = [] if call.depth == "0" else self._listed(call)
            return [self._select(call, path, own), *below]
        user = path.removeprefix(CALENDARS).rstrip("/")
        if path.startswith(CALENDARS) and "/" not in user:
            return self._home_of_another(call, user)
        calendar = self._visible(path)
        return None if calendar is None else [self._of_calendar(call, path, calendar)]

    def _principals(self, call: DavCall) -> list[PropResponse] | None:
        if not self._account.sees_principals:
            return None
        people = [one.name for one in self._store.calendars.values() if one.person]
        users = [self._account.user, *people] if call.depth == "1" else []
        return [
            self._select(call, PRINCIPALS, {f"{{{DAV}}}resourcetype": "<d:collection/>"}),
            *(self._select(call, f"{PRINCIPALS}{user}/", self._principal(user)) for user in users),
        ]

    def _principal(self, user: str) -> dict[str, str]:
        account = self._account
        found = {
            f"{{{DAV}}}resourcetype": "<d:principal/>",
            f"{{{CALDAV}}}calendar-user-address-set": xml.href(f"{PRINCIPALS}{user}/")
            + xml.href(f"mailto:{user}@simulator.example"),
            **self._of_everything(),
        }
        if account.names_home:
            found[f"{{{CALDAV}}}calendar-home-set"] = xml.href(f"{account.home_at}{CALENDARS}{user}/")
        if user == account.user:
            for name, people in (("read", account.reads_for), ("write", account.writes_for)):
                inner = "".join(xml.href(f"{PRINCIPALS}{person}/") for person in people)
                found[f"{{{CALENDAR_SERVER}}}calendar-proxy-{name}-for"] = inner
        return found

    def _home_of_another(self, call: DavCall, user: str) -> list[PropResponse] | None:
        """The home of a person, which is there only if the person's calendar is shared with the account."""
        if user not in self._account.shares or not self._store.calendars[user].person:
            return None
        path = f"{CALENDARS}{user}/"
        own = self._select(call, path, {f"{{{DAV}}}resourcetype": "<d:collection/>"})
        if call.depth == "0":
            return [own]
        return [own, self._of_calendar(call, f"{path}calendar/", self._store.calendars[user])]

    def _listed(self, call: DavCall) -> list[PropResponse]:
        found = [
            self._of_calendar(call, f"{self.home}{quote(name)}/", self._store.calendars[name])
            for name in self._account.shares
            if name in self._store.calendars and not self._store.calendars[name].person
        ]
        if self._account.own_calendar:
            path = f"{self.home}{OWN}/"
            inner = {
                f"{{{DAV}}}resourcetype": "<d:collection/><c:calendar/>",
                f"{{{DAV}}}displayname": "Personal",
                f"{{{DAV}}}owner": xml.href(f"{PRINCIPALS}{self._account.user}/"),
                f"{{{CALENDAR_SERVER}}}getctag": "own",
            }
            found.append(self._select(call, path, inner))
        # What is in the homes of many servers, and no calendar of events.
        tasks = {f"{{{DAV}}}resourcetype": "<d:collection/><c:calendar/>"}
        tasks[f"{{{CALDAV}}}supported-calendar-component-set"] = '<c:comp name="VTODO"/>'
        inbox = {f"{{{DAV}}}resourcetype": "<d:collection/><c:schedule-inbox/>"}
        found.append(self._select(call, f"{self.home}tasks/", tasks))
        found.append(self._select(call, f"{self.home}inbox/", inbox))
        return found

    def _of_calendar(self, call: DavCall, path: str, calendar: StoredCalendar) -> PropResponse:
        fault = self._faults.take({Kind.RESPONSE}, {Where.HOME}, calendar.name, exact=True)
        if fault is not None:
            return PropResponse(path, status=fault.status)
        privileges = _WRITE if self._account.shares.get(calendar.name) == "write" else _READ
        inner = {
            f"{{{DAV}}}resourcetype": "<d:collection/><c:calendar/>",
            f"{{{DAV}}}displayname": xml.text(calendar.title),
            f"{{{DAV}}}owner": xml.href(f"{PRINCIPALS}{calendar.name}/"),
            f"{{{CALDAV}}}supported-calendar-component-set": '<c:comp name="VEVENT"/><c:comp name="VTODO"/>',
            f"{{{DAV}}}current-user-privilege-set": "".join(
                f"<d:privilege><d:{name}/></d:privilege>" for name in privileges
            ),
            **self._tags(calendar),
            **self._of_everything(),
        }
        if calendar.zone is not None:
            lines = (
                "BEGIN:VCALENDAR",
                "BEGIN:VTIMEZONE",
                f"TZID:{calendar.zone}",
                "END:VTIMEZONE",
                "END:VCALENDAR",
            )
            inner[f"{{{CALDAV}}}calendar-timezone"] = xml.text("\r\n".join(lines))
        response = self._select(call, path, inner)
        refused = self._faults.on(Kind.SYNC_TOKEN, calendar.name)
        if refused is not None and response.properties.pop(f"{{{DAV}}}sync-token", None) is not None:
            response.refused[f"{{{DAV}}}sync-token"] = refused.status
        return response

    def _tags(self, calendar: StoredCalendar) -> dict[str, str]:
        if self._faults.on(Kind.NO_TAG, calendar.name) is not None:
            return {}
        number = calendar.revision
        if self._faults.on(Kind.FROZEN_TAG, calendar.name) is not None:
            number = self._frozen.setdefault(calendar.name, number)
        else:
            self._frozen.pop(calendar.name, None)
        tag = (
            f"{number}-{self._answers}" if self._faults.on(Kind.RESTLESS_TAG, calendar.name) else f"{number}"
        )
        return {
            f"{{{CALENDAR_SERVER}}}getctag": tag,
            f"{{{DAV}}}sync-token": f"http://simulator.example/sync/{tag}",
        }

    def _of_everything(self) -> dict[str, str]:
        """Properties that every resource has."""
        found = {f"{{{DAV}}}principal-collection-set": xml.href(PRINCIPALS)}
        if self._account.names_principal:
            found[f"{{{DAV}}}current-user-principal"] = xml.href(f"{PRINCIPALS}{self._account.user}/")
        return found

    def _select(self, call: DavCall, path: str, inner: dict[str, str]) -> PropResponse:
        """The properties that were asked for; what there is not has 404."""
        response = PropResponse(quote(path, safe="/%@!$&'()*+,;=:-._~"))
        for name in call.query.names:
            if name in inner:
                response.properties[name] = inner[name]
            else:
                response.refused[name] = 404
        return response

    def _visible(self, path: str) -> StoredCalendar | None:
        """The calendar at a path, if it is shared with the account."""
        user, _, name = path.removeprefix(CALENDARS).rstrip("/").partition("/")
        if not path.startswith(CALENDARS):
            return None
        if user != self._account.user:
            calendar = self._store.calendars.get(user)
            shared = user in self._account.shares and name == "calendar"
            return calendar if shared and calendar is not None and calendar.person else None
        return self._store.calendars.get(name) if name in self._account.shares else None


_NOT_FOUND = Reply(404, b"not found", "text/plain")
