"""However a batch is answered, each room has an answer, and none is free by mistake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from placed.domain.model import Reason
from placed.driver import DriverError, Failed, NotPermitted, Read, Unavailable
from placed.driver.network import http_session
from placed_google.calendars import batch_reader, room_calendar
from placed_google.calendars.batch_request import BATCH_SIZE
from placed_google.simulator import BAD_EVENTS, WRONG_TYPES, Where
from tests.drivers.google.driver_setup import BOARDROOM, LIBRARY, DriverSetup, at, word, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from placed_google.api.reply import Reply
    from placed_google.simulator import Fault, Faults


def batches(driver_setup: DriverSetup) -> list[int]:
    """How many parts each batch had."""
    return [len(r.items) for r in driver_setup.simulator.requests if r.path.startswith("/batch")]


async def test_fifty_rooms_are_read_in_one_request(driver_setup: DriverSetup) -> None:
    rooms = [driver_setup.workspace.add_room(f"Room {number}").address for number in range(120)]
    driver_setup.workspace.share_rooms(driver_setup.account)
    driver_setup.workspace.book(rooms[70], at(8), at(9))
    answers = await driver_setup.read(driver_setup.open(), *rooms)
    assert [len(a.meetings) for a in answers if isinstance(a, Read)] == [int(n == 70) for n in range(120)]
    assert sorted(batches(driver_setup)) == [20, 50, 50]
    assert BATCH_SIZE == 50


async def test_an_answer_in_another_order_is_matched_by_content_id(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.book(LIBRARY, at(8), at(9))
    for prefix in (True, False):
        driver_setup.workspace.answers.content_ids_get_a_prefix = prefix
        boardroom, library = await driver_setup.read(driver_setup.open())
        assert isinstance(boardroom, Read)
        assert isinstance(library, Read)
        assert [len(boardroom.meetings), len(library.meetings)] == [0, 1]


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda faults: faults.missing_part(room=LIBRARY), ["read", "malformed"]),
        (lambda faults: faults.no_content_id(room=LIBRARY), ["read", "malformed"]),
        (lambda faults: faults.unknown_part(), ["read", "read"]),
        (lambda faults: faults.truncated(room=LIBRARY), ["read", "malformed"]),
        (lambda faults: faults.html(room=LIBRARY), ["read", "unavailable"]),
        (lambda faults: faults.html(status=200, room=LIBRARY), ["read", "malformed"]),
        (lambda faults: faults.empty(room=LIBRARY), ["read", "malformed"]),
        (lambda faults: faults.drop(room=LIBRARY, where=Where.CALENDAR), ["read", "unavailable"]),
        (lambda faults: faults.forbidden(room=LIBRARY), ["read", "forbidden"]),
        (lambda faults: faults.status(500, room=LIBRARY), ["read", "unavailable"]),
        (lambda faults: faults.status(410, reason="deleted", room=LIBRARY), ["read", "not_found"]),
        (lambda faults: faults.throttled(429, room=LIBRARY), ["read", "throttled"]),
    ],
)
async def test_one_part_s_failure_is_its_room_s(
    driver_setup: DriverSetup, spoil: Callable[[Faults], Fault], expected: list[str]
) -> None:
    spoil(driver_setup.workspace.faults)
    assert words(await driver_setup.read(driver_setup.open())) == expected


async def test_two_parts_with_one_content_id_are_not_used(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.duplicate_part()
    assert words(await driver_setup.read(driver_setup.open())) == ["malformed", "malformed"]


async def test_of_a_batch_that_breaks_off_the_whole_parts_count(driver_setup: DriverSetup) -> None:
    rooms = [driver_setup.workspace.add_room(f"Room {number}").address for number in range(10)]
    driver_setup.workspace.share_rooms(driver_setup.account)
    driver_setup.workspace.faults.truncated(where=Where.BATCH)
    answers = await driver_setup.read(driver_setup.open(), *rooms)
    assert set(words(answers)) == {"read", "unavailable"}


@pytest.mark.parametrize("detail", BAD_EVENTS)
async def test_an_unusual_event_is_understood_or_the_room_is_malformed(
    driver_setup: DriverSetup, detail: str
) -> None:
    driver_setup.workspace.faults.bad_event(detail, room=BOARDROOM)
    boardroom, library = await driver_setup.read(driver_setup.open())
    understood = detail.startswith("unknown") or detail in ("missing_status", "end_before_start")
    assert words([boardroom, library]) == ["read" if understood else "malformed", "read"]


@pytest.mark.parametrize("detail", WRONG_TYPES)
async def test_an_answer_of_other_types_is_malformed(driver_setup: DriverSetup, detail: str) -> None:
    driver_setup.workspace.book(BOARDROOM, at(8), at(9))
    driver_setup.workspace.faults.wrong_types(detail, room=BOARDROOM)
    boardroom, _ = await driver_setup.read(driver_setup.open())
    if detail == "items_missing":  # what is absent is empty, as everywhere in these APIs
        assert isinstance(boardroom, Read)
    else:
        assert isinstance(boardroom, Failed)
        assert boardroom.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "spoil",
    [
        lambda faults: faults.html(where=Where.BATCH),
        lambda faults: faults.html(status=200, where=Where.BATCH),
        lambda faults: faults.empty(where=Where.BATCH),
        lambda faults: faults.status(500, where=Where.BATCH),
        lambda faults: faults.drop(where=Where.BATCH),
    ],
)
async def test_a_batch_that_fails_as_a_whole_is_unavailable(
    driver_setup: DriverSetup, spoil: Callable[[Faults], Fault]
) -> None:
    """Of a captive portal, too."""
    driver = driver_setup.open()
    await driver_setup.read(driver)
    spoil(driver_setup.workspace.faults)
    assert words(await driver_setup.read(driver)) == ["unavailable", "unavailable"]
    driver_setup.workspace.faults.clear()
    assert words(await driver_setup.read(driver)) == ["unchanged", "unchanged"]


async def test_after_three_failed_batches_no_more_are_sent(driver_setup: DriverSetup) -> None:
    rooms = [driver_setup.workspace.add_room(f"Room {number}").address for number in range(400)]
    driver = driver_setup.open(requests_per_minute=10_000)
    driver_setup.workspace.faults.status(503, where=Where.BATCH)
    with pytest.raises(Unavailable):
        await driver_setup.read(driver, *rooms)
    assert len(batches(driver_setup)) <= batch_reader.GIVE_UP_AFTER + 2  # which were under way


async def test_a_throttled_batch_is_repeated_in_smaller_ones(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda *_: 0.0)  # it does not rest
    rooms = [driver_setup.workspace.add_room(f"Room {number}").address for number in range(60)]
    driver_setup.workspace.share_rooms(driver_setup.account)
    driver_setup.workspace.faults.throttled(where=Where.BATCH, times=1)
    driver = driver_setup.open()
    assert set(words(await driver_setup.read(driver, *rooms))) == {"read"}
    assert set(words(await driver_setup.read(driver, *rooms))) == {"unchanged"}
    assert max(batches(driver_setup)[3:]) < 50


async def test_a_rest_that_is_asked_for_is_passed_on(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.throttled(where=Where.BATCH, retry_after="42")
    with pytest.raises(Unavailable) as caught:
        await driver_setup.read(driver_setup.open())
    assert caught.value.problem.retry_after == 42
    driver_setup.workspace.faults.clear()
    driver_setup.workspace.faults.throttled(room=LIBRARY, retry_after="17")
    _, library = await driver_setup.read(driver_setup.open())
    assert isinstance(library, Failed)
    assert library.problem.retry_after == 17


async def test_an_api_that_is_not_enabled_is_one_report(driver_setup: DriverSetup) -> None:
    driver_setup.account.project.apis.clear()
    with pytest.raises(NotPermitted, match="accessNotConfigured") as caught:
        await driver_setup.read(driver_setup.open())
    problem = caught.value.problem
    assert problem.lasting
    assert f"calendar-json.googleapis.com?project={driver_setup.account.project.id}" in problem.remedy


async def test_the_day_s_quota_is_one_report_until_midnight(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.day_is_over()
    with pytest.raises(DriverError, match="dailyLimitExceeded") as caught:
        await driver_setup.read(driver_setup.open())
    assert caught.value.problem.retry_after == 1800


async def test_one_room_whose_answer_is_too_large_does_not_affect_the_others(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = [driver_setup.workspace.add_room(f"Room {number}").address for number in range(8)]
    driver_setup.workspace.share_rooms(driver_setup.account)
    for minute in range(200):
        driver_setup.workspace.hold(rooms[5], at(8, minute), at(8, minute + 1), summary="x" * 200)
    monkeypatch.setattr(http_session, "LARGEST", 2**14)
    driver = driver_setup.open()
    found = words(await driver_setup.read(driver, *rooms))
    assert found == ["malformed" if place == 5 else "read" for place in range(8)]


async def test_a_batch_that_is_rejected_is_halved(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.status(400, reason="badRequest", where=Where.BATCH, times=1)
    driver = driver_setup.open()
    assert words(await driver_setup.read(driver)) == ["read", "read"]
    driver_setup.workspace.faults.status(400, reason="badRequest", where=Where.BATCH)
    assert words(await driver_setup.read(driver)) == ["malformed", "malformed"]


async def test_a_401_within_a_batch_renews_the_token_once(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    driver_setup.workspace.faults.status(401, reason="authError", room=BOARDROOM, times=1)
    assert words(await driver_setup.read(driver)) == ["read", "read"]
    assert (len(driver_setup.asked("/token")), batches(driver_setup)) == (2, [2, 1])


async def test_a_401_within_a_batch_that_stays_is_that_room_s_own(driver_setup: DriverSetup) -> None:
    driver = driver_setup.open()
    driver_setup.workspace.faults.status(401, reason="authError", room=BOARDROOM)
    assert words(await driver_setup.read(driver)) == ["forbidden", "read"]
    assert words(await driver_setup.read(driver)) == ["forbidden", "unchanged"]
    assert len(driver_setup.asked("/token")) == 2


# --- pages ---


async def test_an_empty_page_with_a_token_is_not_the_end(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.book(BOARDROOM, at(8), at(9))
    driver_setup.workspace.faults.empty_page(room=BOARDROOM)
    assert len(await driver_setup.meetings(driver_setup.open())) == 1


async def test_pages_without_an_end_are_not_followed_for_ever(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.faults.endless(room=BOARDROOM)
    boardroom, library = await driver_setup.read(driver_setup.open())
    assert words([boardroom, library]) == ["malformed", "read"]
    assert len(driver_setup.asked("pageToken")) <= 20


async def test_all_pages_of_a_full_room_are_read(driver_setup: DriverSetup) -> None:
    for minute in range(300):
        driver_setup.workspace.hold(BOARDROOM, at(8, minute), at(8, minute + 1))
    assert len(await driver_setup.meetings(driver_setup.open())) == 300


# --- what is asked ---


@pytest.mark.parametrize("details", [True, False])
async def test_titles_and_names_are_asked_for_only_if_they_are_wanted(
    driver_setup: DriverSetup, *, details: bool
) -> None:
    driver_setup.workspace.book(BOARDROOM, at(8), at(9), summary="Budget")
    (meeting,) = await driver_setup.meetings(driver_setup.open(details=details))
    assert (meeting.title, meeting.organizer) == (("Budget", "Ada Example") if details else (None, None))
    (path,) = driver_setup.asked("/events?")
    assert ("summary" in path) is details
    for unwanted in ("description", "location", "email", "conferenceData"):
        assert unwanted not in path
    assert "maxAttendees=1" in path


# --- what only a tenant shows: either answer ---


async def test_the_room_s_answer_is_found_if_one_attendee_is_not_the_room(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.answers.max_attendees_keeps_the_room = False
    driver_setup.workspace.book(BOARDROOM, at(8), at(9), response="declined")
    driver_setup.workspace.book(BOARDROOM, at(10), at(11))
    driver = driver_setup.open()
    for _ in range(2):
        found = {m.start: m.declined for m in await driver_setup.meetings(driver)}
        assert found == {at(8): True, at(10): False}
        driver_setup.clock.advance(seconds=30)
        driver_setup.workspace.hold(BOARDROOM, at(20), at(21))
        driver_setup.workspace.delete(driver_setup.workspace.events(BOARDROOM)[-1].id)
        driver._forget()
    with_one = [path for path in driver_setup.asked("/events?") if "maxAttendees=1" in path]
    assert len(with_one) == 1


async def test_an_answer_may_lack_the_role(driver_setup: DriverSetup) -> None:
    driver_setup.workspace.answers.access_role_is_masked = True
    driver_setup.workspace.book(BOARDROOM, at(8), at(9), summary="Budget")
    (meeting,) = await driver_setup.meetings(driver_setup.open())
    assert (meeting.title, meeting.private) == ("Budget", False)


async def test_a_further_page_that_is_no_page_does_not_end_the_calendar(
    driver_setup: DriverSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The meetings of that page are not known, so the room is not free."""
    monkeypatch.setattr(room_calendar, "PAGE_SIZE", 1)
    monkeypatch.setattr(room_calendar.events_path, "__kwdefaults__", {"page_size": 1, "all_attendees": False})
    driver_setup.workspace.book(BOARDROOM, at(8), at(9))
    driver_setup.workspace.book(BOARDROOM, at(10), at(11))
    driver = driver_setup.open()
    ask = driver._clients.events.ask

    async def answer(method: str, path: str, *rest: Any) -> Reply:
        found = await ask(method, path, *rest)
        return replace(found, body=b'{"status":"ok"}') if "pageToken" in path else found

    monkeypatch.setattr(driver._clients.events, "ask", answer)
    boardroom, _ = await driver_setup.read(driver)
    assert word(boardroom) == "malformed"


async def test_a_batch_has_no_more_parts_than_may_begin_within_a_minute(driver_setup: DriverSetup) -> None:
    rooms = [driver_setup.workspace.add_room(f"Room {number}").address for number in range(24)]
    driver_setup.workspace.share_rooms(driver_setup.account)
    driver = driver_setup.open(requests_per_minute=10)
    moment = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal moment
        moment += seconds

    driver.budget._time, driver.budget._sleep = lambda: moment, sleep
    assert set(words(await driver_setup.read(driver, *rooms))) == {"read"}
    assert max(batches(driver_setup)) <= 10
    assert moment >= 120  # free/busy and 24 calendars are 25 requests
