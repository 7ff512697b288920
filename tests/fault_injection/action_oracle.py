"""Judges what commands of panels have done to calendars, by what the tenant has recorded. Knows no network.

1. `twice`: a key makes one booking at most, and a meeting is ended at most once a command that names it.
2. `other`: nothing is written that no command has asked for: another room, another meeting, another time.
3. `outside`: a command that must not be done (retained, late, forged, not allowed) is not done.
4. `untrue`: what is replied is what was done: `done` is in the calendar, `refused` is not.
5. `unanswered`: a command that was accepted, or done, has its final reply some seconds later.
6. `elsewhere`: nothing is replied anywhere but where a panel may ask for it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fault_injection.tenant_ledger import WriteKind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from tests.fault_injection.tenant_ledger import CalendarWrite

_LATER = "throttled"  # the reason of a refusal that is not remembered
_STILL_SENT = 10.0  # seconds in which a command may be delivered again, though it was answered
_ENDING = frozenset({WriteKind.RETIMED, WriteKind.DECLINED, WriteKind.CANCELLED})


@dataclass(slots=True)
class Press:
    """A command that a panel sent, and what came back.

    Attributes:
        key: its idempotency key.
        action: book, extend, end or check-in.
        room: the room's id.
        meeting: the start of the meeting that it names.
        until: the end that it asks for.
        forbidden: why it must not be done; empty if it may.
        sent_at: elapsed seconds.
        replies: the outcomes that came, with their reasons, in order.
        times_sent: how often it was sent until now.
    """

    key: str
    action: str
    room: str
    meeting: datetime | None
    until: datetime | None
    forbidden: str
    sent_at: float
    replies: list[tuple[str, str | None]] = field(default_factory=list)
    times_sent: int = 0

    @property
    def settled(self) -> str | None:
        """The outcome that stays; None while there is none. What was throttled may be sent again."""
        return next((o for o, reason in self.replies if o != "accepted" and reason != _LATER), None)

    @property
    def final(self) -> str | None:
        """The outcome; None while there is none. Throttled is one if every sending was."""
        throttled = sum(reason == _LATER for _, reason in self.replies)
        return self.settled or ("refused" if throttled >= max(self.times_sent, 1) else None)


class ActionOracle:
    """Takes in commands, replies and writes.

    Args:
        report: is called with the rule, the room and what was seen.
        runs: whether the meeting of a room with such a start still runs for more than a minute.
        holds: whether a room's calendar has what was booked with such a key.
        answer_within: seconds in which a command that was accepted is answered.
    """

    def __init__(
        self,
        report: Callable[[str, str, str], None],
        runs: Callable[[str, datetime], bool],
        holds: Callable[[str, str], bool],
        answer_within: float,
    ) -> None:
        self.presses: dict[str, Press] = {}
        self.checked: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self._report = report
        self._runs = runs
        self._holds = holds
        self._answer_within = answer_within
        self._seen: Counter[str] = Counter()
        self._writes: list[CalendarWrite] = []
        self._blamed: set[tuple[str, str]] = set()
        self._forgotten: set[str] = set()  # keys of commands whose records may be lost

    def press(self, press: Press) -> None:
        """A panel sends a command. One that is sent again keeps its first sending."""
        self.presses.setdefault(press.key, press)

    def reply(self, key: str, outcome: str, reason: str | None) -> None:
        """A reply came."""
        press = self.presses.get(key)
        if press is None:
            self._blame("untrue", "-", key, f"a reply to a command that nobody sent: {outcome}")
            return
        before, is_first = press.settled, press.final is None
        press.replies.append((outcome, reason))
        self.checked["untrue"] += 1
        if is_first and outcome != "accepted":
            self.outcomes[f"{press.action} {outcome}" + (f" {reason}" if reason else "")] += 1
        if outcome == "done" and press.action == "end" and press.meeting is not None:
            self.checked["untrue"] += 1
            if self._runs(press.room, press.meeting) and not self._is_written(press):
                self._blame("untrue", press.room, key, "end done, and the meeting still runs")
        if outcome == "refused" and self._holds(press.room, key):
            self._blame("untrue", press.room, key, f"{press.action} refused, and it is booked")
        is_other = before not in (None, outcome, "uncertain") and outcome != "accepted"
        if is_other and key not in self._forgotten:
            self._blame("untrue", press.room, key, f"first {before}, then {outcome}")

    def reply_elsewhere(self, topic: str) -> None:
        """A reply was published where no panel may ask for one."""
        self._blame("elsewhere", "-", topic, f"a reply on {topic}")

    def look(self, writes: Sequence[CalendarWrite], service: str = "") -> None:
        """Judges the writes that are new of those to one service."""
        for write in writes[self._seen[service] :]:
            self._writes.append(write)
            self._judge(write)
        self._seen[service] = len(writes)

    def forget(self, elapsed: float) -> None:
        """The daemon may have lost its records, as on a disk that is full.

        Commands that are not answered yet, or are delivered again, may be new to it. A booking is known by
        its key on the calendar. Of a meeting that was ended nothing shows that: it may be refused as over.
        """
        for press in self.presses.values():
            if press.final is None or elapsed - press.sent_at < _STILL_SENT:
                self._forgotten.add(press.key)

    def await_answers(self, elapsed: float) -> None:
        """Judges the commands whose answer is due."""
        for press in self.presses.values():
            self.checked["unanswered"] += 1
            late = elapsed - press.sent_at > self._answer_within
            # A meeting that another command has ended is no outcome of this one.
            others = [other for other in self._same_as(press) if other is not press and other.final]
            taken = bool(press.replies) or (self._is_written(press) and not others)
            if press.final is None and late and taken:
                waits = (
                    f"{elapsed - press.sent_at:.1f} s ago, {press.forbidden or 'allowed'}, {press.replies}"
                )
                self._blame(
                    "unanswered", press.room, press.key, f"{press.action} was taken, and no more: {waits}"
                )

    def waiting(self, write: CalendarWrite) -> list[Press]:
        """The commands that may have caused a write, and have no outcome yet."""
        return [p for p in self.presses.values() if p.final is None and _may_cause(p, write)]

    def settle(self) -> None:
        """Judges the replies about bookings, and refused ends, once nothing is under way any more."""
        for press in self.presses.values():
            self.checked["untrue"] += 1
            same = self._same_as(press)
            writes = press.action in ("book", "extend")
            if press.final == "done" and writes and not any(self._is_booked(other) for other in same):
                self._blame("untrue", press.room, press.key, f"{press.action} done, and nothing is booked")
            refused = press.final == "refused" and press.action == "end" and press.key not in self._forgotten
            if refused and self._is_written(press) and all(other.final == "refused" for other in same):
                text = f"end refused, and the meeting was ended: {self._history(same)}"
                self._blame("untrue", press.room, press.key, text)

    # --- internals ---

    def _judge(self, write: CalendarWrite) -> None:
        self.checked["other"] += 1
        self.checked["twice"] += 1
        if write.kind is WriteKind.DELETED:
            self._judge_withdrawal(write)
        elif write.kind is WriteKind.CREATED:
            self._judge_booking(write)
        else:
            self._judge_end(write)

    def _judge_booking(self, write: CalendarWrite) -> None:
        press = self.presses.get(write.key or "")
        if press is None or press.action not in ("book", "extend") or press.room != write.room:
            self._blame("other", write.room, write.meeting, f"{write.key}: a booking that nobody asked for")
            return
        if press.until != write.end:
            self._blame("other", write.room, press.key, f"booked until {write.end}, asked for {press.until}")
        self._check_allowed(press)
        if self._count(WriteKind.CREATED, press.key) > 1:
            self._blame("twice", write.room, press.key, "was booked twice")

    def _judge_end(self, write: CalendarWrite) -> None:
        named = [press for press in self.presses.values() if _may_cause(press, write)]
        if not named:
            self._blame("other", write.room, write.meeting, f"{write.kind}: no command names {write.start}")
            return
        if write.new_end is not None and write.new_end > write.end:
            self._blame("other", write.room, write.meeting, f"was made longer: {write.new_end}")
        if all(press.forbidden for press in named):
            self._check_allowed(named[0])
        # One that was moved since may be ended again, by the start that it has now.
        same = [w for w in self._writes if (w.meeting, w.start) == (write.meeting, write.start)]
        times = sum(w.kind in _ENDING for w in same)
        if times > len(named):
            self._blame("twice", write.room, write.meeting, f"{write.kind} {times} times, asked {len(named)}")

    def _judge_withdrawal(self, write: CalendarWrite) -> None:
        if write.key not in self.presses:
            self._blame("other", write.room, write.meeting, "a meeting that placed had not made was deleted")

    def _check_allowed(self, press: Press) -> None:
        self.checked["outside"] += 1
        if press.forbidden:
            self._blame("outside", press.room, press.key, f"{press.action} was done: {press.forbidden}")

    def _is_booked(self, press: Press) -> bool:
        """Whether its booking is in the calendar, or was until its meeting was ended."""
        booked = self._count(WriteKind.CREATED, press.key) > self._count(WriteKind.DELETED, press.key)
        return booked or self._was_ended(press)

    def _was_ended(self, press: Press) -> bool:
        """Whether it was booked, and may have been taken back since: a meeting ends with its extensions."""
        ends = [p for p in self.presses.values() if p.action == "end" and p.room == press.room]
        return self._is_written(press) and any(end.final != "refused" for end in ends)

    def _same_as(self, press: Press) -> list[Press]:
        return [other for other in self.presses.values() if _asks_the_same(press, other)]

    def _is_written(self, press: Press) -> bool:
        return any(_may_cause(press, write) for write in self._writes)

    def _history(self, presses: Sequence[Press]) -> str:
        """What was sent, answered and written, for the report."""
        sent = [(round(p.sent_at, 1), p.key[:8], p.times_sent, p.forbidden, p.replies) for p in presses]
        written = [
            (w.number, w.kind.value, w.meeting, w.end) for w in self._writes if _may_cause(presses[0], w)
        ]
        return f"{sent}, {written}"

    def _count(self, kind: WriteKind, key: str) -> int:
        return sum(write.kind is kind and write.key == key for write in self._writes)

    def _blame(self, rule: str, room: str, about: str, text: str) -> None:
        if (rule, about) not in self._blamed:
            self._blamed.add((rule, about))
            self._report(rule, room, text)


def _may_cause(press: Press, write: CalendarWrite) -> bool:
    if write.kind in _ENDING:
        return (press.action, press.room, press.meeting) == ("end", write.room, write.start)
    return write.kind is WriteKind.CREATED and write.key == press.key


def _asks_the_same(press: Press, other: Press) -> bool:
    """Whether what was done for the other is done for this one, too.

    They end one meeting, or extend one to the same minute, whichever of its parts they name. Bookings differ.
    """
    if press.action == "book" or (press.action, press.room) != (other.action, other.room):
        return press is other
    return press.until == other.until if press.action == "extend" else press.meeting == other.meeting
