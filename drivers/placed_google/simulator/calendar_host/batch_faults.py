"""What goes wrong with a batch as a whole: parts that are missing, doubled, unknown or cut."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from placed_google.simulator.api_messages import JSON
from placed_google.simulator.faults.simulated_fault import Kind, Where
from placed_simulator.http_messages import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placed_google.simulator.faults.workspace_faults import Faults

BATCH = frozenset({Where.BATCH})


@dataclass(frozen=True, slots=True)
class PartAnswer:
    """One part of the answer: the Content-ID that it carries, and the calendar that it was asked of."""

    content_id: str | None
    room: str | None
    reply: Reply


def spoilt(faults: Faults, answers: Sequence[PartAnswer]) -> list[PartAnswer]:
    """The parts that come back in place of the right ones."""
    if not faults.active():
        return list(answers)

    def hit(kind: Kind) -> Callable[[int, PartAnswer], bool]:
        return lambda number, one: faults.take({kind}, BATCH, one.room, exact=number > 0) is not None

    missing, nameless = hit(Kind.MISSING_PART), hit(Kind.NO_CONTENT_ID)
    kept = [one for number, one in enumerate(answers) if not missing(number, one)]
    kept = [
        replace(one, content_id=None) if nameless(number, one) else one for number, one in enumerate(kept)
    ]
    if len(kept) > 1 and faults.take({Kind.DUPLICATE_PART}, BATCH) is not None:
        kept[1] = replace(kept[1], content_id=kept[0].content_id)
    if faults.take({Kind.UNKNOWN_PART}, BATCH) is not None:
        kept.append(PartAnswer("<response-nobody-asked>", None, Reply(200, b"{}", JSON)))
    return kept


def cut_short(faults: Faults, reply: Reply) -> Reply:
    """The multipart, broken off in the midst of its last part if a fault has it so."""
    if faults.take({Kind.TRUNCATED}, BATCH) is None:
        return reply
    begin = reply.body.rindex(b"HTTP/1.1")
    return replace(reply, body=reply.body[: (begin + len(reply.body)) // 2], broken=True)
