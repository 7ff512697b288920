"""Waits until a grant is in effect, by checking periodically. Independent of service and terminal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from placed.driver import DriverError, GrantProbe, Unavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from placed.domain.clock import Clock

_HICCUP = 60.0  # seconds until the next check if network or service was down


@dataclass(frozen=True, slots=True)
class Look:
    """The result of one check.

    Attributes:
        elapsed: seconds since the start.
        rest: seconds until the next check; None after the last.
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
    """Checks at once, then every `every` seconds, and a last time after `at_most`.

    Ends early if the grant is in effect, or if waiting cannot help. It continues while the service is down.

    Args:
        probe: checks once; it may raise a `DriverError`.
        clock: for time and sleep.
        every: seconds between two checks.
        at_most: seconds after which it gives up.
        looked: called with the result of every check.
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
