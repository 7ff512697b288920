from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from placed.http.responses import Representation, accepts_gzip, add_common_fields


@pytest.mark.parametrize(
    ("field", "taken"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=0.5", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("x-gzip", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("*;q=0", False),
        ("br", False),
        ("gzip;q=much", False),
    ],
)
def test_gzip_follows_accept_encoding(field: str, taken: bool) -> None:  # noqa: FBT001
    assert accepts_gzip(field) is taken


# --- entity tags --------------------------------------------------------------------------------------------


async def tag_of(body: bytes, *, tag: str | None = None, **fields: str) -> str:
    """The entity tag that a body is answered with."""
    headers = {name.replace("_", "-"): value for name, value in fields.items()}
    request = make_mocked_request("GET", "/", headers=headers)
    return (await Representation(body, tag=tag).answer(request)).headers["ETag"]


async def is_known(field: str) -> bool:
    """Whether a client that sends this If-None-Match is answered with 304."""
    request = make_mocked_request("GET", "/", headers={"If-None-Match": field.strip()})  # as it is parsed
    return (await Representation(b"{}", tag="7-4").answer(request)).status == 304


@pytest.mark.parametrize(
    ("field", "same"),
    [
        ('"7-4"', True),
        ('W/"7-4"', True),
        ("*", True),
        (" * ", True),
        ('"7-3", "7-4"', True),
        ('"7-3",W/"7-4" , "7-5"', True),
        ('"a,b", "7-4"', True),
        ("", False),
        ('"7-3"', False),
        ('"7-4-gzip"', False),
        ("7-4", False),
        ('"7-4', False),
        ('"7-4" "7-5"', False),
        ('w/"7-4"', False),
        ('"x*"', False),
        ('"7-3", *', False),
    ],
)
async def test_a_field_names_a_tag_by_the_weak_comparison(field: str, same: bool) -> None:  # noqa: FBT001
    assert await is_known(field) is same


async def test_a_field_that_is_not_understood_gets_the_whole_answer() -> None:
    """Which is right in any case."""
    assert not await is_known(',, "7-4"')


async def test_other_content_has_another_tag() -> None:
    assert await tag_of(b"a") == await tag_of(b"a") != await tag_of(b"b")


async def test_a_packed_answer_has_a_tag_of_its_own() -> None:
    body = b"a" * 4096
    assert await tag_of(body, tag="7-4") == '"7-4"'
    assert await tag_of(body, tag="7-4", Accept_Encoding="gzip") == '"7-4-gzip"'


async def test_a_long_field_is_read_in_no_time() -> None:
    """A client that sends it must not be able to keep the server busy."""
    assert not await is_known('"a",' * 2000 + " " * 4000 + "x")


# --- what every answer carries ------------------------------------------------------------------------------


def test_an_answer_keeps_the_policy_that_it_has() -> None:
    headers: CIMultiDict[str] = CIMultiDict({"Content-Security-Policy": "default-src 'self'"})
    add_common_fields(headers)
    assert headers.getall("Content-Security-Policy") == ["default-src 'self'"]
    assert headers["Server"] == "placed"
