from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.model import Meeting, Reason, Schedule, ShowAs
from placed.domain.privacy import Show
from tests.support.board_setup import NINE, BoardSetup, meeting, minutes
from tests.support.status_endpoint import Endpoint

if TYPE_CHECKING:
    from datetime import timedelta

DAY = minutes(24 * 60)


async def day(endpoint: Endpoint, room: str) -> Any:
    """The room's only day."""
    (found,) = (await endpoint.get(f"/api/v1/days?room={room}")).json["days"]
    return found


def read(
    board_setup: BoardSetup,
    room: str,
    *meetings: Meeting,
    before: timedelta = DAY,
    after: timedelta = 2 * DAY,
) -> None:
    """A room's calendar is read now, from some time ago to some time ahead."""
    moment = board_setup.moment
    board_setup.board.learn(room, Schedule(meetings, moment - before, moment + after, moment))


async def test_a_day_is_listed_in_the_time_zone_of_the_room(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    read(
        board_setup, "boardroom", meeting(60, 90), meeting(-600, -570), meeting(-660, -560), meeting(900, 960)
    )
    found = await day(endpoint, "boardroom")
    assert found["date"] == "2026-01-08"
    assert found["time_zone"] == "Europe/Berlin"
    assert (found["since"], found["until"]) == ("2026-01-07T23:00:00Z", "2026-01-08T23:00:00Z")
    assert found["observed_at"] == "2026-01-08T09:00:00Z"
    assert found["valid_until"] == "2026-01-08T09:15:00Z"
    spans = [(m["start"][11:16], m["end"][11:16]) for m in found["meetings"]]
    # One is of both days, one starts at midnight in Berlin; the one from 1:00 there is tomorrow's.
    assert spans == [("22:00", "23:40"), ("23:00", "23:30"), ("10:00", "10:30")]


async def test_while_the_time_is_not_known_no_meetings_are_listed(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    """As after a start whose clock a service contradicts: the room is unknown, and so is its day."""
    read(board_setup, "boardroom", meeting(-30, 30))
    board_setup.time_is_known = False
    found = await day(endpoint, "boardroom")
    assert (found["meetings"], found["observed_at"], found["valid_until"]) == (None, None, None)


@pytest.mark.parametrize(
    ("moment", "hours"),
    [
        (datetime(2026, 3, 29, 9, tzinfo=UTC), 23),
        (datetime(2026, 10, 25, 9, tzinfo=UTC), 25),
    ],
)
async def test_a_day_on_which_clocks_change_has_the_hours_that_it_has(moment: datetime, hours: int) -> None:
    board_setup = BoardSetup(moment=moment)
    board_setup.add("boardroom")
    read(board_setup, "boardroom")
    async with Endpoint(board_setup) as endpoint:
        found = await day(endpoint, "boardroom")
    length = datetime.fromisoformat(found["until"]) - datetime.fromisoformat(found["since"])
    assert length == minutes(hours * 60)
    assert found["meetings"] == []


async def test_only_occupying_meetings_are_listed(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    read(
        board_setup,
        "boardroom",
        meeting(0, 30, cancelled=True),
        meeting(30, 60, declined=True),
        meeting(60, 90, show_as=ShowAs.FREE),
        meeting(120, 110),
        meeting(130, 140, show_as=ShowAs.TENTATIVE),
    )
    found = await day(endpoint, "boardroom")
    assert [m["start"][11:16] for m in found["meetings"]] == ["11:10"]


async def test_an_unknown_day_is_not_an_empty_day(endpoint: Endpoint, board_setup: BoardSetup) -> None:
    never = await day(endpoint, "library")
    assert (never["meetings"], never["observed_at"], never["valid_until"]) == (None, None, None)
    read(board_setup, "boardroom", meeting(60, 90))
    board_setup.moment += minutes(14.9)
    assert len((await day(endpoint, "boardroom"))["meetings"]) == 1
    board_setup.moment += minutes(0.1)
    assert (await day(endpoint, "boardroom"))["meetings"] is None
    read(board_setup, "boardroom", meeting(60, 90))
    board_setup.board.forget("contoso", Reason.BREACHED)
    assert (await day(endpoint, "boardroom"))["meetings"] is None


async def test_several_days_come_in_the_order_of_the_question(endpoint: Endpoint) -> None:
    answer = await endpoint.get("/api/v1/days?room=library&room=nowhere&room=atrium&room=library")
    assert [found["room"] for found in answer.json["days"]] == ["library", "atrium"]
    again = await endpoint.get(
        "/api/v1/days?room=library&room=nowhere&room=atrium&room=library",
        {"If-None-Match": answer.headers["ETag"]},
    )
    assert again.status == 304


@pytest.mark.parametrize("query", ["", "?rooms=atrium", "?" + "&".join(f"room=r{n}" for n in range(201))])
async def test_an_invalid_query_is_answered_with_the_reason(endpoint: Endpoint, query: str) -> None:
    answer = await endpoint.get(f"/api/v1/days{query}")
    assert answer.status == 400
    assert answer.json["problems"]


TEXT = "Salary review"
NAME = "Adele Vance"


@pytest.mark.parametrize(
    ("show", "private", "shown"),
    [
        (Show.NOTHING, False, (None, None)),
        (Show.TITLE, False, (TEXT, None)),
        (Show.ORGANIZER, False, (None, NAME)),
        (Show.EVERYTHING, False, (TEXT, NAME)),
        (Show.EVERYTHING, True, (None, None)),
    ],
)
async def test_a_listed_meeting_follows_the_privacy_setting(
    show: Show, *, private: bool, shown: tuple[str | None, str | None]
) -> None:
    board_setup = BoardSetup(show=show)
    board_setup.add("boardroom")
    read(board_setup, "boardroom", meeting(60, 90, title=TEXT, organizer=NAME, private=private))
    async with Endpoint(board_setup) as endpoint:
        answer = await endpoint.get("/api/v1/days?room=boardroom")
    (found,) = answer.json["days"][0]["meetings"]
    assert (found["title"], found["organizer"]) == shown
    for text, reported in zip((TEXT, NAME), shown, strict=True):
        assert (text.encode() in answer.body) is (reported is not None)


async def test_a_title_is_one_line_and_no_longer_than_people_type() -> None:
    board_setup = BoardSetup(show=Show.EVERYTHING)
    board_setup.add("boardroom")
    read(board_setup, "boardroom", meeting(60, 90, title="A\0B\r\n\u202ehsilgnE\u2028C " + "x" * 10_000))
    async with Endpoint(board_setup) as endpoint:
        (found,) = (await day(endpoint, "boardroom"))["meetings"]
    assert found["title"].startswith("A B hsilgnE C xxx")
    assert found["title"].endswith("x…")
    assert len(found["title"]) == 255


async def test_every_response_carries_the_time_of_the_program(
    endpoint: Endpoint, board_setup: BoardSetup
) -> None:
    board_setup.moment = NINE + minutes(1 / 60) / 8
    for path in ("/", "/healthz", "/api/v1/rooms", "/api/v1/days?room=atrium", "/nothing"):
        assert (await endpoint.get(path)).headers["Placed-Time"] == "2026-01-08T09:00:00.125Z"
    async with endpoint.listen() as listening:
        assert listening.response.headers["Placed-Time"] == "2026-01-08T09:00:00.125Z"
