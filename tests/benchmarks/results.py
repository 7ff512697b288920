"""A row of the table: what was measured, and how much of it may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator


class Figure(msgspec.Struct, frozen=True):
    """What a row is judged by.

    Attributes:
        against: `floor`, the name of a peer, or "" for the value itself.
        value: ours in relation to it; less is better.
        at_most: what it may be; None where it is for information.
    """

    against: str
    value: float
    at_most: float | None

    @property
    def kept(self) -> bool:
        """Whether it is within its bound."""
        return self.at_most is None or self.value <= self.at_most


class Row(msgspec.Struct, frozen=True):
    """One thing that was measured.

    Attributes:
        key: names it for good, such as `poll.unchanged.5500`.
        what: the same in words.
        unit: of `ours`, `floor` and `peers`.
        ours: what placed takes.
        floor: what the same takes with nothing but what has to be; None where there is no such thing.
        at_most: how many floors, or where there is none, how many units it may be.
        peers: what others take, by name and version.
        peers_at_most: what share of theirs ours may be.
        note: what else was seen.
    """

    key: str
    what: str
    unit: str
    ours: float
    floor: float | None = None
    at_most: float | None = None
    peers: dict[str, float] = {}
    peers_at_most: dict[str, float] = {}
    note: str = ""

    @property
    def figures(self) -> Iterator[Figure]:
        """What is to be kept."""
        if self.floor is None:
            yield Figure("", self.ours, self.at_most)
        else:
            yield Figure("floor", self.ours / self.floor, self.at_most)
        for peer, theirs in self.peers.items():
            yield Figure(peer, self.ours / theirs, self.peers_at_most.get(peer))

    @property
    def kept(self) -> bool:
        """Whether all of it is within its bounds."""
        return all(figure.kept for figure in self.figures)


class Curve(msgspec.Struct, frozen=True):
    """Points to be drawn as a line of a plot: `plot` names the plot's file, `name` the line."""

    plot: str
    name: str
    points: list[tuple[float, float]]


class Result(msgspec.Struct, frozen=True):
    """What a measure found."""

    rows: list[Row]
    curves: list[Curve] = []
