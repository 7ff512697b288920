"""The conformance suite: what placed expects of every driver, whatever service it reads.

It needs pytest and pytest-asyncio, which placed itself does not depend on; nothing in placed imports this
module. A driver's own tests derive from `Conformance` and give it a fixture `service`:

    import pytest
    from placed.driver.conformance import Conformance, Service

    class TestConformance(Conformance):
        @pytest.fixture
        def service(self, tmp_path) -> Service:
            return MyService(tmp_path)

with `asyncio_mode = "auto"` in the settings of pytest. The assertions explain themselves better after
`pytest.register_assert_rewrite("placed.driver.conformance")` in `conftest.py`. A driver with an optional
capability derives from that capability's class as well, such as `FenceTrialConformance`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, get_args
from zoneinfo import ZoneInfo

import pytest

from placed.domain.model import Meeting, Reason, Room, window
from placed.driver import (
    Answer,
    CredentialExpiry,
    DriverError,
    Failed,
    Fence,
    FenceState,
    FenceTrial,
    FoundRoom,
    Query,
    Read,
    Success,
    Unavailable,
    driver_packages,
    find_drivers,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.driver import Driver


class Service(Protocol):
    """A calendar service under test. It has two rooms at least, each with one meeting that runs now."""

    kind: str
    """The driver's name among the entry points."""

    @property
    def driver(self) -> Driver:
        """The connection under test, opened."""
        ...

    def now(self) -> datetime:
        """The time that the driver is given."""
        ...

    def book(self, address: str, start: datetime, end: datetime) -> None:
        """Adds a meeting to a room's calendar."""
        ...

    def spoil(self, address: str) -> None:
        """Makes one room's calendar unreadable."""
        ...

    def take_down(self) -> None:
        """Stops the service: nobody gets an answer."""
        ...

    def bring_back(self) -> None:
        """Undoes `take_down`."""
        ...

    def refuse(self) -> None:
        """Withdraws the credential."""
        ...

    def accept(self) -> None:
        """Undoes `refuse`."""
        ...

    def wait(self, length: timedelta) -> None:
        """Moves `now` forward. After whole days, each room again has one meeting that runs now."""
        ...


def as_room(found: FoundRoom, zone: str = "UTC") -> Room:
    """The room that placed would make of a listing."""
    name = found.address.partition("@")[0]
    return Room(name, "connection", found.address.lower(), found.mailbox, name, ZoneInfo(zone))


def queries_of(service: Service, found: Sequence[FoundRoom]) -> list[Query]:
    """A query for each room, for the window that placed would ask for now."""
    since, until = window(service.now(), ZoneInfo("UTC"), 1)
    return [Query(as_room(room), since, until) for room in found]


async def ask(driver: Driver, queries: Sequence[Query]) -> dict[str, Answer]:
    """The answers by room id, exactly one for each query."""
    answers = [answer async for answer in driver.read(queries)]
    assert sorted(a.query.room.id for a in answers) == sorted(q.room.id for q in queries)
    assert all(any(answer.query is query for query in queries) for answer in answers)
    return {answer.query.room.id: answer for answer in answers}


class Conformance:
    """The suite; see the module."""

    async def test_it_is_found_by_its_name(self, service: Service) -> None:
        """An entry point of the driver's package names a `DriverKind`."""
        kind = find_drivers()[service.kind]
        assert kind.Settings.model_fields.keys() >= {"name", "driver", "time_zone"}
        name_in_settings = kind.Settings.model_fields["driver"].annotation
        assert get_args(name_in_settings) == (service.kind,), "expected driver: Literal[<its name>]"
        assert callable(kind.open)
        assert type(service.driver).__module__.partition(".")[0] in driver_packages()

    async def test_it_finds_rooms(self, service: Service) -> None:
        """Each has an address, and no two have the same."""
        found = await service.driver.find_rooms()
        assert len(found) >= 2
        assert all(room.address and room.mailbox for room in found)
        assert len({room.address.lower() for room in found}) == len(found)

    async def test_it_reads_meetings_in_utc(self, service: Service) -> None:
        """Times are aware and in UTC, whatever the service sends."""
        found = await service.driver.find_rooms()
        for answer in (await ask(service.driver, queries_of(service, found))).values():
            assert isinstance(answer, Read)
            assert answer.asked_at == service.now()
            (meeting,) = answer.meetings
            assert isinstance(meeting, Meeting)
            assert meeting.start <= service.now() < meeting.end
            assert meeting.start.tzinfo is UTC

    async def test_no_question_has_no_answer(self, service: Service) -> None:
        """No query, no answer, no error."""
        assert await ask(service.driver, []) == {}

    async def test_what_did_not_change_is_read_again_or_unchanged(self, service: Service) -> None:
        """A driver need not recognise unchanged calendars."""
        queries = queries_of(service, await service.driver.find_rooms())
        await ask(service.driver, queries)
        service.wait(timedelta(seconds=30))
        for answer in (await ask(service.driver, queries)).values():
            assert isinstance(answer, Success)
            assert answer.asked_at == service.now()

    async def test_what_is_not_known_any_more_is_not_unchanged(self, service: Service) -> None:
        """Where `Query.known` is false the meetings are reported."""
        queries = queries_of(service, await service.driver.find_rooms())
        await ask(service.driver, queries)
        forgotten = [Query(q.room, q.since, q.until, known=q is not queries[0]) for q in queries]
        answer = (await ask(service.driver, forgotten))[queries[0].room.id]
        assert isinstance(answer, Read)
        assert answer.meetings

    async def test_what_changed_is_not_unchanged(self, service: Service) -> None:
        """A new meeting is in the next answer."""
        queries = queries_of(service, await service.driver.find_rooms())
        await ask(service.driver, queries)
        later = service.now() + timedelta(hours=5)
        service.book(queries[0].room.address, later, later + timedelta(hours=1))
        answer = (await ask(service.driver, queries))[queries[0].room.id]
        assert isinstance(answer, Read)
        assert later in {meeting.start for meeting in answer.meetings}

    async def test_what_was_not_taken_is_not_unchanged(self, service: Service) -> None:
        """After an iteration that ended early, calendars whose answers were not taken are read again."""
        queries = queries_of(service, await service.driver.find_rooms())
        await ask(service.driver, queries)
        later = service.now() + timedelta(hours=5)
        for query in queries:
            service.book(query.room.address, later, later + timedelta(hours=1))
        reading = service.driver.read(queries)
        taken = (await anext(reading)).query.room.id
        if isinstance(reading, AsyncGenerator):
            await reading.aclose()
        for room_id, answer in (await ask(service.driver, queries)).items():
            assert isinstance(answer, Read) or room_id == taken

    async def test_another_window_is_not_unchanged(self, service: Service) -> None:
        """The next day has other meetings."""
        found = await service.driver.find_rooms()
        await ask(service.driver, queries_of(service, found))
        service.wait(timedelta(days=1))
        answers = await ask(service.driver, queries_of(service, found))
        assert {type(answer) for answer in answers.values()} == {Read}

    async def test_one_room_s_failure_is_its_own(self, service: Service) -> None:
        """The other rooms are read, and the failure names no address."""
        queries = queries_of(service, await service.driver.find_rooms())
        service.spoil(queries[0].room.address)
        failed, *others = (await ask(service.driver, queries)).values()
        if not isinstance(failed, Failed):
            failed, others = others[0], [failed, *others[1:]]
        assert isinstance(failed, Failed)
        assert isinstance(failed.reason, Reason)
        assert "@" not in failed.problem.text
        assert all(isinstance(answer, Read) for answer in others)

    async def test_a_service_that_is_down_is_a_failure_and_no_crash(self, service: Service) -> None:
        """`Unavailable`, for each room or as a whole; and once the service is back, rooms are read again."""
        queries = queries_of(service, await service.driver.find_rooms())
        await ask(service.driver, queries)
        service.take_down()
        answers: list[Answer] = []
        try:
            async for answer in service.driver.read(queries):
                answers.append(answer)  # noqa: PERF401 - those before an error count
        except DriverError as error:
            assert isinstance(error, Unavailable)  # noqa: PT017 - it need not be raised
        assert all(isinstance(answer, Failed) for answer in answers)
        service.bring_back()
        service.wait(timedelta(minutes=5))
        for answer in (await ask(service.driver, queries)).values():
            assert isinstance(answer, Success)

    async def test_a_refusal_has_a_remedy_and_is_followed_by_whole_readings(self, service: Service) -> None:
        """A `DriverError` with a remedy; afterwards no calendar counts as known."""
        queries = queries_of(service, await service.driver.find_rooms())
        await ask(service.driver, queries)
        service.refuse()
        with pytest.raises(DriverError) as error:
            await ask(service.driver, queries)
        assert error.value.problem.remedy
        service.accept()
        service.wait(timedelta(minutes=5))
        answers = await ask(service.driver, queries)
        assert {type(answer) for answer in answers.values()} == {Read}

    async def test_it_may_be_closed_twice(self, service: Service) -> None:
        """The second call does nothing."""
        await service.driver.find_rooms()
        await service.driver.close()
        await service.driver.close()


class FenceTrialConformance:
    """For drivers with the capability `FenceTrial`, beside `Conformance`."""

    async def test_its_fence_has_a_state(self, service: Service) -> None:
        """And the trial was made now, unless there is no canary."""
        assert isinstance(service.driver, FenceTrial)
        fence = await service.driver.try_fence()
        assert isinstance(fence, Fence)
        assert isinstance(fence.state, FenceState)
        assert (fence.checked_at is None) or fence.checked_at == service.now()


class CredentialExpiryConformance:
    """For drivers with the capability `CredentialExpiry`, beside `Conformance`."""

    async def test_its_credential_may_run_out(self, service: Service) -> None:
        """The time is in UTC, if it is known."""
        assert isinstance(service.driver, CredentialExpiry)
        expires = service.driver.credential_expires_at
        assert expires is None or expires.tzinfo is UTC
