"""What the simulated CalDAV server answers to a question for bookings: calendar-query (RFC 4791, 7.8)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from placed_icalendar.simulator.bookings.booking_text import object_text
from placed_icalendar.simulator.caldav_host import dav_xml as xml
from placed_icalendar.simulator.caldav_host.dav_faults import Kind, Where
from placed_icalendar.simulator.caldav_host.dav_xml import CALDAV, DAV, PropResponse
from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed_icalendar.simulator.bookings.booking_store import Moment, StoredBooking, StoredCalendar
    from placed_icalendar.simulator.caldav_host.dav_faults import DavFaults
    from placed_icalendar.simulator.caldav_host.dav_xml import DavQuery

XML = "application/xml; charset=utf-8"


class CalendarQueries:
    """Answers REPORT.

    Attributes:
        expansions: requests that asked the server to expand series, which it does wrong.
    """

    def __init__(self, faults: DavFaults) -> None:
        self._faults = faults
        self.expansions = 0

    def answer(self, path: str, calendar: StoredCalendar, query: DavQuery) -> Reply:
        """Returns the bookings of a calendar, whose path this is."""
        if query.kind != f"{{{CALDAV}}}calendar-query":
            return Reply(403, xml.precondition("supported-report"), XML)
        name = calendar.name
        if self._faults.take({Kind.TOO_MANY}, {Where.CALENDAR}, name) is not None:
            return Reply(403, xml.precondition("number-of-matches-within-limits"), XML)
        address = f"{name}@simulator.example"
        responses = [
            _object(path, number, object_text(booking, address))
            for number, booking in enumerate(calendar.bookings.values())
            if _touches(booking, query)
        ]
        ranged = query.since is not None
        if ranged and self._faults.take({Kind.TIME_RANGE}, {Where.CALENDAR}, name) is not None:
            responses = responses[1:]
        if query.expand:
            self.expansions += 1
            responses = responses[:1]
        responses, extra = self._spoiled_objects(path, name, responses)
        return Reply(207, xml.multistatus(respelled(responses, self._faults), extra), XML)

    def _spoiled_objects(
        self, path: str, name: str, found: list[PropResponse]
    ) -> tuple[list[PropResponse], str]:
        """Objects with a fault, and further XML."""
        take = self._faults.take
        here = {Where.CALENDAR, Where.SERVER}
        if (fault := take({Kind.EVENT}, here, name)) is not None:
            found = [*found, _object(path, 999, fault.detail)]
        if found and (fault := take({Kind.RESPONSE}, {Where.CALENDAR}, name)) is not None:
            found = [*found[:-1], PropResponse(found[-1].href, status=fault.status)]
        if found and take({Kind.NO_DATA}, here, name) is not None:
            found[-1].refused = {f"{{{CALDAV}}}calendar-data": 404}
            found[-1].properties.pop(f"{{{CALDAV}}}calendar-data")
        if take({Kind.CUT}, here, name) is not None:
            found = [*found[1:], PropResponse(path, status=507)]
        huge = take({Kind.HUGE}, here, name)
        return found, "" if huge is None else f"<d:responsedescription>{'x' * 2**20}</d:responsedescription>"


def respelled(found: list[PropResponse], faults: DavFaults) -> list[PropResponse]:
    """Returns the responses, with addresses as faults have them."""
    spellings: list[tuple[Kind, Callable[[str, str], str]]] = [
        (Kind.NO_SLASH, lambda address, _: address.rstrip("/")),
        (Kind.ENCODED, lambda address, _: _encoded(address)),
        (Kind.ABSOLUTE, lambda address, host: f"{host}{address}"),
    ]
    for kind, spell in spellings:
        fault = faults.on(kind)
        for one in found if fault is not None else ():
            one.href = spell(one.href, fault.detail if fault is not None else "")
    return found


def _encoded(address: str) -> str:
    """Every letter as %xx, but for the slashes."""
    return "".join(c if c == "/" else f"%{ord(c):02x}" for c in unquote(address))


def _object(path: str, number: int, content: str) -> PropResponse:
    name = f"{quote(path)}{number}.ics"
    return PropResponse(
        name, {f"{{{DAV}}}getetag": f'"{number}"', f"{{{CALDAV}}}calendar-data": xml.text(content)}
    )


def _touches(booking: StoredBooking, query: DavQuery) -> bool:
    """Whether an object belongs into the time range; series and raw texts always do."""
    if query.since is None or query.until is None or booking.rule is not None or booking.raw is not None:
        return True
    start, end = _utc(booking.start), _utc(booking.end)
    return start < query.until and max(end, start + timedelta(seconds=1)) > query.since


def _utc(moment: Moment) -> datetime:
    """A date is taken for its midnight in UTC, as servers do that know no zone of the calendar."""
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time.min, UTC)
