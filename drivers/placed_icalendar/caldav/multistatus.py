"""The answer to PROPFIND and REPORT: many responses, each with a status of its own (RFC 4918, 13)."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from placed.driver import UnexpectedAnswer
from placed_icalendar.caldav import dav_names as names
from placed_icalendar.caldav.hrefs import key_of, path_of
from placed_icalendar.caldav.xml_tree import parts_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from placed_icalendar.caldav.xml_tree import Element

_STATUS = re.compile(r"HTTP/\d(?:\.\d)?\s+(\d{3})(?:\s|$)")
UNKNOWN = 0  # in place of a status that is no status


class DavResponse(NamedTuple):
    """What a server answers about one resource.

    Attributes:
        path: encoded.
        status: of the resource; 200 if each property has one.
        properties: those that were answered with 200, by name.
        refused: the statuses of the others.
    """

    path: str
    status: int
    properties: Mapping[str, Element]
    refused: Mapping[str, int]

    @property
    def key(self) -> str:
        """What is the same of all spellings of its address."""
        return key_of(self.path)

    @property
    def ok(self) -> bool:
        """Whether it is there."""
        return self.status == HTTPStatus.OK

    def hrefs(self, name: str) -> list[str]:
        """Returns the addresses in a property, as they are written."""
        found = self.properties.get(name)
        return (
            []
            if found is None
            else [href.text.strip() for href in found.all(names.HREF) if href.text.strip()]
        )

    def text(self, name: str) -> str:
        """Returns the text of a property; "" if it has none."""
        found = self.properties.get(name)
        return "" if found is None else found.text.strip()


async def responses_of(body: bytes, asked: str) -> list[DavResponse]:
    """Parses a multistatus; see `each_response`."""
    return [one async for one in each_response(body, asked)]


async def each_response(body: bytes, asked: str) -> AsyncIterator[DavResponse]:
    """Parses a multistatus piece by piece, so that a large one need not be kept as a whole.

    Args:
        body: the answer with 207.
        asked: the path that was asked.

    Yields:
        Each response. They count only if no error follows them.

    Raises:
        UnexpectedAnswer: it is none.
    """
    async for root, part in parts_of(body):
        if part is None:
            if root.name != names.MULTISTATUS:
                raise UnexpectedAnswer("the answer is XML of another kind than was asked for")
        elif part.name == names.RESPONSE and root.name == names.MULTISTATUS:
            for response in _read(part, asked):
                yield response


def _read(response: Element, asked: str) -> Iterator[DavResponse]:
    """Yields what a response is about: several resources only if they share a status."""
    properties: dict[str, Element] = {}
    refused: dict[str, int] = {}
    for propstat in response.all(names.PROPSTAT):
        status = _status(propstat)
        prop = propstat.child(names.PROP)
        for one in () if prop is None else prop.children:
            if status == HTTPStatus.OK:
                properties[one.name] = one
            else:
                refused[one.name] = status
    stated = response.child(names.STATUS)
    status = HTTPStatus.OK if stated is None and response.child(names.PROPSTAT) else _status(response)
    hrefs = [href.text for href in response.all(names.HREF)]
    if not hrefs:
        raise UnexpectedAnswer("a response in the answer has no address")
    for href in hrefs:
        yield DavResponse(path_of(href, asked), status, properties, refused)


def _status(element: Element) -> int:
    found = _STATUS.match(element.text_of(names.STATUS))
    return int(found[1]) if found else UNKNOWN
