"""What became of meetings to which nobody checked in, as the status endpoint reports it. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class NoShowOutcome(StrEnum):
    """What became of such a meeting, beside the reasons for which it was kept; a label of the metrics."""

    RELEASED = "released"  # in a rehearsal: it would have been
    FAILED = "failed"  # the release was refused, or it is not known whether it was carried out


class NoShowReport(Protocol):
    """The numbers of no-shows. There is none of a single room."""

    @property
    def configured(self) -> bool:
        """Whether a connection has no-shows."""
        ...

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """How many meetings there were since the start, by mode and by what became of them."""
        ...

    def documents(self) -> Sequence[dict[str, Any]]:
        """The numbers of this and the last week, a document for each connection."""
        ...
