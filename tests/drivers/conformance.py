"""What placed expects of every driver, whatever service it reads.

A driver's tests derive from `Conformance`, and give it a `service` fixture: a connection that is opened, and
the few things that have to happen to the calendars behind it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

import pytest

from placed.domain.model import Meeting, Reason, Room, window
from placed.driver import (
    Answer,
    DriverError,
    Failed,
    Fence,
    FenceState,
    FenceTrial,
    FoundRoom,
    Query,
    Read,
    Unavailable,
    Unchanged,
    credential_expiry,
    find_drivers,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.driver import Driver


class Service(Protocol):
    """A calendar service under test: two rooms at least, each with one meeting that runs now."""

    kind: str  # the driver's name among the entry points

    @property
    def driver(self) -> Driver: ...
    def now(self) -> datetime: ...
    def book(self, address: str, start: datetime, end: datetime) -> None: ...
    def spoil(self, address: str) -> None:
        """Makes one room's calendar unreadable."""

    def take_down(self) -> None:
        """Lets nobody get an answer any more."""

    def bring_back(self) -> None:
        """Undoes `take_down`."""

    def refuse(self) -> None:
        """Withdraws the credential."""

    def accept(self) -> None:
        """Undoes `refuse`."""

    def wait(self, length: timedelta) -> None:
        """Lets time pass by."""


def as_room(found: FoundRoom, zone: str = "UTC") -> Room:
    name = found.address.partition("@")[0]
    return Room(name, "connection", found.address.lower(), found.mailbox, name, ZoneInfo(zone))


def queries_of(service: Service, found: Sequence[FoundRoom]) -> list[Query]:
    since, until = window(service.now(), ZoneInfo("UTC"), 1)
    return [Query(as_room(room), since, until) for room in found]


async def ask(driver: Driver, queries: Sequence[Query]) -> dict[str, Answer]:
    """The answers by room; one each."""
    answers: list[Answer] = []
    await driver.read(queries, answers.append)
    assert sorted(a.query.room.id for a in answers) == sorted(q.room.id for q in queries)
    assert all(any(answer.query is query for query in queries) for answer in answers)
    return {answer.query.room.id: answer for answer in answers}


class Conformance:
    """The suite."""

    async def test_it_is_found_by_its_name(self, service: Service) -> None:
        kind = find_drivers()[service.kind]
        assert kind.Settings.model_fields.keys() >= {"name", "driver", "time_zone"}
        assert isinstance(service.driver, kind.open.__globals__[type(service.driver).__name__])

    async def test_it_finds_rooms(self, service: Service) -> None:
        found = await service.driver.find_rooms()
        assert len(found) >= 2
        assert all("@" in room.address and room.mailbox for room in found)
        assert len({room.address.lower() for room in found}) == len(found)

    async def test_it_reads_meetings_in_utc(self, service: Service) -> None:
        found = await service.driver.find_rooms()
        for answer in (await ask(service.driver, queries_of(service, found))).values():
            assert isinstance(answer, Read)
            assert answer.asked_at == service.now()
            (meeting,) = answer.meetings
            assert isinstance(meeting, Meeting)
            assert meeting.start <= service.now() < meeting.end
            assert meeting.start.tzinfo is UTC

    async def test_no_question_has_no_answer(self, service: Service) -> None:
        await service.driver.read([], lambda _: pytest.fail("an answer that nobody asked for"))

    async def test_what_did_not_change_is_read_again_or_unchanged(self, service: Service) -> None:
        queries = queries_of(service, await service.driver.find_rooms())
        await ask(service.driver, queries)
        service.wait(timedelta(seconds=30))
        for answer in (await ask(service.driver, queries)).values():
            assert isinstance(answer, Read | Unchanged)
            assert answer.asked_at == service.now()

    async def test_what_is_not_known_any_more_is_not_unchanged(self, service: Service) -> None:
        queries = queries_of(service, await service.driver.find_rooms())
        await ask(service.driver, queries)
        forgotten = [Query(q.room, q.since, q.until, known=q is not queries[0]) for q in queries]
        answer = (await ask(service.driver, forgotten))[queries[0].room.id]
        assert isinstance(answer, Read)
        assert answer.meetings

    async def test_what_changed_is_not_unchanged(self, service: Service) -> None:
        queries = queries_of(service, await service.driver.find_rooms())
        await ask(service.driver, queries)
        later = service.now() + timedelta(hours=5)
        service.book(queries[0].room.address, later, later + timedelta(hours=1))
        answer = (await ask(service.driver, queries))[queries[0].room.id]
        assert isinstance(answer, Read)
        assert later in {meeting.start for meeting in answer.meetings}

    async def test_another_window_is_not_unchanged(self, service: Service) -> None:
        found = await service.driver.find_rooms()
        await ask(service.driver, queries_of(service, found))
        service.wait(timedelta(days=1))
        answers = await ask(service.driver, queries_of(service, found))
        assert {type(answer) for answer in answers.values()} == {Read}

    async def test_one_room_s_failure_is_its_own(self, service: Service) -> None:
        queries = queries_of(service, await service.driver.find_rooms())
        service.spoil(queries[0].room.address)
        failed, *others = (await ask(service.driver, queries)).values()
        if not isinstance(failed, Failed):
            failed, others = others[0], [failed, *others[1:]]
        assert isinstance(failed, Failed)
        assert isinstance(failed.reason, Reason)
        assert "@" not in failed.detail
        assert all(isinstance(answer, Read) for answer in others)

    async def test_a_service_that_is_down_is_a_failure_and_no_crash(self, service: Service) -> None:
        queries = queries_of(service, await service.driver.find_rooms())
        await ask(service.driver, queries)
        service.take_down()
        answers: list[Answer] = []
        try:
            await service.driver.read(queries, answers.append)
        except DriverError as error:
            assert isinstance(error, Unavailable)  # noqa: PT017 - it need not be raised
        assert all(isinstance(answer, Failed) for answer in answers)
        service.bring_back()
        service.wait(timedelta(minutes=5))
        for answer in (await ask(service.driver, queries)).values():
            assert isinstance(answer, Read | Unchanged)

    async def test_a_refusal_says_what_to_do_and_is_followed_by_whole_readings(
        self, service: Service
    ) -> None:
        queries = queries_of(service, await service.driver.find_rooms())
        await ask(service.driver, queries)
        service.refuse()
        with pytest.raises(DriverError) as error:
            await service.driver.read(queries, lambda _: None)
        assert error.value.remedy
        service.accept()
        service.wait(timedelta(minutes=5))
        answers = await ask(service.driver, queries)
        assert {type(answer) for answer in answers.values()} == {Read}

    async def test_its_fence_has_a_state(self, service: Service) -> None:
        assert isinstance(service.driver, FenceTrial)
        fence = await service.driver.try_fence()
        assert isinstance(fence, Fence)
        assert isinstance(fence.state, FenceState)
        assert (fence.checked_at is None) or fence.checked_at == service.now()

    async def test_its_credential_may_run_out(self, service: Service) -> None:
        expires = credential_expiry(service.driver)
        assert expires is None or expires.tzinfo is UTC

    async def test_it_may_be_closed_twice(self, service: Service) -> None:
        await service.driver.find_rooms()
        await service.driver.close()
        await service.driver.close()
