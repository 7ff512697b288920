"""The oracle of actions: each of its rules notices what breaks it, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.fault_injection.action_oracle import ActionOracle, Press
from tests.fault_injection.tenant_ledger import CalendarWrite, WriteKind

NINE = datetime(2026, 1, 8, 9, tzinfo=UTC)
HALF = NINE + timedelta(minutes=30)
TEN = NINE + timedelta(hours=1)


class Setup:
    """An oracle, and what it has found."""

    def __init__(self, *, runs: bool = False) -> None:
        self.found: list[str] = []
        self.held: set[str] = set()  # keys of what is booked
        self.oracle = ActionOracle(
            lambda rule, _room, _text: self.found.append(rule),
            lambda *_: runs,
            lambda _room, key: key in self.held,
            10.0,
        )
        self.writes: list[CalendarWrite] = []

    def press(self, action: str, key: str = "k1", *, forbidden: str = "", room: str = "atrium") -> None:
        meeting, until = (None, TEN) if action == "book" else (NINE, TEN if action == "extend" else None)
        self.oracle.press(Press(key, action, room, meeting, until, forbidden, 0.0))

    def write(  # noqa: PLR0913 - what a write has
        self,
        kind: WriteKind,
        *,
        key: str | None = None,
        meeting: str = "m1",
        room: str = "atrium",
        start: datetime = NINE,
        end: datetime = TEN,
        new_end: datetime | None = None,
    ) -> None:
        write = CalendarWrite(len(self.writes), kind, room, meeting, start, end, new_end, key)
        self.writes.append(write)
        self.oracle.look(self.writes)


def test_a_booking_and_an_end_that_were_asked_for_are_right() -> None:
    setup = Setup()
    setup.press("book")
    setup.write(WriteKind.CREATED, key="k1", new_end=TEN)
    setup.press("end", "k2")
    setup.write(WriteKind.RETIMED, new_end=HALF)
    for key in ("k1", "k2"):
        setup.oracle.reply(key, "accepted", None)
        setup.oracle.reply(key, "done", None)
    setup.oracle.await_answers(60.0)
    setup.oracle.settle()
    assert setup.found == []
    assert setup.oracle.outcomes == {"book done": 1, "end done": 1}


def test_two_bookings_with_one_key_are_noticed() -> None:
    setup = Setup()
    setup.press("book")
    setup.write(WriteKind.CREATED, key="k1", new_end=TEN)
    setup.write(WriteKind.CREATED, key="k1", meeting="m2", new_end=TEN)
    assert setup.found == ["twice"]


def test_an_end_that_is_written_twice_for_one_command_is_noticed() -> None:
    setup = Setup()
    setup.press("end")
    setup.write(WriteKind.RETIMED, new_end=HALF)
    setup.write(WriteKind.RETIMED, new_end=HALF)
    assert setup.found == ["twice"]


@pytest.mark.parametrize(
    "write",
    [
        {"kind": WriteKind.CREATED, "key": "k9", "new_end": TEN},
        {"kind": WriteKind.CREATED, "key": "k1", "new_end": TEN, "room": "library"},
        {"kind": WriteKind.CREATED, "key": "k1", "new_end": HALF, "end": HALF},
        {"kind": WriteKind.RETIMED, "new_end": HALF, "start": HALF},
        {"kind": WriteKind.DECLINED, "room": "library"},
        {"kind": WriteKind.DELETED},
        {"kind": WriteKind.RETIMED, "new_end": TEN + timedelta(hours=1)},
    ],
)
def test_a_write_that_nobody_asked_for_is_noticed(write: dict[str, object]) -> None:
    setup = Setup()
    setup.press("book", "k1")
    setup.press("end", "k2")
    setup.write(**write)  # type: ignore[arg-type]
    assert setup.found == ["other"]


@pytest.mark.parametrize(("action", "kind"), [("book", WriteKind.CREATED), ("end", WriteKind.DECLINED)])
def test_a_forged_or_late_command_that_is_done_is_noticed(action: str, kind: WriteKind) -> None:
    setup = Setup()
    setup.press(action, forbidden="it was retained")
    setup.write(kind, key="k1" if action == "book" else None)
    assert setup.found == ["outside"]


def test_replies_that_are_not_true_are_noticed() -> None:
    setup = Setup(runs=True)
    setup.press("book", "booked-not")
    setup.oracle.reply("booked-not", "done", None)
    setup.press("book", "booked-yet")
    setup.write(WriteKind.CREATED, key="booked-yet")
    setup.held.add("booked-yet")
    setup.oracle.reply("booked-yet", "refused", "conflict")
    setup.oracle.settle()
    assert setup.found == ["untrue", "untrue"]
    setup.press("end", "ended-not")
    setup.oracle.reply("ended-not", "done", None)
    assert setup.found == ["untrue"] * 3
    setup.oracle.reply("nobody", "done", None)
    assert setup.found == ["untrue"] * 4


def test_an_outcome_that_becomes_another_is_noticed_and_an_uncertain_one_may_become_known() -> None:
    setup = Setup()
    setup.press("book", "k1")
    setup.oracle.reply("k1", "uncertain", "uncertain")
    setup.oracle.reply("k1", "refused", "conflict")
    setup.press("book", "k2")
    setup.oracle.reply("k2", "refused", "conflict")
    setup.oracle.reply("k2", "done", None)
    assert setup.found == ["untrue"]


def test_an_extension_that_was_done_may_end_with_its_meeting() -> None:
    setup = Setup()
    setup.press("extend", "k1")
    setup.write(WriteKind.CREATED, key="k1", meeting="m2", new_end=TEN)
    setup.oracle.reply("k1", "done", None)
    setup.write(WriteKind.DELETED, key="k1", meeting="m2")
    setup.oracle.settle()
    assert setup.found == ["untrue"]
    setup = Setup()
    setup.press("extend", "k1")
    setup.write(WriteKind.CREATED, key="k1", meeting="m2", new_end=TEN)
    setup.oracle.reply("k1", "done", None)
    setup.press("end", "k2")
    setup.write(WriteKind.DELETED, key="k1", meeting="m2")
    setup.oracle.reply("k2", "done", None)
    setup.oracle.settle()
    assert setup.found == []


@pytest.mark.parametrize("first", ["k1", "k2"])
def test_of_two_extensions_to_one_minute_one_is_written_and_both_are_done(first: str) -> None:
    setup = Setup()
    for key in ("k1", "k2"):
        setup.press("extend", key)
    setup.write(WriteKind.CREATED, key=first, meeting="m2", new_end=TEN)
    for key in ("k1", "k2"):
        setup.oracle.reply(key, "done", None)
    setup.oracle.press(Press("k3", "extend", "atrium", HALF, TEN, "", 0.0))  # by another part of the meeting
    setup.oracle.reply("k3", "done", None)
    setup.oracle.settle()
    assert setup.found == []


@pytest.mark.parametrize(
    "other",
    [
        Press("k2", "extend", "atrium", NINE, HALF, "", 0.0),
        Press("k2", "extend", "library", NINE, TEN, "", 0.0),
        Press("k2", "book", "atrium", None, TEN, "", 0.0),
    ],
)
def test_an_extension_is_not_done_by_what_another_command_has_booked(other: Press) -> None:
    setup = Setup()
    setup.press("extend")
    setup.oracle.reply("k1", "done", None)
    setup.oracle.press(other)
    assert other.until is not None
    setup.write(WriteKind.CREATED, key="k2", room=other.room, end=other.until, new_end=other.until)
    setup.oracle.reply("k2", "done", None)
    setup.oracle.settle()
    assert setup.found == ["untrue"]


@pytest.mark.parametrize(("action", "written", "untrue"), [("extend", False, 2), ("book", True, 1)])
def test_what_is_not_written_is_not_done(action: str, *, written: bool, untrue: int) -> None:
    setup = Setup()
    for key in ("k1", "k2"):
        setup.press(action, key)
        setup.oracle.reply(key, "done", None)
    if written:
        setup.write(WriteKind.CREATED, key="k1", new_end=TEN)
    setup.oracle.settle()
    assert setup.found == ["untrue"] * untrue


@pytest.mark.parametrize(("of_other", "found"), [("refused", ["untrue", "untrue"]), ("done", [])])
def test_an_end_that_is_refused_is_true_if_another_command_has_ended_the_meeting(
    of_other: str, found: list[str]
) -> None:
    setup = Setup()
    for key, outcome in (("k1", "refused"), ("k2", of_other)):
        setup.press("end", key)
        setup.oracle.reply(key, outcome, None)
    setup.write(WriteKind.RETIMED, new_end=HALF)
    setup.oracle.settle()
    assert setup.found == found


def test_an_end_of_which_the_record_is_lost_may_be_refused_and_a_booking_is_known_by_its_key() -> None:
    setup = Setup()
    setup.press("end", "k1")
    setup.write(WriteKind.RETIMED, new_end=HALF)
    setup.press("book", "k2", room="library")
    setup.held.add("k2")
    setup.oracle.forget(20.0)
    for key in ("k1", "k2"):
        setup.oracle.reply(key, "refused", "no_such_meeting")
    setup.oracle.settle()
    assert setup.found == ["untrue"]  # of k2


def test_what_was_answered_before_a_record_was_lost_is_judged_as_ever() -> None:
    setup = Setup()
    setup.press("end")
    setup.write(WriteKind.RETIMED, new_end=HALF)
    setup.oracle.reply("k1", "refused", "changed")
    setup.oracle.forget(20.0)
    setup.oracle.settle()
    setup.oracle.press(Press("k2", "end", "library", NINE, None, "", 20.0))
    setup.oracle.reply("k2", "done", None)
    setup.oracle.forget(21.0)
    setup.oracle.reply("k2", "refused", "no_such_meeting")  # it was delivered twice
    assert setup.found == ["untrue"]


def test_a_command_that_was_throttled_may_be_done_when_it_is_sent_again() -> None:
    setup = Setup()
    setup.press("end")
    setup.oracle.reply("k1", "refused", "throttled")
    setup.write(WriteKind.RETIMED, new_end=HALF)
    setup.oracle.reply("k1", "done", None)
    setup.oracle.settle()
    assert setup.found == []
    setup.oracle.reply("k1", "refused", "changed")
    assert setup.found == ["untrue"]


@pytest.mark.parametrize(("times_sent", "final", "found"), [(1, "refused", ["untrue"]), (2, None, [])])
def test_what_was_throttled_is_refused_only_if_it_was_not_sent_again(
    times_sent: int, final: str | None, found: list[str]
) -> None:
    setup = Setup()
    setup.press("end")
    setup.oracle.presses["k1"].times_sent = times_sent
    setup.oracle.reply("k1", "refused", "throttled")
    setup.write(WriteKind.RETIMED, new_end=HALF)
    setup.oracle.settle()
    assert setup.oracle.presses["k1"].final == final
    assert setup.found == found


def test_a_command_that_was_done_and_is_never_answered_is_noticed() -> None:
    setup = Setup()
    setup.press("book", "k1")
    setup.press("end", "k2")
    setup.press("book", "k3", room="library")
    setup.write(WriteKind.CREATED, key="k1", new_end=TEN)
    setup.write(WriteKind.RETIMED, new_end=HALF)
    setup.oracle.reply("k1", "done", None)
    waiting = [[press.key for press in setup.oracle.waiting(write)] for write in setup.writes]
    assert waiting == [[], ["k2"]]
    setup.oracle.await_answers(11.0)
    assert setup.found == ["unanswered"]


def test_a_command_without_an_answer_and_a_reply_elsewhere_are_noticed() -> None:
    setup = Setup()
    setup.press("book")
    setup.oracle.await_answers(99.0)
    setup.oracle.reply("k1", "accepted", None)
    setup.oracle.await_answers(9.0)
    assert setup.found == []
    setup.oracle.await_answers(11.0)
    setup.oracle.reply_elsewhere("placed/rooms/atrium/state")
    assert setup.found == ["unanswered", "elsewhere"]


def test_a_command_that_was_not_taken_owes_no_outcome_for_what_another_did() -> None:
    setup = Setup()
    setup.press("end", forbidden="it was retained")
    setup.oracle.press(Press("k2", "end", "atrium", NINE, None, "", 0.0))
    setup.write(WriteKind.DECLINED)
    setup.oracle.reply("k2", "done", None)
    setup.oracle.await_answers(11.0)
    assert setup.found == []


def test_a_meeting_that_was_moved_since_may_be_ended_again() -> None:
    setup = Setup()
    setup.press("end")
    setup.write(WriteKind.DECLINED)
    setup.oracle.press(Press("k2", "end", "atrium", HALF, None, "", 0.0))
    setup.write(WriteKind.DECLINED, start=HALF)
    assert setup.found == []
    setup.write(WriteKind.DECLINED, start=HALF)
    assert setup.found == ["twice"]


def test_what_was_written_to_two_services_is_judged_once_each() -> None:
    setup = Setup()
    setup.press("book")
    setup.write(WriteKind.CREATED, key="k1", new_end=TEN)
    other = CalendarWrite(0, WriteKind.CREATED, "library", "m2", NINE, TEN, TEN, "nobody's")
    for _ in range(2):
        setup.oracle.look([other], "google")
    assert setup.found == ["other"]
    assert setup.oracle.checked["twice"] == 2
