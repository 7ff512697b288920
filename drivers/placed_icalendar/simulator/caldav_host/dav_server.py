"""The simulated CalDAV server on a socket: TLS on loopback, Basic authentication, and faults of HTTP."""

from __future__ import annotations

import asyncio
import base64
from email.utils import format_datetime
from typing import TYPE_CHECKING

from aiohttp import web

from placed_icalendar.simulator.caldav_host.dav_account import DavAccount
from placed_icalendar.simulator.caldav_host.dav_control import PlayedServer, control_of
from placed_icalendar.simulator.caldav_host.dav_faults import DavFaults, Kind, Where
from placed_icalendar.simulator.caldav_host.dav_service import CALENDARS, ROOT, DavCall, DavService
from placed_icalendar.simulator.caldav_host.dav_xml import read_query
from placed_simulator.control_call import PREFIX as CONTROL
from placed_simulator.http_messages import DROPPED, HTML, Reply, RequestRecord
from placed_simulator.loopback_server import LoopbackServer, cut

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from pathlib import Path

    from placed_icalendar.simulator.bookings.booking_store import BookingStore
    from placed_icalendar.simulator.caldav_host.dav_faults import DavFault

WELL_KNOWN = "/.well-known/caldav"
_PAGE = b"<!DOCTYPE html><html><body>Please sign in</body></html>"
_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    b'<d:multistatus xmlns:d="DAV:"><d:response><d:href>&c;</d:href></d:response></d:multistatus>'
)
_FAULTS = {Kind.STATUS, Kind.HTML, Kind.DROP, Kind.DELAY, Kind.TRUNCATED, Kind.ENTITIES}


class CalDavHost(LoopbackServer):
    """A server for one account, for the time of an `async with`.

    Attributes:
        store: the calendars.
        account: who may ask.
        faults: what goes wrong.
        service: what answers.
        scheduling: whether it sends invitations itself (RFC 6638).
    """

    def __init__(
        self,
        store: BookingStore,
        *,
        account: DavAccount | None = None,
        port: int = 0,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        directory: Path | None = None,
    ) -> None:
        """Make it ready; `sleep` waits for delayed answers, `directory` keeps the CA file after the end."""
        super().__init__(port=port, directory=directory)
        self.store = store
        self.account = account or DavAccount()
        self.faults = DavFaults()
        self.service = DavService(store, self.account, self.faults)
        self.scheduling = False
        self._sleep = sleep

    def open_services(self) -> None:
        """The control interface; nothing else depends on the address."""
        self._control = control_of(PlayedServer(self.store, self.account, self.faults), self.requests)

    @property
    def home_url(self) -> str:
        """The address of the account's home."""
        return f"{self.url}{self.service.home}"

    def url_of_person(self, name: str) -> str:
        """The address of a person's calendar: a canary."""
        return f"{self.url}{CALENDARS}{name}/calendar/"

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to a request."""
        target, moment = request.raw_path, self.store.now()
        body = await request.read()
        if target.startswith(CONTROL):
            played = self._control.answer(request.method, target, body)
            return web.Response(status=played.status, body=played.body, content_type=played.content_type)
        reply = await self._answer(request.method, target, request.headers, body)
        self.log(RequestRecord(moment, request.method, target, reply.status))
        if reply.dropped and request.transport is not None:
            cut(request.transport)
        date = self.faults.take({Kind.DATE}, {Where.SERVER})
        headers = {
            "DAV": "1, 3, calendar-access" + (", calendar-auto-schedule" if self.scheduling else ""),
            "Date": format_datetime(moment, usegmt=True) if date is None else date.detail,
            **dict(reply.headers),
        }
        if reply.body:
            headers["Content-Type"] = reply.content_type
        return web.Response(status=reply.status or 200, body=reply.body, headers=headers)

    async def _answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        path = target.partition("?")[0]
        where = Where.CALENDAR if method == "REPORT" else Where.HOME
        fault = self.faults.take(_FAULTS, {where, Where.SERVER}, self._calendar_in(path))
        if fault is not None and fault.kind is Kind.DELAY:
            await self._sleep(fault.seconds)
        elif fault is not None and fault.kind is not Kind.TRUNCATED:
            return _faulty(fault)
        reply = self._served(method, path, headers, body)
        if fault is not None and fault.kind is Kind.TRUNCATED:
            return Reply(reply.status, reply.body[: len(reply.body) // 2], reply.content_type)
        return reply

    def _served(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """The answer without faults of HTTP."""
        query = read_query(body)
        if path == WELL_KNOWN:
            return Reply(301, headers=(("Location", ROOT),))
        if not self._signed_in(headers):
            scheme = "Digest" if self.account.digest else "Basic"
            return Reply(401, b"sign in", headers=(("WWW-Authenticate", f'{scheme} realm="calendars"'),))
        if method not in ("PROPFIND", "REPORT"):
            return Reply(405, headers=(("Allow", "OPTIONS, PROPFIND, REPORT"),))
        if query is None:
            return Reply(400, b"no XML", "text/plain")
        return self.service.answer(DavCall(method, path, headers.get("Depth", "0"), query))

    def _calendar_in(self, path: str) -> str | None:
        """The name of the calendar that is asked, as faults name it."""
        *_, owner, name = ("", *path.rstrip("/").split("/"))
        name = owner if name == "calendar" else name
        return name if name in self.store.calendars else None

    def _signed_in(self, headers: Mapping[str, str]) -> bool:
        account = self.account
        expected = base64.b64encode(f"{account.user}:{account.password}".encode()).decode()
        given = headers.get("Authorization", "") == f"Basic {expected}"
        return given and not account.locked and not account.digest


def _faulty(fault: DavFault) -> Reply:
    """The answer in place of the right one."""
    match fault.kind:
        case Kind.DROP:
            return DROPPED
        case Kind.HTML:
            return Reply(fault.status, _PAGE, HTML)
        case Kind.ENTITIES:
            return Reply(207, _BOMB, "application/xml")
        case _:
            rest = () if fault.retry_after is None else (("Retry-After", fault.retry_after),)
            return Reply(fault.status, b"error", "text/plain", rest)
