"""What is kept of a calendar's events, and when it is not used."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from placed.domain.model import Meeting, ShowAs
from placed.driver import UnexpectedAnswer
from placed_google.calendars.decoded_events import NOTHING_DECODED, DecodedEvents

BERLIN, TOKYO = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Tokyo")


def event(name: str, **changes: Any) -> msgspec.Raw:
    times = {
        "start": {"dateTime": "2026-12-02T08:00:00Z"},
        "end": {"dateTime": "2026-12-02T09:00:00Z"},
    }
    own = [{"self": True, "resource": True, "responseStatus": "accepted"}]
    value = {"id": name, "summary": name, **times, "attendees": own, **changes}
    return msgspec.Raw(msgspec.json.encode(value))


DAY = event("day", start={"date": "2026-12-02"}, end={"date": "2026-12-03"})


def after(*events: msgspec.Raw, role: str = "reader", zone: ZoneInfo = BERLIN) -> DecodedEvents:
    return NOTHING_DECODED.next(events, role, zone)


def only(decoded: DecodedEvents) -> Meeting:
    (meeting,) = decoded.all
    return meeting


def test_an_event_that_did_not_change_keeps_its_meeting() -> None:
    before = after(event("a"), event("b"))
    now = before.next([event("b"), event("a", status="tentative")], "reader", BERLIN)
    assert now.all[0] is before.all[1]
    assert now.all[1].show_as is ShowAs.TENTATIVE


def test_an_event_that_is_gone_is_gone() -> None:
    assert after(event("a")).next([], "reader", BERLIN).all == ()


def test_an_event_that_is_no_meeting_stays_none() -> None:
    gone = event("a", status="cancelled", start=None, end=None)
    assert after(gone).all == after(gone).next([gone], "reader", BERLIN).all == ()


def test_another_role_shows_the_same_event_otherwise() -> None:
    before = after(event("a"))
    hidden = before.next([event("a")], "freeBusyReader", BERLIN)
    assert (only(before).title, only(hidden).title, only(hidden).private) == ("a", None, True)
    assert only(hidden.next([event("a")], "reader", BERLIN)) == only(before)


def test_another_time_zone_moves_an_all_day_event() -> None:
    before = after(DAY)
    moved = before.next([DAY], "reader", TOKYO)
    assert only(moved) == only(after(DAY, zone=TOKYO))
    assert only(moved).start != only(before).start


def test_the_same_event_twice_is_one_meeting() -> None:
    assert len(after(event("a"), event("a")).all) == 1
    assert len(after(event("a"), event("a", status="tentative")).all) == 1


def test_an_event_without_the_room_s_answer_is_looked_at_each_time() -> None:
    guest = event("a", attendees=[{"responseStatus": "declined"}])
    first = after(guest)
    assert first.lacks_own_answers
    assert first.next([guest], "reader", BERLIN).lacks_own_answers
    assert not first.next([event("a")], "reader", BERLIN).lacks_own_answers


@pytest.mark.parametrize("spoilt", [b"null", b"7", b'{"id":7}', b'{"start":[]}'])
def test_an_event_of_another_shape_is_no_event(spoilt: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        after(event("a")).next([event("a"), msgspec.Raw(spoilt)], "reader", BERLIN)


@pytest.mark.parametrize("changes", [{"id": None}, {"start": None}, {"end": {}}])
def test_an_event_without_an_id_or_times_is_an_error(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="an event has no"):
        after(event("a", **changes))
