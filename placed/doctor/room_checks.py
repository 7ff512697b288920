"""Makes the findings from reading every room: numbers, and a few ids for each kind. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from placed.domain.model import Reason
from placed.domain.room_readability import outside_fence
from placed.driver import Failed, Finding, Verdict
from placed.driver.shared_findings import AGAIN
from placed.polling.ids_in_settings import ONE_ROOM
from placed.polling.room_tables import FITS_NO_ROOM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placed.domain.model import Room
    from placed.driver import Answer, DriverError

_FEW = 5  # room ids that are named of each kind
_WORDS = {
    Reason.FORBIDDEN: "refused",
    Reason.NOT_FOUND: "not found",
    Reason.THROTTLED: "throttled",
    Reason.MALFORMED: "not understood",
    Reason.UNAVAILABLE: "not available",
}
_NAMELESS = (
    'they are read all the same; name each in a table [rooms."<object id>"], or let the application read its '
    "calendar or name (docs/administrators.md)"
)
_REMEDIES = {
    Reason.THROTTLED: "wait some minutes, then run this again; if it persists, set polling.concurrency lower",
    Reason.MALFORMED: "open the calendar in its own program; if it looks correct there, report a bug",
    Reason.NOT_FOUND: "correct the rooms' addresses in the settings, or remove the rooms",
}


def judge_names(rooms: Sequence[Room]) -> list[Finding]:
    """Returns the findings `rooms`: how many there are, and which have an object id but no address."""
    nameless = sorted(room.id for room in rooms if room.address == room.object_id)
    found = [Finding.of("rooms", Verdict.GOOD, f"{len(rooms):,} found")]
    if nameless:
        message = f"{len(nameless):,} of {_rooms(len(rooms))} listed without an address{_names(nameless)}"
        found.append(Finding.of("rooms", Verdict.DOUBTFUL, message, _NAMELESS))
    return found


def judge_tables(tables: Sequence[str]) -> list[Finding]:
    """Returns the findings `rooms` for tables of the settings that match no room."""
    return [
        Finding.of(
            "rooms", Verdict.DOUBTFUL, f'[rooms."{table}"] fits no room of any connection', FITS_NO_ROOM
        )
        for table in tables
    ]


def judge_ids(tables: Sequence[str]) -> list[Finding]:
    """Returns the findings `rooms` for tables whose id another connection's room has."""
    text = 'another connection\'s room has the id of [rooms."{}"]'
    return [Finding.of("rooms", Verdict.DOUBTFUL, text.format(table), ONE_ROOM) for table in tables]


@dataclass(slots=True)
class Tally:
    """Counts answers."""

    total: int
    grant_delay: timedelta = timedelta(0)  # how long a change of the fence's group takes
    readable: set[str] = field(default_factory=set)  # room ids
    failed: defaultdict[Reason, list[Failed]] = field(default_factory=lambda: defaultdict(list))

    @property
    def answered(self) -> int:
        """Number of rooms with an answer."""
        return len(self.readable) + sum(map(len, self.failed.values()))

    @property
    def only_refused(self) -> bool:
        """Whether every room was refused."""
        return bool(self.total) and len(self.failed[Reason.FORBIDDEN]) == self.total

    def add(self, answer: Answer) -> None:
        """Counts the answer of a room."""
        if isinstance(answer, Failed):
            self.failed[answer.reason].append(answer)
        else:
            self.readable.add(answer.query.room.id)

    def findings(self, error: DriverError | None = None) -> list[Finding]:
        """Returns the findings `readable`, one per kind of failure."""
        verdict = Verdict.DOUBTFUL if self.readable else Verdict.BAD
        head = f"{len(self.readable):,} of {self.total:,} rooms can be read"
        found = []
        if error is not None:
            message = f"{head}, then: {error}" if self.answered else str(error)
            found.append(Finding.of("readable", verdict, message, error.problem.remedy or AGAIN))
        for reason, failures in sorted(self._kinds(), key=lambda kind: -len(kind[1])):
            message = f"{head}; {len(failures):,} {_WORDS.get(reason, reason.value)}{_details(failures)}"
            found.append(Finding.of("readable", verdict, message, self._remedy(reason, failures)))
        return found or [Finding.of("readable", Verdict.GOOD, f"{_rooms(self.total)} can be read")]

    def _kinds(self) -> Iterator[tuple[Reason, list[Failed]]]:
        """Yields failures of one reason and one remedy together."""
        for reason, failures in self.failed.items():
            by_remedy: defaultdict[str, list[Failed]] = defaultdict(list)
            for failure in failures:
                by_remedy[self._own_remedy(failure)].append(failure)
            for alike in by_remedy.values():
                yield reason, alike

    def _own_remedy(self, failure: Failed) -> str:
        """The driver's remedy, unless the room is outside of a group, membership of which takes its time."""
        outside = failure.reason is Reason.FORBIDDEN and self.readable and self.grant_delay
        return "" if outside else failure.problem.remedy

    def _remedy(self, reason: Reason, failures: Sequence[Failed]) -> str:
        if own := self._own_remedy(failures[0]):
            return own
        if reason is Reason.FORBIDDEN and self.readable:
            return outside_fence(self.grant_delay)
        return _REMEDIES.get(reason, AGAIN)


def _details(failures: Sequence[Failed]) -> str:
    """` (403 ErrorAccessDenied): boardroom, library and 3 more`."""
    detail = Counter(failure.problem.text for failure in failures).most_common(1)[0][0]
    return f" ({detail}){_names(sorted(failure.query.room.id for failure in failures))}"


def _names(ids: Sequence[str]) -> str:
    """`: boardroom, library and 3 more`."""
    more = f" and {len(ids) - _FEW:,} more" if len(ids) > _FEW else ""
    return f": {', '.join(ids[:_FEW])}{more}"


def _rooms(number: int) -> str:
    return "1 room" if number == 1 else f"{number:,} rooms"
