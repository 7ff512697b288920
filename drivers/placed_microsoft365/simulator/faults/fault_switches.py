"""Switches that make the simulated services misbehave.

`tenant.faults` has a method for each fault that is often used; all of them call `add`, which returns the
fault so that `remove` can switch it off.
"""

from __future__ import annotations

from dataclasses import replace

from placed_microsoft365.simulator.faults.fault import MOVING, Fault, Kind, Where
from placed_simulator.fault_switches import FaultSwitches


class Faults(FaultSwitches[Fault]):
    """The faults that are switched on."""

    def __init__(self, domain: str) -> None:
        super().__init__()
        self.domain = domain

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on. A room without a domain is one of the tenant's."""
        if fault.room is not None:
            room = fault.room.lower()
            fault = replace(fault, room=room if "@" in room else f"{room}@{self.domain}")
        return super().add(fault)

    def status(  # noqa: PLR0913 - an error answer has this many parts
        self,
        status: int,
        *,
        code: str = "ErrorServerBusy",
        message: str = "The server is busy. Please try again later.",
        retry_after: str | None = None,
        room: str | None = None,
        times: int | None = None,
        where: Where = Where.CALENDAR,
    ) -> Fault:
        """An error answer, with `Retry-After` as given (`"3"`, `"2.128"`, an HTTP date, `"soon"`)."""
        return self.add(
            Fault(
                kind=Kind.STATUS,
                where=where,
                room=room,
                times=times,
                status=status,
                code=code,
                message=message,
                retry_after=retry_after,
            )
        )

    def throttled(
        self,
        *,
        retry_after: str | None = "2.128",
        room: str | None = None,
        times: int | None = None,
        where: Where = Where.CALENDAR,
    ) -> Fault:
        """429 with `Retry-After`, whatever the limits are."""
        return self.status(
            429,
            code="TooManyRequests",
            message="Too many requests.",
            retry_after=retry_after,
            room=room,
            times=times,
            where=where,
        )

    def forbidden(self, *, room: str | None = None, times: int | None = None) -> Fault:
        """403 `ErrorAccessDenied` without the text of an access policy."""
        message = "Access is denied. Check credentials and try again."
        return self.status(403, code="ErrorAccessDenied", message=message, room=room, times=times)

    def html(
        self,
        *,
        status: int = 502,
        room: str | None = None,
        times: int | None = None,
        where: Where = Where.CALENDAR,
    ) -> Fault:
        """The page of a gateway in place of JSON."""
        return self.add(Fault(kind=Kind.HTML, where=where, room=room, times=times, status=status))

    def empty(
        self,
        *,
        status: int = 200,
        room: str | None = None,
        times: int | None = None,
        where: Where = Where.CALENDAR,
    ) -> Fault:
        """An answer without a body."""
        return self.add(Fault(kind=Kind.EMPTY, where=where, room=room, times=times, status=status))

    def bomb(self, *, times: int | None = None, where: Where = Where.LOGIN) -> Fault:
        """200, and gzip of more than any client should unpack."""
        return self.add(Fault(kind=Kind.BOMB, where=where, times=times))

    def truncated(
        self, *, room: str | None = None, times: int | None = None, where: Where = Where.CALENDAR
    ) -> Fault:
        """JSON that breaks off; in a batch the whole answer does, so it is an item without events there."""
        return self.add(Fault(kind=Kind.TRUNCATED, where=where, room=room, times=times))

    def wrong_types(
        self, detail: str = "value_is_object", *, room: str | None = None, times: int | None = None
    ) -> Fault:
        """A calendar answer of other types than promised, see `WRONG_TYPES`."""
        return self.add(Fault(kind=Kind.WRONG_TYPES, room=room, times=times, detail=detail))

    def bad_event(
        self, detail: str = "missing_start", *, room: str | None = None, times: int | None = None
    ) -> Fault:
        """One malformed event beside the good ones, see `BAD_EVENTS`."""
        return self.add(Fault(kind=Kind.BAD_EVENT, room=room, times=times, detail=detail))

    def odd_events(
        self, detail: str = "ends_at_23_59", *, room: str | None = None, times: int | None = None
    ) -> Fault:
        """All events as they are, described oddly, see `ODD_EVENTS`."""
        return self.add(Fault(kind=Kind.ODD_EVENTS, room=room, times=times, detail=detail))

    def endless(self, *, room: str | None = None, times: int | None = None, moving: bool = False) -> Fault:
        """Each page links to another, without end (msgraph-sdk-dotnet issue 3082); `moving`: to a new one."""
        return self.add(Fault(kind=Kind.ENDLESS, room=room, times=times, detail=MOVING if moving else ""))

    def lacking(
        self, *rooms: str, where: Where = Where.GROUPS, times: int | None = None
    ) -> tuple[Fault, ...]:
        """The members of groups, or places, are listed without these rooms, or without any; status 200."""
        addresses = [room if "@" in room else f"{room}@{self.domain}" for room in rooms] or [""]
        return tuple(
            self.add(Fault(kind=Kind.LACKING, where=where, times=times, detail=address.lower()))
            for address in addresses
        )

    def no_next_link(self, *, where: Where = Where.PLACES, times: int | None = None) -> Fault:
        """A full page does not link to the next (microsoft-graph-docs issues 6427, 9923)."""
        return self.add(Fault(kind=Kind.NO_NEXT_LINK, where=where, times=times))

    def missing_item(self, *, room: str | None = None, times: int | None = None) -> Fault:
        """A batch leaves the room's item out of its answer; without a room the first one's."""
        return self.add(Fault(kind=Kind.MISSING_ITEM, where=Where.BATCH, room=room, times=times))

    def duplicate_item(self, *, times: int | None = None) -> Fault:
        """A batch answers its first item twice."""
        return self.add(Fault(kind=Kind.DUPLICATE_ITEM, where=Where.BATCH, times=times))

    def unknown_item(self, *, times: int | None = None) -> Fault:
        """A batch answers an item that nobody asked for."""
        return self.add(Fault(kind=Kind.UNKNOWN_ITEM, where=Where.BATCH, times=times))

    def drop(self, *, room: str | None = None, times: int | None = None, where: Where = Where.GRAPH) -> Fault:
        """The connection is cut without an answer."""
        return self.add(Fault(kind=Kind.DROP, where=where, room=room, times=times))

    def delay(
        self,
        seconds: float,
        *,
        room: str | None = None,
        times: int | None = None,
        where: Where = Where.CALENDAR,
    ) -> Fault:
        """The answer comes so much later; a place among the concurrent requests is held meanwhile."""
        return self.add(Fault(kind=Kind.DELAY, where=where, room=room, times=times, seconds=seconds))

    def token_refused(
        self, message: str = "Lifetime validation failed, the token is expired.", *, times: int | None = 1
    ) -> Fault:
        """401 `InvalidAuthenticationToken` though the token is good, batches included."""
        return self.add(Fault(kind=Kind.TOKEN, where=Where.GRAPH, times=times, detail=message))

    def lost_answer(self, *, status: int = 0, room: str | None = None, times: int | None = None) -> Fault:
        """A change is done, but the connection is cut; with a status a gateway answers in its place."""
        return self.add(
            Fault(kind=Kind.LOST_ANSWER, where=Where.WRITE, room=room, times=times, status=status)
        )

    def date(
        self, text: str, *, age: str | None = None, times: int | None = None, where: Where = Where.GRAPH
    ) -> Fault:
        """`Date` holds this text, as of a wrong clock or of a cache; a cache may send `Age`, too."""
        return self.add(Fault(kind=Kind.DATE, where=where, times=times, detail=text, age=age))

    def login_error(self, error: int, *, times: int | None = None, where: Where = Where.LOGIN) -> Fault:
        """The login refuses with this AADSTS error; `where` may be the discovery, which comes before it."""
        return self.add(Fault(kind=Kind.AADSTS, where=where, times=times, error=error))
