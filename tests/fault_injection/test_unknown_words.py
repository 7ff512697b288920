"""What people book in words that the services do not know yet occupies the room, also by the truth."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from placed.domain.model import Room, ShowAs, window
from placed.driver import Query, Read, Surroundings
from placed_google import Google
from placed_google.calendars import event_to_meeting
from placed_google.settings import GoogleSettings
from placed_google.simulator import BAD_EVENTS, Simulator, make_private_key
from placed_microsoft365.simulator import Tenant
from tests.fault_injection.calendar_changes import UNKNOWN_SHOW_AS, People
from tests.fault_injection.ground_truth import Sight, Truth, occupying
from tests.fault_injection.workspace_calendars import (
    ROOMS,
    UNKNOWN_RESPONSE,
    UNKNOWN_STATUS,
    UNKNOWN_TRANSPARENCY,
    UNKNOWN_TYPE,
    WorkspaceCalendars,
)
from tests.fault_injection.workspace_faults import NOT_OCCUPYING
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from placed.domain.model import Meeting

BERLIN = ZoneInfo("Europe/Berlin")
BEGIN = datetime(2026, 12, 2, 7, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
WORDS: tuple[dict[str, Any], ...] = (
    {"transparency": UNKNOWN_TRANSPARENCY},
    {"status": UNKNOWN_STATUS},
    {"response": UNKNOWN_RESPONSE},
    {"event_type": UNKNOWN_TYPE},
)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.moment = BEGIN

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def calendars() -> WorkspaceCalendars:
    return WorkspaceCalendars(Clock(), random.Random(5), lambda: None)  # noqa: S311 - a play, not a secret


async def read(calendars: WorkspaceCalendars, folder: Path) -> dict[str, Sequence[Meeting]]:
    """The meetings of each room, as the driver reads them."""
    workspace = calendars.workspace
    account = workspace.add_service_account("placed")
    workspace.share_rooms(account)
    async with Simulator(workspace) as simulator:
        write_secret(folder / "key.json", simulator.make_key(account, make_private_key()))
        settings = GoogleSettings(
            name="fabrikam",
            driver="google",
            key_file=folder / "key.json",
            ca_file=simulator.ca_file,
            calendar_url=simulator.url,
            rooms=tuple(room.address for room in calendars.rooms),
        )
        now = workspace.now
        driver = Google.open(settings, Surroundings(now, 2, details=False, version="1", steady=lambda: 0.0))
        rooms = [
            Room(name, "fabrikam", room.address, room.address, name, BERLIN)
            for name, room in zip(ROOMS, calendars.rooms, strict=True)
        ]
        queries = [Query(room, *window(now(), BERLIN, 1)) for room in rooms]
        answers = [answer async for answer in driver.read(queries)]
        await driver.close()
    assert all(isinstance(answer, Read) for answer in answers)
    return {a.query.room.id: a.meetings for a in answers if isinstance(a, Read)}


def occupied(meetings: Sequence[Meeting]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for start, end in sorted(
        (m.start.timestamp(), m.end.timestamp())
        for m in meetings
        if not m.cancelled and not m.declined and m.show_as is not ShowAs.FREE and m.start < m.end
    ):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


async def test_what_is_true_of_a_workspace_is_what_the_driver_reads(
    calendars: WorkspaceCalendars, tmp_path: Path
) -> None:
    words = set()
    for _ in range(150):
        assert isinstance(calendars.workspace.now, Clock)
        calendars.workspace.now.moment += timedelta(seconds=0.5)
        calendars.step()
        for room in calendars.rooms:
            for event in calendars.workspace.events(room):
                own = event.own(room.address)
                words |= {event.status, event.transparency, event.event_type, own.response if own else ""}
    assert words >= {UNKNOWN_STATUS, UNKNOWN_TRANSPARENCY, UNKNOWN_TYPE, UNKNOWN_RESPONSE}
    since = calendars.workspace.now().timestamp()
    found = await read(calendars, tmp_path)
    for name, _, held in calendars.calendars():
        if name in found:
            truth = [span for span in occupying(held, BERLIN) if span[1] > since]
            assert [span for span in occupied(found[name]) if span[1] > since] == truth


@pytest.mark.parametrize("word", WORDS, ids=lambda word: next(iter(word)))
@pytest.mark.parametrize("dropped", [False, True])
async def test_a_driver_that_drops_what_it_does_not_know_would_be_caught(
    calendars: WorkspaceCalendars,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    word: dict[str, Any],
    *,
    dropped: bool,
) -> None:
    calendars.workspace.book(calendars.rooms[0], BEGIN - HOUR, BEGIN + HOUR, **word)
    if dropped:
        monkeypatch.setattr(event_to_meeting, "_show_as", lambda *_: ShowAs.FREE)
    truth = Truth(BERLIN, lead=4.0, slack=1.5)
    truth.tick(0.0, BEGIN.timestamp())
    held = {name: held for name, _, held in calendars.calendars()}
    truth.note(ROOMS[0], held[ROOMS[0]], 0.0)
    blocks = occupied((await read(calendars, tmp_path))[ROOMS[0]])
    seen = Sight("busy", blocks[0][1]) if blocks else Sight("free", None)
    assert truth.allows(ROOMS[0], seen, 1.0, budget=12.0) is not dropped


def test_what_is_drawn_of_odd_events_occupies_no_room_by_itself() -> None:
    assert set(NOT_OCCUPYING) <= set(BAD_EVENTS)
    assert {"missing_start", "no_times", "bad_date", "end_before_start"} <= set(NOT_OCCUPYING)
    occupying_ones = {"missing_status", "unknown_event_type", "unknown_status", "unknown_response"}
    assert not occupying_ones & set(NOT_OCCUPYING)


def test_people_book_in_words_that_exchange_does_not_know_and_the_truth_knows_them() -> None:
    clock = Clock()
    tenant = Tenant(now=clock)
    tenant.add_room("room")
    people = People(tenant, random.Random(3), lambda: None)  # noqa: S311 - a play, not a secret
    shown = set()
    for _ in range(200):
        clock.moment += timedelta(seconds=0.5)
        people.step()
        shown |= {meeting.show_as for meeting in tenant.meetings("room")}
    assert UNKNOWN_SHOW_AS in shown
    tenant = Tenant(now=clock)
    tenant.add_room("room")
    tenant.book("room", BEGIN, BEGIN + HOUR, show_as=UNKNOWN_SHOW_AS)
    assert occupying(tenant.meetings("room"), BERLIN) == ((BEGIN.timestamp(), (BEGIN + HOUR).timestamp()),)
