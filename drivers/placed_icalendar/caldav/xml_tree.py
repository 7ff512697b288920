"""Parses the XML of a WebDAV answer; a document type, and with it every entity, is refused."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING
from xml.parsers import expat

from placed.driver import UnexpectedAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PIECE = 2**15  # bytes that are parsed without a break: some milliseconds
_DEEPEST = 50
_MOST_ELEMENTS = 400_000  # 20,000 events have some 160,000
_NO_ATTRIBUTES: Mapping[str, str] = MappingProxyType({})


class Element:
    """An element: its name as `{namespace}name`, its attributes, its children and its text.

    Most have no child, no attribute and one piece of text. They have no list or dict of their own then, since
    an answer has tens of thousands, which garbage collection would look at.
    """

    __slots__ = ("_text", "attributes", "children", "name")

    def __init__(self, name: str, attributes: Mapping[str, str]) -> None:
        self.name = name
        self.attributes = attributes or _NO_ATTRIBUTES
        self.children: Sequence[Element] = ()
        self._text: str | list[str] = ""

    @property
    def text(self) -> str:
        """The element's own text, without that of its children."""
        return self._text if isinstance(self._text, str) else "".join(self._text)

    def add_text(self, text: str) -> None:
        """Adds a piece of text."""
        if not self._text:
            self._text = text
        elif isinstance(self._text, str):
            self._text = [self._text, text]
        else:
            self._text.append(text)

    def add_child(self, child: Element) -> None:
        """Adds a child."""
        if isinstance(self.children, list):
            self.children.append(child)
        else:
            self.children = [child]

    def child(self, name: str) -> Element | None:
        """Returns the first child of that name."""
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[Element]:
        """Yields the children of that name."""
        return (child for child in self.children if child.name == name)

    def text_of(self, name: str) -> str:
        """Returns the text of the first child of that name, without white space around it; "" if none."""
        child = self.child(name)
        return "" if child is None else child.text.strip()


async def parse(body: bytes) -> Element:
    """Parses a document piece by piece, so that the event loop is never held for long.

    Raises:
        UnexpectedAnswer: it is no XML, has a document type, or is deeper or larger than any expected answer.
    """
    builder = _Builder()
    for start in range(0, len(body), _PIECE):
        if start:
            await asyncio.sleep(0)
        builder.feed(body[start : start + _PIECE])
    return builder.whole()


class _Builder:
    """Builds the tree of one document."""

    def __init__(self) -> None:
        self._parser = parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._document_type
        self._root: Element | None = None
        self._open: list[Element] = []
        self._count = 0

    def feed(self, piece: bytes) -> None:
        """Parses the next piece."""
        self._parse(piece, last=False)

    def whole(self) -> Element:
        """Returns the root once every piece was fed."""
        self._parse(b"", last=True)
        if self._root is None:
            raise UnexpectedAnswer("the answer is no XML")
        return self._root

    def _parse(self, piece: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(piece, last)
        except (expat.ExpatError, ValueError, LookupError):  # the others: an unknown or unusable encoding
            raise UnexpectedAnswer("the answer is no XML") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = Element(f"{{{name}" if "}" in name else name, attributes)
        self._count += 1
        if len(self._open) >= _DEEPEST or self._count > _MOST_ELEMENTS:
            raise UnexpectedAnswer("the answer has more XML than any expected one")
        if self._open:
            self._open[-1].add_child(element)
        else:
            self._root = element
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _characters(self, text: str) -> None:
        if self._open:
            self._open[-1].add_text(text)

    def _document_type(self, *_declaration: object) -> None:
        raise UnexpectedAnswer("the answer declares a document type, which no calendar server needs")
