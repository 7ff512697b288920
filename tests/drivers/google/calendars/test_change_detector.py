"""Which calendars are read in full: what changed, and of the others those that are overdue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from placed.domain.model import Meeting, Room, ShowAs, window
from placed.driver import Query, Read, Unchanged
from placed_google.calendars.change_detector import TENTATIVE_WITHIN, ChangeDetector
from placed_google.calendars.free_busy_reader import Look
from placed_google.calendars.pace import FULL_WITHIN, full_within

NOW = datetime(2026, 12, 2, 8, 30, tzinfo=UTC)
ZONE = ZoneInfo("UTC")
BUDGET = 100
SAME = Look(NOW, b"same")


@dataclass
class Timer:
    """A clock that stands still until it is set."""

    moment: float = 0.0

    def __call__(self) -> float:
        return self.moment


def query(name: str, zone: ZoneInfo = ZONE, *, known: bool = True) -> Query:
    return Query(Room(name, "one", name, name, name, zone), *window(NOW, ZONE, 1), known=known)


def read(name: str, show_as: ShowAs = ShowAs.BUSY) -> Read:
    return Read(query(name), NOW, (Meeting("a", NOW, NOW + timedelta(hours=1), show_as),))


def detector_of(*names: str, show_as: ShowAs = ShowAs.BUSY) -> tuple[ChangeDetector, Timer]:
    """All of them were read in full, one a second, and free/busy was asked for just before."""
    timer = Timer()
    detector = ChangeDetector(BUDGET, timer)
    for name in names:
        timer.moment += 1
        detector.were_read([read(name, show_as)], {name: SAME})
    return detector, timer


def full(detector: ChangeDetector, names: str, look: Look = SAME, left: int = 0) -> str:
    queries = [query(name) for name in names]
    choice = detector.choose(queries, dict.fromkeys(names, look), left)
    assert sorted(q.room.id for q in (*choice.full, *choice.same)) == sorted(names)
    return "".join(q.room.id for q in choice.full)


def test_with_the_same_free_busy_nothing_is_read() -> None:
    detector, _ = detector_of("a", "b")
    assert full(detector, "ab") == ""


def test_with_another_free_busy_everything_is_read_whatever_is_left() -> None:
    detector, _ = detector_of("a", "b")
    assert full(detector, "ab", Look(NOW, b"other")) == "ab"
    assert full(detector, "ab", Look(NOW, None, "internalError")) == "ab"


def test_what_was_never_read_is_read() -> None:
    detector, _ = detector_of("a")
    assert full(detector, "ab") == "b"


def test_a_reading_without_free_busy_before_it_is_no_baseline() -> None:
    detector, _ = detector_of("a")
    detector.were_read([read("a")], {})
    assert full(detector, "a") == "a"


def test_an_unchanged_calendar_has_the_baseline_that_it_had() -> None:
    detector, _ = detector_of("a")
    detector.were_read([Unchanged(query("a"), NOW)], {})
    assert full(detector, "a") == ""
    assert full(detector, "a", Look(NOW, b"other")) == "a"


def test_another_time_zone_of_the_room_is_another_reading() -> None:
    detector, _ = detector_of("a")
    moved = query("a", ZoneInfo("Asia/Tokyo"))
    assert detector.choose([moved], {"a": SAME}, 0).full == [moved]


def test_the_oldest_readings_are_renewed_as_far_as_the_budget_allows() -> None:
    detector, timer = detector_of("a", "b", "c")
    reserve = BUDGET // 4
    timer.moment = FULL_WITHIN
    assert full(detector, "abc", left=reserve + 2) == ""
    timer.moment += 3
    assert full(detector, "abc", left=reserve + 2) == "ab"
    assert full(detector, "abc", left=reserve) == ""


def test_if_the_budget_suffices_everything_is_read() -> None:
    detector, _ = detector_of("a", "b", "c")
    assert full(detector, "abc", left=BUDGET) == "abc"


def test_a_tentative_booking_is_looked_at_each_minute() -> None:
    detector, timer = detector_of("a", "b", show_as=ShowAs.TENTATIVE)
    timer.moment = TENTATIVE_WITHIN + 1
    assert full(detector, "ab", left=BUDGET // 4 + 1) == "a"


def test_the_time_for_all_readings_grows_with_the_rooms() -> None:
    assert full_within(100, 480) == FULL_WITHIN
    assert full_within(1000, 480) == 250
    assert full_within(5000, 480) == 1250
