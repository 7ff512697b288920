"""The answer to a batch is taken apart; what is damaged is not used."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placed.driver import Unavailable
from placed_google.api.reply import Reply
from placed_google.calendars.batch_request import batch_request
from placed_google.calendars.multipart_answer import BatchAnswer, parts_of

TYPE = "multipart/mixed; boundary=b1"


def part(content_id: str, body: str = "{}", status: str = "200 OK", head: str = "") -> str:
    return (
        f"--b1\r\nContent-Type: application/http\r\nContent-ID: {content_id}\r\n\r\n"
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{head}\r\n{body}\r\n"
    )


def taken_apart(*parts: str, end: str = "--b1--\r\n", content_type: str = TYPE) -> BatchAnswer:
    body = "".join([*parts, end]).encode()
    return parts_of(Reply(200, None, body, content_type), lambda text: float(text) if text else None)


@pytest.mark.parametrize("form", ["<response-{}>", "<{}>", "response-{}", "{}", " <RESPONSE-{}> "])
def test_parts_are_found_by_their_content_id_in_any_order(form: str) -> None:
    answer = taken_apart(part(form.format(1), "one"), part(form.format(0), "zero"))
    assert {key: found.body for key, found in answer.parts.items()} == {0: b"zero", 1: b"one"}
    assert answer.whole


def test_the_body_of_a_part_is_not_copied() -> None:
    outer = Reply(200, None, f"{part('<response-0>', 'zero')}--b1--\r\n".encode(), TYPE)
    body = parts_of(outer, lambda _text: None).parts[0].body
    assert isinstance(body, memoryview)
    assert body.obj is outer.body


@pytest.mark.parametrize("boundary", ["b1", '"b1"', '"b1"; charset=UTF-8'])
def test_the_boundary_is_the_answer_s_own(boundary: str) -> None:
    assert taken_apart(part("<response-0>"), content_type=f"multipart/mixed; boundary={boundary}").parts


def test_each_part_has_a_status_and_a_rest_of_its_own() -> None:
    answer = taken_apart(part("<response-0>", "x", "403 Forbidden", "Retry-After: 17\r\n"))
    found = answer.parts[0]
    assert (found.status, found.rest, found.body) == (403, 17.0, b"x")


def test_of_an_answer_that_was_cut_off_the_whole_parts_count() -> None:
    answer = taken_apart(part("<response-0>"), part("<response-1>")[:-20], end="")
    assert (list(answer.parts), answer.whole) == ([0], False)


def test_a_part_that_may_be_cut_off_does_not_count() -> None:
    answer = taken_apart(part("<response-0>"), end="")
    assert (answer.parts, answer.whole) == ({}, False)


def test_of_two_parts_with_one_content_id_neither_is_used() -> None:
    answer = taken_apart(part("<response-0>", "a"), part("<response-0>", "b"), part("<response-1>"))
    assert list(answer.parts) == [1]


@pytest.mark.parametrize(
    "damaged",
    [
        "--b1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n",
        "--b1\r\nContent-ID: <response-1>\r\n\r\nno status\r\n\r\n{}\r\n",
        "--b1\r\nContent-ID: <response-1>\r\n\r\n",
        "--b1\r\n\r\n\r\n",
        "--b1\r\nContent-ID: <response-1>\r\n",
        "--b1\r\nContent-ID: <response-1>\r\n\r\nHTTP/1.1 200 OK\r\n",
        "--b1\r\nContent-ID: <response-1>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "--b1\r\nContent-ID: <response-x>\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n",
        "--b1\r\nContent-ID:\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n",
    ],
)
def test_a_malformed_part_is_skipped(damaged: str) -> None:
    assert list(taken_apart(damaged, part("<response-0>")).parts) == [0]


def test_a_head_that_was_cut_off_does_not_take_the_answer_of_the_next_part() -> None:
    """Otherwise a room would show the meetings of another."""
    for cut in range(len("--b1\r\n"), len(part("<response-1>", ""))):
        answer = taken_apart(part("<response-1>", "")[:cut] + "\r\n", part("<response-0>", "zero"))
        assert 1 not in answer.parts or answer.parts[1].body != b"zero"
        assert answer.parts[0].body == b"zero"


def test_a_body_of_many_lines_is_taken_as_it_is() -> None:
    """A gateway's page, or JSON that was asked for with indentation."""
    body = "<html>\r\n\r\n<p>\r\n--b\r\n</html>\r\n"
    answer = taken_apart(part("<response-0>", body, "502 Bad Gateway"), part("<response-1>"))
    assert (answer.parts[0].body, answer.parts[1].body) == (body.encode(), b"{}")


def test_a_content_id_among_the_headers_of_a_response_is_not_the_part_s() -> None:
    answer = taken_apart(part("<response-0>", head="Content-ID: <response-1>\r\n"))
    assert list(answer.parts) == [0]


@pytest.mark.parametrize("line", ["Content-ID: <response-1>\r\n", "Content-ID: <x>\r\n", "A: b\r\n"])
def test_a_head_of_any_size_is_read_once(line: str) -> None:
    """A head that had to be read again from each of its lines would take minutes."""
    body = f"--b1\r\n{line * 100_000}\r\nno status\r\n--b1--\r\n".encode()
    outer = Reply(200, None, body, TYPE)
    begun = time.process_time()
    assert parts_of(outer, lambda _text: None).parts == {}
    assert time.process_time() - begun < 5.0


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html",
        "",
        "multipart/mixed",
        "application/json; boundary=b1",
        "multipart/mixed; boundary=\udcff",  # bytes that are no UTF-8, as aiohttp passes them on
        "multipart/mixed; boundary=bé",
    ],
)
def test_what_is_no_multipart_is_no_answer(content_type: str) -> None:
    with pytest.raises(Unavailable, match="no batch"):
        taken_apart("<html>", content_type=content_type)


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    found = parts_of(Reply(200, None, b"--b1\r\n" + body, TYPE), lambda _text: None)
    assert all(isinstance(key, int) for key in found.parts)


def test_a_batch_numbers_its_parts() -> None:
    body = batch_request(["/calendar/v3/calendars/a%40b/events?x=1", "/y"]).decode()
    assert "Content-ID: <0>\r\n\r\nGET /calendar/v3/calendars/a%40b/events?x=1 HTTP/1.1\r\n" in body
    assert body.count("Content-Type: application/http\r\n") == 2
    assert body.endswith("--placed-batch--\r\n")
