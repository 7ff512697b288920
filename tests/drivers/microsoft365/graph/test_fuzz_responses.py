"""Whatever is sent: no exception but a driver's own, one answer a question, and no room that looks free."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placed.domain.model import Meeting, ShowAs
from placed.domain.occupancy import Policy, occupies
from placed.driver import Answer, DriverError, Failed, FenceState, Query, Read
from placed.driver.network.concurrency_limit import ConcurrencyLimit
from placed_microsoft365 import fence
from placed_microsoft365 import rooms as directory
from placed_microsoft365.calendars.batch_reader import CalendarReader
from placed_microsoft365.calendars.calendar_view import CalendarViews
from placed_microsoft365.calendars.event_to_meeting import meeting_of
from placed_microsoft365.graph.json_structs import Event
from placed_microsoft365.graph.response import Answer as GraphAnswer
from placed_microsoft365.graph.response import decode, error_code, error_of
from placed_microsoft365.settings import Microsoft365Settings
from tests.drivers.microsoft365.driver_setup import room_of
from tests.support.arbitrary_json import anything, encoded

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 10, 6, 7, 30, tzinfo=UTC)
QUERIES = [
    Query(room_of(f"room-{n}@contoso.example"), NOW - timedelta(days=1), NOW + timedelta(days=2))
    for n in range(3)
]
GOOD_EVENT = {
    "id": "AAMkAD=",
    "start": {"dateTime": "2026-10-06T07:00:00.0000000", "timeZone": "UTC"},
    "end": {"dateTime": "2026-10-06T08:00:00.0000000", "timeZone": "UTC"},
    "isAllDay": False,
    "isCancelled": False,
    "showAs": "busy",
    "sensitivity": "normal",
    "responseStatus": {"response": "accepted", "time": "0001-01-01T00:00:00Z"},
    "subject": "Ada Example ",
    "organizer": {"emailAddress": {"name": "Ada Example", "address": "ada@contoso.example"}},
}

fuzz = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
status = st.one_of(st.integers(0, 999), st.sampled_from([200, 200, 200, 401, 429]), st.integers())
times = st.one_of(
    st.text(max_size=30), st.datetimes().map(datetime.isoformat), st.sampled_from(["yesterday", ""])
)
zones = st.one_of(
    st.text(max_size=20), st.sampled_from(["UTC", "Europe/Berlin", "W. Europe Standard Time", "/"])
)
links = st.one_of(st.none(), st.text(max_size=20), st.integers(), st.just("https://graph.example/v1.0/next"))


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """A good event of which some fields are something else, or are not there."""
    event = dict(GOOD_EVENT)
    for name in draw(st.sets(st.sampled_from(sorted(event)), max_size=3)):
        if draw(st.booleans()):
            moment = {"dateTime": draw(times), "timeZone": draw(zones)}
            event[name] = moment if name in ("start", "end") else draw(anything)
        else:
            del event[name]
    return event


pages = st.one_of(
    anything,
    st.lists(st.one_of(st.just(GOOD_EVENT), events()), max_size=4).map(lambda value: {"value": value}),
    st.tuples(st.lists(events(), max_size=2), links).map(
        lambda drawn: {"value": drawn[0], "@odata.nextLink": drawn[1]}
    ),
)
items = st.one_of(
    anything,
    st.fixed_dictionaries(
        {"id": st.sampled_from(["0", "1", "2", "3", 0, None]), "status": status},
        optional={"body": pages, "headers": st.dictionaries(st.sampled_from(["Retry-After", "x"]), anything)},
    ),
)
envelopes = st.one_of(anything, st.lists(items, max_size=6).map(lambda found: {"responses": found}))


class FuzzedGraph:
    """Answers in turn what it was given, and then the last of it again."""

    base_url = "https://graph.example"

    def __init__(self, *answers: tuple[int, bytes]) -> None:
        self._answers = list(answers)

    async def ask(self, *_: Any, **__: Any) -> GraphAnswer:
        code, body = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return GraphAnswer(code, None, body, "token")

    async def batch(self, urls: Sequence[str]) -> GraphAnswer:
        assert urls
        return await self.ask()

    async def get(self, _: str, shape: type, *__: Any) -> Any:
        answer = await self.ask()
        if answer.status != 200:
            raise error_of(answer)
        return decode(answer.body, shape)

    def refused(self, _: GraphAnswer) -> bool:
        return True


def read(graph: FuzzedGraph) -> list[Answer]:
    """The answers so far, even if a `DriverError` ended the reading."""
    limit = ConcurrencyLimit(4)
    calendars = CalendarReader(graph, limit, CalendarViews(graph, limit, details=True), lambda: NOW)  # type: ignore[arg-type]
    answers: list[Answer] = []
    ended = False
    try:
        asyncio.run(calendars.read(QUERIES, answers.append))
    except DriverError:
        ended = True
    reported = [id(answer.query) for answer in answers]
    assert len(set(reported)) == len(reported)
    assert ended or len(reported) == len(QUERIES)
    return answers


@fuzz
@given(
    st.lists(
        st.tuples(status, st.one_of(st.binary(max_size=60), envelopes.map(encoded))), min_size=1, max_size=4
    )
)
def test_batches(answers: list[tuple[int, bytes]]) -> None:
    read(FuzzedGraph(*answers))


def _lacks_id(event: dict[str, Any]) -> bool:
    return not (event.get("id") or "").strip()


@fuzz
@given(pages)
def test_calendars(page: Any) -> None:
    """What is read holds every event that was sent, and none is free unless it is sent as free."""
    good = {"id": "1", "status": 200, "body": {"value": [GOOD_EVENT]}}
    batch = {"responses": [{"id": "0", "status": 200, "body": page}, good, {**good, "id": "2"}]}
    rest = encoded({"value": [GOOD_EVENT]})
    answers = {
        answer.query.room.id: answer
        for answer in read(FuzzedGraph((200, encoded(batch)), (200, rest), (200, encoded(page))))
    }
    if len(answers) == len(QUERIES):
        assert isinstance(answers["room-1"], Read)
        assert isinstance(answers["room-2"], Read)
    first = answers.get("room-0")
    if not isinstance(first, Read):
        assert first is None or isinstance(first, Failed)
        return
    following = [GOOD_EVENT] if page.get("@odata.nextLink") is not None else []
    sent = [*page["value"], *following]
    # Of one meeting: the same id and the same times; without an id, the same times.
    reports: dict[tuple[str, datetime, datetime], list[Meeting]] = {}
    for event in sorted(sent, key=_lacks_id):
        report = meeting_of(msgspec.convert(event, Event), first.query.room.time_zone)
        assert (report.show_as is ShowAs.FREE) == (event.get("showAs") == "free")
        assert report.cancelled == (event.get("isCancelled") is True)
        assert report.declined == ((event.get("responseStatus") or {}).get("response") == "declined")
        place = report.key, report.start, report.end
        if _lacks_id(event):
            place = next((other for other in reports if other[1:] == place[1:]), place)
        reports.setdefault(place, []).append(report)
    assert list(reports) == [(meeting.key, meeting.start, meeting.end) for meeting in first.meetings]
    for meeting, of_it in zip(first.meetings, reports.values(), strict=True):
        assert occupies(meeting, Policy()) == any(occupies(report, Policy()) for report in of_it)
        assert meeting.private == any(report.private for report in of_it)


@fuzz
@given(st.binary(max_size=200))
def test_bytes(body: bytes) -> None:
    assert not [answer for answer in read(FuzzedGraph((200, body))) if isinstance(answer, Read)]


directories = st.one_of(
    anything,
    st.lists(
        st.fixed_dictionaries(
            {"id": st.one_of(st.just("id"), anything)},
            optional={
                "mail": anything,
                "userPrincipalName": anything,
                "displayName": anything,
                "emailAddress": st.one_of(st.just("a@b"), anything),
                "floorNumber": anything,
                "floorLabel": anything,
                "capacity": st.one_of(anything, st.just("9" * 5000), st.just("\u0663")),
            },
        ),
        max_size=3,
    ).map(lambda value: {"value": value}),
)


@fuzz
@given(
    st.lists(st.tuples(status, directories.map(encoded)), min_size=1, max_size=3),
    st.sampled_from([{"room_group": "placed-rooms@contoso.example"}, {"room_list": "*"}]),
)
def test_directories(answers: list[tuple[int, bytes]], source: dict[str, str]) -> None:
    kept = Microsoft365Settings(
        name="contoso",
        tenant="contoso.example",
        client_id="00000000-0000-0000-0000-000000000001",
        client_secret_file="/run/secret",  # type: ignore[arg-type]
        **source,  # type: ignore[arg-type]
    )
    with suppress(DriverError):
        for room in asyncio.run(directory.find_rooms(FuzzedGraph(*answers), kept)):  # type: ignore[arg-type]
            assert "@" in room.address or room.address == room.object_id
            CalendarViews(FuzzedGraph((200, b"")), ConcurrencyLimit(1), details=False).url(  # type: ignore[arg-type]
                Query(room_of("a@b", mailbox=room.mailbox), NOW, NOW)
            )


@fuzz
@given(
    st.one_of(status, st.just(403)),
    st.one_of(
        st.binary(max_size=60),
        pages.map(encoded),
        st.sampled_from(["ErrorAccessDenied", "erroraccessdenied", "accessDenied", "", 7]).map(
            lambda reported: encoded({"error": {"code": reported}})
        ),
    ),
)
def test_fences(code: int, body: bytes) -> None:
    """Only a calendar that could be read is a breach."""
    kept = Microsoft365Settings.model_fields["fence"].annotation
    assert kept is not None

    async def rooms() -> list[str]:
        return ["boardroom@contoso.example"]

    readable = encoded({"responses": [{"id": "0", "status": 200, "body": {"value": []}}]})
    with suppress(DriverError):
        graph = FuzzedGraph((code, body), (200, readable), (code, body))
        canaries = kept(canaries=["ada@contoso.example"])
        found = asyncio.run(fence.try_canaries(graph, canaries, NOW, rooms))  # type: ignore[arg-type]
        if found.state is FenceState.BREACHED:
            assert isinstance(msgspec.json.decode(body)["value"], list)
        denied = code == 403 and error_code(body).lower() == "erroraccessdenied"
        assert (found.state is FenceState.VERIFIED) == denied
        assert (found.state is FenceState.UNPROVEN) == bool(found.warnings)
