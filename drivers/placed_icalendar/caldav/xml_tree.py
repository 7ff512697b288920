"""Parses the XML of a WebDAV answer; a document type, and with it every entity, is refused."""

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING
from xml.parsers import expat

from placed.driver import UnexpectedAnswer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

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
    """Parses a small document, piece by piece, so that the event loop is never held for long.

    Raises:
        UnexpectedAnswer: it is no XML, has a document type, or is deeper or larger than any expected answer.
    """
    children: list[Element] = []
    async for root, child in parts_of(body):
        if child is not None:
            children.append(child)
            continue
        root.children = children
        return root
    raise AssertionError("a document ends with its root")


async def parts_of(body: bytes) -> AsyncIterator[tuple[Element, Element | None]]:
    """Parses a document piece by piece, and keeps nothing of it.

    A tree of a large answer is freed at once, and sorted by garbage collection at once, which holds the event
    loop for longer than to parse it.

    Yields:
        The root, which has no children here, with each child of it that is complete; and at the end, when the
        document was sound as a whole, the root alone.

    Raises:
        UnexpectedAnswer: see `parse`.
    """
    builder = _Builder()
    for start in range(0, len(body), _PIECE):
        if start:
            await asyncio.sleep(0)
        builder.feed(body[start : start + _PIECE])
        for child in builder.take():
            yield builder.root, child
    builder.end()
    yield builder.root, None


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
        self._complete: list[Element] = []  # children of the root
        self._open: list[Element] = []
        self._count = 0

    def feed(self, piece: bytes) -> None:
        """Parses the next piece."""
        self._parse(piece, last=False)

    def take(self) -> list[Element]:
        """Returns the children of the root that are complete, and were not taken yet."""
        taken, self._complete = self._complete, []
        return taken

    def end(self) -> None:
        """Notes that every piece was fed."""
        self._parse(b"", last=True)

    @property
    def root(self) -> Element:
        """The root, without its children."""
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
        if not self._open:
            self._root = element
        elif len(self._open) > 1:
            self._open[-1].add_child(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        if len(self._open) == 1:
            self._complete.append(element)

    def _characters(self, text: str) -> None:
        if self._open:
            self._open[-1].add_text(text)

    def _document_type(self, *_declaration: object) -> None:
        raise UnexpectedAnswer("the answer declares a document type, which no calendar server needs")
