"""Switches that make the simulated hosts misbehave.

`workspace.faults` has a method for each fault that is often used; `add` switches on any other. All return the
fault, so that `remove` can switch it off.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from placed_google.simulator.faults.simulated_fault import Fault, Kind, Where
from placed_simulator.fault_switches import FaultSwitches

if TYPE_CHECKING:
    from collections.abc import Callable

USAGE = "usageLimits"


class Faults(FaultSwitches[Fault]):
    """The faults that are switched on; `address` turns the name of a room into the address it stands for."""

    def __init__(self, address: Callable[[str], str]) -> None:
        super().__init__()
        self._address = address

    def add(self, fault: Fault) -> Fault:
        """Switch a fault on. A room may be named as everywhere."""
        if fault.room is not None:
            fault = replace(fault, room=self._address(fault.room))
        return super().add(fault)

    def status(  # noqa: PLR0913 - an error answer has this many parts
        self,
        status: int,
        *,
        reason: str = "backendError",
        message: str = "Backend Error",
        domain: str = "global",
        retry_after: str | None = None,
        room: str | None = None,
        times: int | None = None,
        where: Where = Where.CALENDAR,
    ) -> Fault:
        """An error answer; `Retry-After` is not promised, and sent only if it is given."""
        return self.add(
            Fault(
                kind=Kind.STATUS,
                where=where,
                room=room,
                times=times,
                status=status,
                reason=reason,
                message=message,
                domain=domain,
                retry_after=retry_after,
            )
        )

    def throttled(
        self,
        status: int = 403,
        *,
        retry_after: str | None = None,
        room: str | None = None,
        times: int | None = None,
        where: Where = Where.CALENDAR,
    ) -> Fault:
        """`rateLimitExceeded`, as 403 or as 429, whatever the quota is."""
        return self.status(
            status,
            reason="rateLimitExceeded",
            message="Rate Limit Exceeded",
            domain=USAGE,
            retry_after=retry_after,
            room=room,
            times=times,
            where=where,
        )

    def abused(self, *, times: int | None = None, where: Where = Where.CALENDAR) -> Fault:
        """403 `quotaExceeded`, which may come below every number of the console."""
        message = "Calendar usage limits exceeded."
        return self.status(
            403, reason="quotaExceeded", message=message, domain=USAGE, times=times, where=where
        )

    def day_is_over(self, *, times: int | None = None, where: Where = Where.CALENDAR) -> Fault:
        """403 `dailyLimitExceeded`: the project's own limit of a day."""
        message = "Daily Limit Exceeded"
        return self.status(
            403, reason="dailyLimitExceeded", message=message, domain=USAGE, times=times, where=where
        )

    def forbidden(self, *, room: str | None = None, times: int | None = None) -> Fault:
        """403 `forbidden`."""
        return self.status(403, reason="forbidden", message="Forbidden", room=room, times=times)

    def html(
        self,
        *,
        status: int = 502,
        room: str | None = None,
        times: int | None = None,
        where: Where = Where.CALENDAR,
    ) -> Fault:
        """A page in place of JSON: of a gateway, or with 200 of a captive portal."""
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

    def drop(self, *, room: str | None = None, times: int | None = None, where: Where = Where.API) -> Fault:
        """The connection is cut without an answer; for a part of a batch it is the gateway's 502."""
        return self.add(Fault(kind=Kind.DROP, where=where, room=room, times=times))

    def lost_answer(self, *, status: int = 0, room: str | None = None, times: int | None = None) -> Fault:
        """A write is carried out, and the connection is cut, or with a `status` a gateway answers."""
        fault = Fault(kind=Kind.LOST_ANSWER, where=Where.WRITE, room=room, times=times, status=status)
        return self.add(fault)

    def delay(
        self,
        seconds: float,
        *,
        room: str | None = None,
        times: int | None = None,
        where: Where = Where.CALENDAR,
    ) -> Fault:
        """The answer comes so much later."""
        return self.add(Fault(kind=Kind.DELAY, where=where, room=room, times=times, seconds=seconds))

    def truncated(
        self, *, room: str | None = None, times: int | None = None, where: Where = Where.CALENDAR
    ) -> Fault:
        """JSON that breaks off; of `Where.BATCH` the multipart, in the midst of a part."""
        return self.add(Fault(kind=Kind.TRUNCATED, where=where, room=room, times=times))

    def wrong_types(
        self, detail: str = "items_is_object", *, room: str | None = None, times: int | None = None
    ) -> Fault:
        """A page of other types than promised, see `WRONG_TYPES`."""
        return self.add(Fault(kind=Kind.WRONG_TYPES, room=room, times=times, detail=detail))

    def bad_event(
        self, detail: str = "missing_end", *, room: str | None = None, times: int | None = None
    ) -> Fault:
        """One unusual event beside the good ones, see `BAD_EVENTS`."""
        return self.add(Fault(kind=Kind.BAD_EVENT, room=room, times=times, detail=detail))

    def empty_page(self, *, room: str | None = None, times: int | None = None) -> Fault:
        """A first page without events, with a token for the page that has them."""
        return self.add(Fault(kind=Kind.EMPTY_PAGE, room=room, times=times))

    def endless(self, *, room: str | None = None, times: int | None = None) -> Fault:
        """Each page has a token for another, without end."""
        return self.add(Fault(kind=Kind.ENDLESS, room=room, times=times))

    def missing_part(self, *, room: str | None = None, times: int | None = None) -> Fault:
        """A batch leaves the room's part out of its answer; without a room the first one's."""
        return self.add(Fault(kind=Kind.MISSING_PART, where=Where.BATCH, room=room, times=times))

    def duplicate_part(self, *, times: int | None = None) -> Fault:
        """A batch answers its second part with the Content-ID of the first, beside the first itself."""
        return self.add(Fault(kind=Kind.DUPLICATE_PART, where=Where.BATCH, times=times))

    def unknown_part(self, *, times: int | None = None) -> Fault:
        """A batch answers a Content-ID that nobody asked with."""
        return self.add(Fault(kind=Kind.UNKNOWN_PART, where=Where.BATCH, times=times))

    def no_content_id(self, *, room: str | None = None, times: int | None = None) -> Fault:
        """The room's part of a batch comes back without a Content-ID; without a room the first."""
        return self.add(Fault(kind=Kind.NO_CONTENT_ID, where=Where.BATCH, room=room, times=times))

    def bad_credentials(self, *, times: int | None = 1) -> Fault:
        """401 `authError` though the token is good, batches included."""
        return self.add(Fault(kind=Kind.CREDENTIALS, where=Where.API, times=times))

    def date(
        self, text: str, *, age: str | None = None, times: int | None = None, where: Where = Where.API
    ) -> Fault:
        """`Date` holds this text, as of a wrong clock or of a cache; a cache may send `Age`, too."""
        return self.add(Fault(kind=Kind.DATE, where=where, times=times, detail=text, age=age))

    def oauth(
        self, error: str, description: str = "", *, status: int = 400, times: int | None = None
    ) -> Fault:
        """The token host refuses with this error: `invalid_grant`, `admin_policy_enforced`."""
        fault = Fault(
            kind=Kind.OAUTH, where=Where.TOKEN, times=times, status=status, reason=error, message=description
        )
        return self.add(fault)
