"""A building on an ordinary Thursday, at 10:22 in Berlin: the same for every picture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from placed.domain.model import Meeting, Reason, Schedule
from placed.domain.occupancy import Policy
from placed.domain.privacy import Show
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure
from placed.driver import Consent, Fence, FenceState
from placed.polling.readability_tracker import ReadabilityTracker
from tests.support.board_setup import BoardSetup

MOMENT = datetime(2026, 1, 8, 9, 22, 10, tzinfo=UTC)
MIDNIGHT = datetime(2026, 1, 7, 23, tzinfo=UTC)  # in Berlin
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
POLICY = Policy(stale_after=8 * MINUTE)  # of a calm site, so that no picture shows seconds

Plan = list[tuple[str, str, str, str]]  # start and end on the clocks of Berlin, title, organizer

# id, name, building, floor, capacity
ROOMS: list[tuple[str, str, str, str, int, Plan]] = [
    (
        "boardroom",
        "Boardroom",
        "Headquarters",
        "1",
        16,
        [
            ("8:30", "9:30", "Weekly numbers", "Ada Lindqvist"),
            ("9:45", "11:00", "Budget 2027", "Grace Abara"),
            ("14:00", "15:30", "Interview", "Ada Lindqvist"),
        ],
    ),
    (
        "library",
        "Library",
        "Headquarters",
        "1",
        6,
        [("8:00", "9:00", "Reading group", "Tomas Rey"), ("13:00", "14:00", "One to one", "Noor Haddad")],
    ),
    (
        "atrium",
        "Atrium",
        "Headquarters",
        "1",
        40,
        [
            ("10:25", "12:00", "Town hall rehearsal", "Noor Haddad"),
            ("16:00", "18:00", "Town hall", "Noor Haddad"),
        ],
    ),
    ("workshop", "Workshop", "Headquarters", "1", 12, []),
    (
        "harbour",
        "Harbour",
        "Headquarters",
        "2",
        8,
        [("9:00", "10:30", "Design review", "Mika Sato"), ("10:30", "11:30", "Sprint planning", "Mika Sato")],
    ),
    (
        "lighthouse",
        "Lighthouse",
        "Headquarters",
        "2",
        4,
        [("11:15", "12:00", "Supplier call", "Tomas Rey"), ("15:00", "15:30", "Catch-up", "Grace Abara")],
    ),
    ("pier", "Pier", "Headquarters", "2", 4, [("12:30", "13:30", "Lunch and learn", "Ada Lindqvist")]),
    (
        "beacon",
        "Beacon",
        "Headquarters",
        "2",
        10,
        [
            ("10:00", "12:00", "Customer visit", "Grace Abara"),
            ("13:00", "17:00", "Customer visit", "Grace Abara"),
        ],
    ),
    ("studio", "Studio", "Annex", "Ground", 6, [("9:30", "10:45", "Recording", "Noor Haddad")]),
    ("garden", "Garden room", "Annex", "Ground", 20, [("10:45", "11:30", "Visitors", "Tomas Rey")]),
    ("vault", "Vault", "Annex", "Ground", 3, []),
]
STALE, BROKEN = "pier", "vault"


def clock(text: str) -> datetime:
    """A time of that day in Berlin."""
    hours, minutes = map(int, text.split(":"))
    return MIDNIGHT + timedelta(hours=hours, minutes=minutes)


def meetings(plan: Plan) -> tuple[Meeting, ...]:
    return tuple(
        Meeting(f"{start} {title}", clock(start), clock(end), title=title, organizer=organizer)
        for start, end, title, organizer in plan
    )


def read(board_setup: BoardSetup, room_id: str, *found: Meeting, ago: timedelta = 2 * MINUTE) -> None:
    """A room's calendar was read a little while ago."""
    board_setup.board.learn(
        room_id, Schedule(found, MIDNIGHT - DAY, MIDNIGHT + 2 * DAY, board_setup.moment - ago)
    )


def building(show: Show = Show.EVERYTHING, kind: type[BoardSetup] = BoardSetup) -> BoardSetup:
    """Eleven rooms in two buildings; one was not read for ten minutes, one cannot be read at all."""
    board_setup = kind(moment=MOMENT, show=show, policy=POLICY)
    for room_id, name, house_name, floor, capacity, _ in ROOMS:
        board_setup.add(room_id, name=name, building=house_name, floor=floor, capacity=capacity)
    for room_id, _, _, _, _, plan in ROOMS:
        if room_id == STALE:
            read(board_setup, room_id, *meetings(plan), ago=timedelta(minutes=10))
            board_setup.board.fail(room_id, Reason.THROTTLED)
        elif room_id == BROKEN:
            board_setup.board.fail(room_id, Reason.FORBIDDEN)
        else:
            read(board_setup, room_id, *meetings(plan))
    report(board_setup)
    return board_setup


def report(board_setup: BoardSetup, **other: Any) -> None:
    """How the connection of this building is."""
    readability = ReadabilityTracker()
    for room in board_setup.board.rooms:
        if room.id == BROKEN:
            failure = ReadFailure(Reason.FORBIDDEN, MOMENT, Problem("", "Access is denied"))
            readability.failed(room.id, failure)
        else:
            readability.succeeded(room.id, MOMENT)
    usual: dict[str, Any] = {
        "rooms": len(board_setup.board.rooms),
        "since": MOMENT - timedelta(hours=5),
        "last_success": MOMENT - 2 * MINUTE,
        "failing": readability.failing,
        "consent": Consent.GRANTED,
        "fence": Fence(FenceState.VERIFIED, MOMENT - timedelta(minutes=12)),
        "credential_expires_at": MOMENT + timedelta(days=211),
        "readability": readability.snapshot,
    }
    board_setup.report(**(usual | other))


def many(number: int, board_setup: BoardSetup | None = None) -> BoardSetup:
    """A site of so many rooms, each with meetings."""
    board_setup = board_setup or BoardSetup(moment=MOMENT, show=Show.EVERYTHING, policy=POLICY)
    plans = [plan for *_, plan in ROOMS]
    for floor in range(1 + (number - 1) // 25):
        ids = [f"room-{n:05}" for n in range(floor * 25, min(number, floor * 25 + 25))]
        board_setup.add(*ids, building=f"Building {1 + floor // 4}", floor=str(floor % 4), capacity=8)
    for n, room in enumerate(board_setup.board.rooms):
        plan = [(start, end, f"{n} {title} {n * 7}", who) for start, end, title, who in plans[n % len(plans)]]
        read(board_setup, room.id, *meetings(plan))
    report(board_setup)
    return board_setup
