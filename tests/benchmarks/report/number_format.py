"""Figures in words, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.results import Figure

_WHOLE = 100  # from here on a figure has no decimals
_PART = 0.1  # below, a share is written as a fraction of one


def number(value: float) -> str:
    """Three digits that count: 1,234 or 12.3 or 0.0123."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.3g}"


def ratio(value: float) -> str:
    """1.31, or 1/1,234 where it is a small part."""
    return f"{value:.2f}" if value >= _PART or value <= 0 else f"1/{1 / value:,.0f}"


def relation(figure: Figure) -> str:
    """How much it is of what: `1.31 x floor`, `1/1,234 of O365 2.1`; nothing where it stands for itself."""
    match figure.against:
        case "":
            return ""
        case "floor":
            return f"{ratio(figure.value)} x floor"
        case peer:
            return f"{ratio(figure.value)} of {peer}"


def bound(figure: Figure, unit: str) -> str:
    """What it may be at most."""
    if figure.at_most is None:
        return "-"
    return ratio(figure.at_most) if figure.against else f"{number(figure.at_most)} {unit}"
