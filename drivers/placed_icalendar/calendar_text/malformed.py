"""What is wrong with a calendar's text, and where, without any of the text."""

from __future__ import annotations


class Malformed(Exception):
    """A calendar's text is not understood, so nothing may be concluded from it.

    Attributes:
        what: a sentence without any value of the text, since values are titles, names and addresses.
        line: the line of the body, counted from 1 before unfolding; None if it is about the whole body.
        property_name: the property of RFC 5545, upper-case; None if it is about none.
    """

    def __init__(self, what: str, line: int | None = None, property_name: str | None = None) -> None:
        super().__init__(what, line, property_name)
        self.what = what
        self.line = line
        self.property_name = property_name

    def __str__(self) -> str:
        where = [] if self.property_name is None else [self.property_name]
        if self.line is not None:
            where.append(f"line {self.line}")
        return f"{self.what} ({', '.join(where)})" if where else self.what


class OverBudget(Malformed):
    """Reading a calendar needed more time or memory than it may take."""
