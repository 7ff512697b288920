"""Logs once per round which rooms became unreadable or readable: one line per kind, not per room."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import structlog

from placed.domain.model import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

log = structlog.get_logger("placed.polling.poller")


class RoundLog:
    """The changes of one connection's rooms in one reading."""

    def __init__(self) -> None:
        self.answered: set[str] = set()
        self.failed: defaultdict[tuple[Reason, str], list[str]] = defaultdict(list)
        self.recovered: list[str] = []

    def write(self, connection: str, *, others_readable: bool, outside: str) -> None:
        """Writes the lines, if there are any.

        A room that is refused while others are readable is no error: it is outside the fence. `outside` is
        what to do if that is not wanted.
        """
        for (reason, detail), rooms in self.failed.items():
            if reason is Reason.FORBIDDEN and others_readable:
                log.info(
                    "rooms.are_outside_the_fence",
                    connection=connection,
                    detail=detail,
                    count=len(rooms),
                    rooms=_some(rooms),
                    remedy=outside,
                )
                continue
            log.warning(
                "rooms.became_unreadable",
                connection=connection,
                reason=reason.value,
                detail=detail,
                count=len(rooms),
                rooms=_some(rooms),
            )
        if self.recovered:
            log.info(
                "rooms.became_readable",
                connection=connection,
                count=len(self.recovered),
                rooms=_some(self.recovered),
            )


def _some(rooms: Sequence[str]) -> list[str]:
    return [*rooms[:10], *(["…"] if len(rooms) > 10 else [])]  # noqa: PLR2004 - enough to begin to look
