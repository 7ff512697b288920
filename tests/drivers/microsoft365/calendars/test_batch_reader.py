"""Reading through batches: each room for itself, whatever Graph answers."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from placed.domain.model import Reason
from placed.driver import DriverError, Read, Unchanged
from placed_microsoft365.calendars import batch_reader, calendar_view
from placed_microsoft365.simulator import UNTOUCHED, MailboxState
from placed_microsoft365.simulator.faults.fault import BAD_EVENTS, ODD_EVENTS, WRONG_TYPES
from tests.drivers.microsoft365.driver_with_simulator import (
    BOARDROOM,
    LIBRARY,
    TODAY,
    House,
    at,
    failure,
    outcomes,
)

if TYPE_CHECKING:
    from tests.drivers.microsoft365.simulator.conftest import Clock


@pytest.fixture(autouse=True)
def _meetings(house: House) -> None:
    for room in (BOARDROOM, LIBRARY):
        house.tenant.book(room, at(9), at(10))


async def test_a_calendar_is_read_once_and_then_known_again_by_its_bytes(
    house: House, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = house.open()
    first = await house.read(driver)
    assert outcomes(first) == ["read", "read"]
    clock.advance(seconds=30)
    monkeypatch.setattr(calendar_view, "decode", lambda *_: pytest.fail("an unchanged answer was parsed"))
    monkeypatch.setattr(batch_reader, "items_of", lambda *_: pytest.fail("an unchanged batch was parsed"))
    second = await house.read(driver)
    assert [type(answer) for answer in second] == [Unchanged, Unchanged]
    assert all(isinstance(answer, Unchanged) and answer.asked_at == clock() for answer in second)


async def test_a_changed_calendar_is_parsed_again(house: House) -> None:
    driver = house.open()
    await house.read(driver)
    house.tenant.book(BOARDROOM, at(11), at(12))
    changed, same = await house.read(driver)
    assert isinstance(changed, Read)
    assert [meeting.start for meeting in changed.meetings] == [at(9), at(11)]
    assert isinstance(same, Unchanged)


async def test_at_local_midnight_every_calendar_is_parsed_again(house: House, clock: Clock) -> None:
    driver = house.open()
    clock.moment = at(21, 59)
    queries = [house.query(BOARDROOM, "Europe/Berlin"), house.query(LIBRARY, "UTC")]
    await house.read(driver, *queries)
    clock.advance(minutes=1)
    queries = [house.query(BOARDROOM, "Europe/Berlin"), house.query(LIBRARY, "UTC")]
    assert outcomes(await house.read(driver, *queries)) == ["read", "unchanged"]
    assert queries[0].since == at(22) - timedelta(days=1)


async def test_a_failure_does_not_make_a_calendar_forgotten(house: House) -> None:
    driver = house.open()
    await house.read(driver)
    house.tenant.faults.status(503, room=BOARDROOM, times=1)
    assert outcomes(await house.read(driver)) == ["unavailable", "unchanged"]
    assert outcomes(await house.read(driver)) == ["unchanged", "unchanged"]


async def test_after_a_refusal_every_calendar_is_reported_again(house: House, clock: Clock) -> None:
    """Who was told that the connection is refused has forgotten the meetings: `Unchanged` says nothing."""
    driver = house.open()
    await house.read(driver)
    clock.advance(hours=2)
    fault = house.tenant.faults.login_error(7000222)
    with pytest.raises(DriverError):
        await house.read(driver)
    house.tenant.faults.remove(fault)
    clock.advance(minutes=5)
    assert outcomes(await house.read(driver)) == ["read", "read"]


async def test_a_room_that_returns_is_reported_again(house: House) -> None:
    driver = house.open(rooms=None, room_group="placed-rooms@contoso.example")

    async def round_() -> list[str]:
        rooms = await driver.find_rooms()
        return outcomes(await house.read(driver, *(house.query(r.address, "UTC", r.mailbox) for r in rooms)))

    assert await round_() == ["read", "read"]
    house.tenant.remove_member("placed-rooms", BOARDROOM)
    assert await round_() == ["unchanged"]
    house.tenant.add_member("placed-rooms", BOARDROOM)
    assert sorted(await round_()) == ["read", "unchanged"]


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (400, "ErrorInvalidRequest", Reason.MALFORMED),
        (403, "ErrorAccessDenied", Reason.FORBIDDEN),
        (404, "ErrorInvalidUser", Reason.NOT_FOUND),
        (404, "MailboxNotEnabledForRESTAPI", Reason.NOT_FOUND),
        (410, "SyncStateNotFound", Reason.NOT_FOUND),
        (424, "FailedDependency", Reason.UNAVAILABLE),
        (429, "TooManyRequests", Reason.THROTTLED),
        (500, "ErrorInternalServerError", Reason.UNAVAILABLE),
        (503, "MailboxInfoStale", Reason.UNAVAILABLE),
        (504, "UnknownError", Reason.UNAVAILABLE),
        (509, "activityLimitReached", Reason.THROTTLED),
    ],
)
async def test_a_room_s_failure_is_its_own(house: House, status: int, code: str, reason: Reason) -> None:
    house.tenant.faults.status(status, code=code, room=BOARDROOM)
    failed, other = await house.read(house.open())
    assert failure(failed) == (reason, f"{status} {code}", None)
    assert isinstance(other, Read)


@pytest.mark.parametrize(
    ("header", "rest"),
    [
        ("3", 3.0),
        ("2.128", 2.128),
        ("date", 90.0),
        ("soon", None),
        ("-5", 0.0),
        ("99999", 3600.0),
        ("nan", None),
    ],
)
async def test_every_item_is_reported_with_its_own_retry_after(
    house: House, header: str, rest: float | None
) -> None:
    if header == "date":
        header = format_datetime(house.clock() + timedelta(seconds=90), usegmt=True)
    house.tenant.faults.throttled(retry_after=header, room=BOARDROOM)
    failed, other = await house.read(house.open())
    assert failure(failed) == (Reason.THROTTLED, "429 TooManyRequests", rest)
    assert isinstance(other, Read)


@pytest.mark.parametrize("fault", ["html", "empty", "truncated", *WRONG_TYPES, *BAD_EVENTS])
async def test_a_malformed_calendar_harms_no_other_and_makes_no_room_free(house: House, fault: str) -> None:
    faults = house.tenant.faults
    match fault:
        case "html":
            faults.html(room=BOARDROOM, status=200)
        case "empty":
            faults.empty(room=BOARDROOM)
        case "truncated":
            faults.truncated(room=BOARDROOM)
        case _ if fault in WRONG_TYPES:
            faults.wrong_types(fault, room=BOARDROOM)
        case _:
            faults.bad_event(fault, room=BOARDROOM)
    malformed, other = await house.read(house.open())
    assert isinstance(other, Read)
    if fault in ("unknown_show_as", "end_before_start", "missing_id"):  # the rules of occupancy handle these
        assert isinstance(malformed, Read)
        assert len(malformed.meetings) == 2
    else:
        assert failure(malformed)[0] is Reason.MALFORMED


async def test_missing_mailboxes_are_reported(house: House) -> None:
    house.tenant.set_state(BOARDROOM, MailboxState.ON_PREMISES)
    house.tenant.remove_room(LIBRARY)
    answers = await house.read(house.open())
    assert [failure(answer)[:2] for answer in answers] == [
        (Reason.NOT_FOUND, "404 MailboxNotEnabledForRESTAPI"),
        (Reason.NOT_FOUND, "404 ErrorInvalidUser"),
    ]


async def test_a_batch_without_one_of_its_answers_harms_that_room_only(house: House) -> None:
    house.tenant.faults.missing_item(room=BOARDROOM)
    missing, other = await house.read(house.open())
    assert failure(missing)[0] is Reason.MALFORMED
    assert isinstance(other, Read)


async def test_duplicate_and_unrequested_items_are_ignored(house: House) -> None:
    house.tenant.faults.duplicate_item()
    house.tenant.faults.unknown_item()
    assert outcomes(await house.read(house.open())) == ["read", "read"]


async def test_a_calendar_of_many_pages_is_read_whole(house: House) -> None:
    for number in range(250):
        start = at(0, number)
        house.tenant.book(BOARDROOM, start, start + timedelta(minutes=1))
    driver = house.open()
    for _ in range(2):  # of several pages the first does not tell that nothing changed
        assert len(await house.meetings(driver)) == 251
    assert len(house.asked("$skip=")) == 8  # all are read twice, since pages shift where an event is deleted


async def test_pages_without_an_end_harm_that_room_only(house: House) -> None:
    house.tenant.faults.endless(room=BOARDROOM)
    endless, other = await house.read(house.open())
    assert failure(endless)[:2] == (Reason.MALFORMED, "next links without an end")
    assert isinstance(other, Read)
    assert len(house.asked("$skip=")) == 1


@pytest.mark.parametrize("fault", ["503", "429", "html", "drop", "truncated"])
async def test_a_page_that_fails_fails_its_room_as_a_whole(house: House, fault: str) -> None:
    for number in range(150):
        house.tenant.book(BOARDROOM, at(1, number), at(1, number + 1))
    faults = house.tenant.faults
    driver = house.open()
    plain = driver._graph.get

    async def spoilt(*args: object) -> object:
        match fault:
            case "html":
                faults.html(room=BOARDROOM, times=1)
            case "drop":
                faults.drop(times=2)  # a request on a connection that was in use is made twice
            case "truncated":
                faults.truncated(room=BOARDROOM, times=1)
            case _:
                faults.status(int(fault), retry_after="3", room=BOARDROOM, times=1)
        return await plain(*args)  # type: ignore[arg-type]

    driver._graph.get = spoilt  # type: ignore[method-assign,assignment]
    failed, other = await house.read(driver)
    assert failure(failed)[0] in (Reason.UNAVAILABLE, Reason.THROTTLED, Reason.MALFORMED)
    assert isinstance(other, Read)


async def test_titles_and_organizers_are_requested_only_if_they_are_shown(house: House) -> None:
    (meeting,) = await house.meetings(house.open(details=False))
    assert (meeting.title, meeting.organizer) == (None, None)
    items = [item.path for record in house.simulator.requests for item in record.items]
    assert not [path for path in items if "subject" in path or "organizer" in path]
    (meeting,) = await house.meetings(house.open(details=True))
    assert (meeting.title, meeting.organizer) == (None, "Ada Example")


async def test_no_rooms_are_no_question(house: House) -> None:
    assert [answer async for answer in house.open().read([])] == []
    assert house.simulator.requests == []


@pytest.mark.parametrize("detail", ODD_EVENTS)
async def test_what_is_written_oddly_means_the_same(house: House, detail: str) -> None:
    tenant = house.tenant
    tenant.set_processing(BOARDROOM, UNTOUCHED)
    tenant.book(BOARDROOM, at(9), at(10), sensitivity="private")
    tenant.book(BOARDROOM, at(11), at(12))
    tenant.book(BOARDROOM, TODAY.date(), TODAY.date() + timedelta(days=1), all_day=True)
    tenant.book(BOARDROOM, TODAY.date(), TODAY.date() + timedelta(days=2), all_day=True)
    plain = await house.meetings(house.open(), house.query(BOARDROOM, "Europe/Berlin"))
    tenant.faults.odd_events(detail, room=BOARDROOM)
    odd = await house.meetings(house.open(), house.query(BOARDROOM, "Europe/Berlin"))
    assert {(m.start, m.end, m.all_day) for m in odd} == {(m.start, m.end, m.all_day) for m in plain}
    assert {m.start for m in odd if m.private} >= {m.start for m in plain if m.private}
