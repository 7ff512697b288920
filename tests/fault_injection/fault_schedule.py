"""When which fault happens, out of a seed. Pure: the same seed makes the same schedule."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 8  # faults of a storm
_EACH = 2.5  # seconds, on average, from one fault's beginning to the next one's
_APART = 0.3  # seconds between two that cannot be together


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault.

    Attributes:
        lanes: what it needs for itself; two that need the same are not together.
        shortest, longest: for how many seconds it lasts.
        gentle: panels that stay connected do not lose a room by it.
    """

    lanes: frozenset[str]
    shortest: float = 1.0
    longest: float = 6.0
    gentle: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Planned:
    """A fault that is to be."""

    at: float  # seconds since the storm began
    name: str
    seconds: float
    seed: int  # of the choices that are its own


def storms(kinds: Mapping[str, Kind], seed: int) -> Iterator[tuple[Planned, ...]]:
    """One storm after the other, for ever; between two there is calm.

    Kinds are drawn as from a deck of cards, so that none is left out for long. One storm in three is of
    gentle faults alone, so that their own rule is tried.
    """
    chance = random.Random(seed)  # noqa: S311 - a play, not a secret
    names = sorted(kinds)
    gentle_ones = [name for name in names if kinds[name].gentle]
    decks = {None: _deck(names, chance), True: _deck(gentle_ones or names, chance)}
    while True:
        deck = decks[True if chance.random() < 1 / 3 else None]
        drawn = [next(deck) for _ in range(chance.randint(1, _MOST))]
        yield _arranged(drawn, kinds, chance)


def _deck(names: list[str], chance: random.Random) -> Iterator[str]:
    while True:
        yield from chance.sample(names, len(names))


def _arranged(names: list[str], kinds: Mapping[str, Kind], chance: random.Random) -> tuple[Planned, ...]:
    free_from: dict[str, float] = {}
    planned = []
    within = _EACH * len(names)
    for name in names:
        kind = kinds[name]
        seconds = round(chance.uniform(kind.shortest, kind.longest), 2)
        at = max([chance.uniform(0.0, within), *(free_from.get(lane, 0.0) for lane in kind.lanes)])
        free_from |= dict.fromkeys(kind.lanes, at + seconds + _APART)
        planned.append(Planned(round(at, 2), name, seconds, chance.randrange(2**32)))
    return tuple(sorted(planned))
