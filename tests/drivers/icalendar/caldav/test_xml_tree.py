"""XML of servers is parsed without document types, within limits, and without holding the event loop."""

from __future__ import annotations

import asyncio
import gc
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.driver import UnexpectedAnswer
from placed_icalendar.caldav.multistatus import each_response, responses_of
from placed_icalendar.caldav.xml_tree import Element, parse

RESPONSE = (
    b"<d:response><d:href>/a/</d:href><d:propstat><d:prop><d:displayname>A</d:displayname></d:prop>"
    b"<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
)
GOOD = b'<d:multistatus xmlns:d="DAV:">' + RESPONSE + b"</d:multistatus>"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"no XML",
        GOOD[:-5],
        GOOD + GOOD,
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<a>&b;</a>",
        b"<a>" * 100 + b"</a>" * 100,
        b"\xff\xfe<a/>",
        b"<p:a/>",
    ],
)
async def test_what_is_no_sound_xml_is_an_unexpected_answer(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        await parse(body)


async def test_too_many_elements_are_refused() -> None:
    with pytest.raises(UnexpectedAnswer, match="more XML"):
        await parse(b"<a>" + b"<b/>" * 500_000 + b"</a>")


async def test_names_have_their_namespaces_whatever_the_prefix() -> None:
    (one,) = await responses_of(
        GOOD.replace(b"d:", b"").replace(b"xmlns:d", b"xmlns").replace(b":d=", b"="), "/"
    )
    (other,) = await responses_of(GOOD, "/")
    assert one.text("{DAV:}displayname") == other.text("{DAV:}displayname") == "A"


@pytest.mark.parametrize(
    ("response", "status"),
    [
        (b"<d:status>HTTP/1.1 404 Not Found</d:status>", 404),
        (b"<d:status>HTTP/1.1 507 Insufficient Storage</d:status>", 507),
        (b"<d:status>all is well</d:status>", 0),
        (b"", 0),
    ],
)
async def test_a_response_without_a_good_status_is_not_good(response: bytes, status: int) -> None:
    body = b'<d:multistatus xmlns:d="DAV:"><d:response><d:href>/a/</d:href>' + response
    (one,) = await responses_of(body + b"</d:response></d:multistatus>", "/")
    assert (one.status, one.ok) == (status, False)


@pytest.mark.parametrize(
    "href",
    ["/r%C3%A4ume/a", "/r%c3%a4ume/a/", "https://other.example/r%C3%A4ume/a/", "a/", "../räume/a/", " a\n"],
)
async def test_each_spelling_of_an_address_is_the_same(href: str) -> None:
    body = GOOD.replace(b"/a/", href.encode())
    (one,) = await responses_of(body, "/r%C3%A4ume/")
    assert one.key == "/räume/a"
    assert one.path.isascii()


@pytest.mark.parametrize("href", [b"", b"   ", b"mailto:ada@example.com", b"https://[::1", b"javascript:a"])
async def test_what_is_no_address_is_an_unexpected_answer_or_that_which_was_asked(href: bytes) -> None:
    body = GOOD.replace(b"/a/", href)
    try:
        (one,) = await responses_of(body, "/home/")
    except UnexpectedAnswer:
        return
    assert one.path == "/home/"


@given(st.binary(max_size=400), st.integers(0, len(GOOD)), st.integers(0, 40))
async def test_spoiled_answers_raise_nothing_else(noise: bytes, place: int, cut: int) -> None:
    body = GOOD[:place] + noise + GOOD[place + cut :]
    try:
        await responses_of(body, "/")
    except UnexpectedAnswer:
        return


async def test_six_megabytes_are_parsed_without_holding_the_event_loop() -> None:
    """The other tasks get their turn between the pieces."""
    text = b"BEGIN:VCALENDAR\r\n" * 70
    body = (
        b'<d:multistatus xmlns:d="DAV:">' + RESPONSE.replace(b"A<", text + b"<") * 5000 + b"</d:multistatus>"
    )
    assert len(body) > 6_000_000
    turns: list[float] = []

    async def count() -> None:
        while True:
            turns.append(time.perf_counter())
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    found = await responses_of(body, "/")
    counting.cancel()
    assert len(found) == 5000
    assert len(turns) > len(body) / 2**17


async def test_a_large_answer_is_never_in_memory_as_a_whole_tree() -> None:
    """To free it, and to sort it by garbage collection, would hold the event loop for 20 ms and more."""
    body = b'<d:multistatus xmlns:d="DAV:">' + RESPONSE * 5000 + b"</d:multistatus>"
    before = _elements()
    count, most = 0, 0
    async for _ in each_response(body, "/"):
        count += 1
        if count % 1000 == 0:
            most = max(most, _elements() - before)
    assert count == 5000
    assert most < 5000  # of 30,000


def _elements() -> int:
    return sum(isinstance(one, Element) for one in gc.get_objects())


@pytest.mark.parametrize("end", [b"", b"</d:multistatus", b"</d:multistatus><a/>"])
async def test_responses_before_an_error_do_not_count(end: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        await responses_of(b'<d:multistatus xmlns:d="DAV:">' + RESPONSE * 5000 + end, "/")
