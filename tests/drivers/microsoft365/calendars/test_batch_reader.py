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
from tests.drivers.microsoft365.driver_setup import (
    BOARDROOM,
    LIBRARY,
    TODAY,
    DriverSetup,
    at,
    failure,
    outcomes,
)

if TYPE_CHECKING:
    from tests.drivers.microsoft365.simulator.conftest import Clock


@pytest.fixture(autouse=True)
def _meetings(driver_setup: DriverSetup) -> None:
    for room in (BOARDROOM, LIBRARY):
        driver_setup.tenant.book(room, at(9), at(10))


async def test_a_calendar_is_read_once_and_then_known_again_by_its_bytes(
    driver_setup: DriverSetup, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = driver_setup.open()
    first = await driver_setup.read(driver)
    assert outcomes(first) == ["read", "read"]
    clock.advance(seconds=30)
    monkeypatch.setattr(calendar_view, "decode", lambda *_: pytest.fail("an unchanged answer was parsed"))
    monkeypatch.setattr(batch_reader, "items_of", lambda *_: pytest.fail("an unchanged batch was parsed"))
    second = await driver_setup.read(driver)
    assert [type(answer) for answer in second] == [Unchanged, Unchanged]
    assert all(isinstance(answer, Unchanged) and answer.asked_at == clock() for answer in second)


async def test_a_changed_calendar_is_parsed_again(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.tenant.book(BOARDROOM, at(11), at(12))
    changed, same = await driver_setup.read(driver)
    assert isinstance(changed, Read)
    assert [meeting.start for meeting in changed.meetings] == [at(9), at(11)]
    assert isinstance(same, Unchanged)


async def test_at_local_midnight_every_calendar_is_parsed_again(
    driver_setup: DriverSetup, clock: Clock
) -> None:
    driver = driver_setup.open()
    clock.moment = at(21, 59)
    queries = [driver_setup.query(BOARDROOM, "Europe/Berlin"), driver_setup.query(LIBRARY, "UTC")]
    await driver_setup.read(driver, *queries)
    clock.advance(minutes=1)
    queries = [driver_setup.query(BOARDROOM, "Europe/Berlin"), driver_setup.query(LIBRARY, "UTC")]
    assert outcomes(await driver_setup.read(driver, *queries)) == ["read", "unchanged"]
    assert queries[0].since == at(22) - timedelta(days=1)


async def test_a_failure_does_not_make_a_calendar_forgotten(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    await driver_setup.read(driver)
    driver_setup.tenant.faults.status(503, room=BOARDROOM, times=1)
    assert outcomes(await driver_setup.read(driver)) == ["unavailable", "unchanged"]
    assert outcomes(await driver_setup.read(driver)) == ["unchanged", "unchanged"]


async def test_after_a_refusal_every_calendar_is_reported_again(
    driver_setup: DriverSetup, clock: Clock
) -> None:
    """After a refused connection the poller has no meetings any more, so `Unchanged` would mean nothing."""
    driver = driver_setup.open()
    await driver_setup.read(driver)
    clock.advance(hours=2)
    fault = driver_setup.tenant.faults.login_error(7000222)
    with pytest.raises(DriverError):
        await driver_setup.read(driver)
    driver_setup.tenant.faults.remove(fault)
    clock.advance(minutes=5)
    assert outcomes(await driver_setup.read(driver)) == ["read", "read"]


async def test_a_room_that_returns_is_reported_again(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open(rooms=None, room_group="placed-rooms@contoso.example")

    async def round_() -> list[str]:
        rooms = await driver.find_rooms()
        return outcomes(
            await driver_setup.read(driver, *(driver_setup.query(r.address, "UTC", r.mailbox) for r in rooms))
        )

    assert await round_() == ["read", "read"]
    driver_setup.tenant.remove_member("placed-rooms", BOARDROOM)
    assert await round_() == ["unchanged"]
    driver_setup.tenant.add_member("placed-rooms", BOARDROOM)
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
async def test_a_room_s_failure_is_its_own(
    driver_setup: DriverSetup, status: int, code: str, reason: Reason
) -> None:
    driver_setup.tenant.faults.status(status, code=code, room=BOARDROOM)
    failed, other = await driver_setup.read(driver_setup.open())
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
    driver_setup: DriverSetup, header: str, rest: float | None
) -> None:
    if header == "date":
        header = format_datetime(driver_setup.clock() + timedelta(seconds=90), usegmt=True)
    driver_setup.tenant.faults.throttled(retry_after=header, room=BOARDROOM)
    failed, other = await driver_setup.read(driver_setup.open())
    assert failure(failed) == (Reason.THROTTLED, "429 TooManyRequests", rest)
    assert isinstance(other, Read)


@pytest.mark.parametrize("fault", ["html", "empty", "truncated", *WRONG_TYPES, *BAD_EVENTS])
async def test_a_malformed_calendar_harms_no_other_and_makes_no_room_free(
    driver_setup: DriverSetup, fault: str
) -> None:
    faults = driver_setup.tenant.faults
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
    malformed, other = await driver_setup.read(driver_setup.open())
    assert isinstance(other, Read)
    if fault in ("unknown_show_as", "end_before_start", "missing_id"):  # the rules of occupancy handle these
        assert isinstance(malformed, Read)
        assert len(malformed.meetings) == 2
    else:
        assert failure(malformed)[0] is Reason.MALFORMED


async def test_missing_mailboxes_are_reported(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.set_state(BOARDROOM, MailboxState.ON_PREMISES)
    driver_setup.tenant.remove_room(LIBRARY)
    answers = await driver_setup.read(driver_setup.open())
    assert [failure(answer)[:2] for answer in answers] == [
        (Reason.NOT_FOUND, "404 MailboxNotEnabledForRESTAPI"),
        (Reason.NOT_FOUND, "404 ErrorInvalidUser"),
    ]


async def test_a_batch_without_one_of_its_answers_harms_that_room_only(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.missing_item(room=BOARDROOM)
    missing, other = await driver_setup.read(driver_setup.open())
    assert failure(missing)[0] is Reason.MALFORMED
    assert isinstance(other, Read)


async def test_duplicate_and_unrequested_items_are_ignored(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.duplicate_item()
    driver_setup.tenant.faults.unknown_item()
    assert outcomes(await driver_setup.read(driver_setup.open())) == ["read", "read"]


async def test_a_calendar_of_many_pages_is_read_whole(driver_setup: DriverSetup) -> None:
    for number in range(250):
        start = at(0, number)
        driver_setup.tenant.book(BOARDROOM, start, start + timedelta(minutes=1))
    driver = driver_setup.open()
    for _ in range(2):  # of several pages the first does not show whether anything changed
        assert len(await driver_setup.meetings(driver)) == 251
    assert (
        len(driver_setup.asked("$skip=")) == 8
    )  # all are read twice, since pages shift where an event is deleted


async def test_thousands_of_events_are_read_whole(driver_setup: DriverSetup) -> None:
    for number in range(2500):
        start = at(0) + timedelta(seconds=20 * number)
        driver_setup.tenant.book(BOARDROOM, start, start + timedelta(seconds=10))
    assert len(await driver_setup.meetings(driver_setup.open())) == 2501


async def test_new_links_without_end_are_not_followed_for_ever(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.endless(room=BOARDROOM, moving=True)
    endless, other = await driver_setup.read(driver_setup.open())
    assert failure(endless)[:2] == (Reason.MALFORMED, "next links without an end")
    assert isinstance(other, Read)
    assert len(driver_setup.asked("$skip=")) == 20


async def test_pages_without_an_end_harm_that_room_only(driver_setup: DriverSetup) -> None:
    driver_setup.tenant.faults.endless(room=BOARDROOM)
    endless, other = await driver_setup.read(driver_setup.open())
    assert failure(endless)[:2] == (Reason.MALFORMED, "next links without an end")
    assert isinstance(other, Read)
    assert len(driver_setup.asked("$skip=")) == 1


@pytest.mark.parametrize("fault", ["503", "429", "html", "drop", "truncated"])
async def test_a_page_that_fails_fails_its_room_as_a_whole(driver_setup: DriverSetup, fault: str) -> None:
    for number in range(150):
        driver_setup.tenant.book(BOARDROOM, at(1, number), at(1, number + 1))
    faults = driver_setup.tenant.faults
    driver = driver_setup.open()
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
    failed, other = await driver_setup.read(driver)
    assert failure(failed)[0] in (Reason.UNAVAILABLE, Reason.THROTTLED, Reason.MALFORMED)
    assert isinstance(other, Read)


async def test_titles_and_organizers_are_requested_only_if_they_are_shown(driver_setup: DriverSetup) -> None:
    (meeting,) = await driver_setup.meetings(driver_setup.open(details=False))
    assert (meeting.title, meeting.organizer) == (None, None)
    items = [item.path for record in driver_setup.simulator.requests for item in record.items]
    assert not [path for path in items if "subject" in path or "organizer" in path]
    (meeting,) = await driver_setup.meetings(driver_setup.open(details=True))
    assert (meeting.title, meeting.organizer) == (None, "Ada Example")


async def test_no_rooms_are_no_question(driver_setup: DriverSetup) -> None:
    assert [answer async for answer in driver_setup.open().read([])] == []
    assert driver_setup.simulator.requests == []


@pytest.mark.parametrize("detail", ODD_EVENTS)
async def test_what_is_written_oddly_means_the_same(driver_setup: DriverSetup, detail: str) -> None:
    tenant = driver_setup.tenant
    tenant.set_processing(BOARDROOM, UNTOUCHED)
    tenant.book(BOARDROOM, at(9), at(10), sensitivity="private")
    tenant.book(BOARDROOM, at(11), at(12))
    tenant.book(BOARDROOM, TODAY.date(), TODAY.date() + timedelta(days=1), all_day=True)
    tenant.book(BOARDROOM, TODAY.date(), TODAY.date() + timedelta(days=2), all_day=True)
    plain = await driver_setup.meetings(driver_setup.open(), driver_setup.query(BOARDROOM, "Europe/Berlin"))
    tenant.faults.odd_events(detail, room=BOARDROOM)
    odd = await driver_setup.meetings(driver_setup.open(), driver_setup.query(BOARDROOM, "Europe/Berlin"))
    assert {(m.start, m.end, m.all_day) for m in odd} == {(m.start, m.end, m.all_day) for m in plain}
    assert {m.start for m in odd if m.private} >= {m.start for m in plain if m.private}
