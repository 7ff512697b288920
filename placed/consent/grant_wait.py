"""Waits until a grant is in effect: looks, rests and looks again. Knows no service and no terminal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from placed.driver import DriverError, GrantProbe, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed.domain.clock import Clock

_HICCUP = 60.0  # seconds until the next look, where network or service was down and nothing was learned


@dataclass(frozen=True, slots=True)
class Look:
    """What was found, and when it is looked for again.

    Attributes:
        elapsed: seconds since the waiting began.
        rest: seconds until the next look; None if this was the last.
    """

    elapsed: float
    probe: GrantProbe
    rest: float | None


async def until_effective(
    probe: Callable[[], Awaitable[GrantProbe]],
    clock: Clock,
    *,
    every: float,
    at_most: float,
    looked: Callable[[Look], None],
) -> Look:
    """Looks at once, then every so many seconds, and a last time when the time is over.

    Ends early once the grant is in effect, or where waiting is of no use. What is down is waited out.

    Args:
        probe: looks once; it may raise a `DriverError`.
        clock: what is waited with.
        every: seconds between two looks.
        at_most: seconds after which it is given up.
        looked: is told of every look.
    """
    began = clock.steady()
    while True:
        found, rest = await _look(probe, every)
        elapsed = clock.steady() - began
        left = at_most - elapsed
        over = found.effective or found.problem.lasting or left <= 0
        look = Look(elapsed, found, None if over else min(rest, left))
        looked(look)
        if look.rest is None:
            return look
        await clock.sleep(look.rest)


async def _look(probe: Callable[[], Awaitable[GrantProbe]], every: float) -> tuple[GrantProbe, float]:
    try:
        return await probe(), every
    except Unavailable as error:
        rest = min(every, max(_HICCUP, error.problem.retry_after or 0.0))
        return GrantProbe(effective=False, problem=replace(error.problem, lasting=False)), rest
    except DriverError as error:
        found = GrantProbe(effective=False, problem=error.problem)
        return found, every
