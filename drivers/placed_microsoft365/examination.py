"""Tries every link of a connection, from its files to the claims of its token, for `placed doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver import Finding, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import FoundRoom, Surroundings
    from placed_microsoft365.settings import Microsoft365Settings


async def examine(settings: Microsoft365Settings, surroundings: Surroundings) -> AsyncIterator[Finding]:
    yield Finding("certificate", Verdict.BAD, f"{settings} {surroundings}")


async def look_at_habits(
    settings: Microsoft365Settings, surroundings: Surroundings, rooms: Sequence[FoundRoom]
) -> Sequence[Finding]:
    return [Finding("titles", Verdict.BAD, f"{settings} {surroundings} {rooms}")]
