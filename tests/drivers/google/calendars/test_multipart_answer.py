"""The answer to a batch is taken apart; what is damaged is not used."""

from __future__ import annotations

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
    assert {key: found.body for key, found in answer.parts.items()} == {"0": b"zero", "1": b"one"}
    assert answer.whole


@pytest.mark.parametrize("boundary", ["b1", '"b1"', '"b1"; charset=UTF-8'])
def test_the_boundary_is_the_answer_s_own(boundary: str) -> None:
    assert taken_apart(part("<response-0>"), content_type=f"multipart/mixed; boundary={boundary}").parts


def test_each_part_has_a_status_and_a_rest_of_its_own() -> None:
    answer = taken_apart(part("<response-0>", "x", "403 Forbidden", "Retry-After: 17\r\n"))
    found = answer.parts["0"]
    assert (found.status, found.rest, found.body) == (403, 17.0, b"x")


def test_of_an_answer_that_was_cut_off_the_whole_parts_count() -> None:
    answer = taken_apart(part("<response-0>"), part("<response-1>")[:-20], end="")
    assert (list(answer.parts), answer.whole) == (["0"], False)


def test_a_part_that_may_be_cut_off_does_not_count() -> None:
    answer = taken_apart(part("<response-0>"), end="")
    assert (answer.parts, answer.whole) == ({}, False)


def test_of_two_parts_with_one_content_id_neither_is_used() -> None:
    answer = taken_apart(part("<response-0>", "a"), part("<response-0>", "b"), part("<response-1>"))
    assert list(answer.parts) == ["1"]


@pytest.mark.parametrize(
    "damaged",
    [
        "--b1\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\n\r\n{}\r\n",
        "--b1\r\nContent-ID: <response-1>\r\n\r\nno status\r\n\r\n{}\r\n",
        "--b1\r\nContent-ID: <response-1>\r\n\r\n",
        "--b1\r\n\r\n\r\n",
    ],
)
def test_a_malformed_part_is_skipped(damaged: str) -> None:
    assert list(taken_apart(damaged, part("<response-0>")).parts) == ["0"]


@pytest.mark.parametrize(
    "content_type", ["text/html", "", "multipart/mixed", "application/json; boundary=b1"]
)
def test_what_is_no_multipart_is_no_answer(content_type: str) -> None:
    with pytest.raises(Unavailable, match="no batch"):
        taken_apart("<html>", content_type=content_type)


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    found = parts_of(Reply(200, None, b"--b1\r\n" + body, TYPE), lambda _text: None)
    assert all(isinstance(key, str) for key in found.parts)


def test_a_batch_numbers_its_parts() -> None:
    body = batch_request(["/calendar/v3/calendars/a%40b/events?x=1", "/y"]).decode()
    assert "Content-ID: <0>\r\n\r\nGET /calendar/v3/calendars/a%40b/events?x=1 HTTP/1.1\r\n" in body
    assert body.count("Content-Type: application/http\r\n") == 2
    assert body.endswith("--placed-batch--\r\n")
