from __future__ import annotations

import pytest

from placed.http import etags


@pytest.mark.parametrize(
    ("field", "same"),
    [
        ('"7-4"', True),
        ('W/"7-4"', True),
        ("*", True),
        (" * ", True),
        ('"7-3", "7-4"', True),
        ('"7-3",W/"7-4" , "7-5"', True),
        (',, "7-4"', True),
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
def test_a_field_names_a_tag_by_the_weak_comparison(field: str, same: bool) -> None:  # noqa: FBT001
    assert etags.matches(field, '"7-4"') is same


def test_other_content_has_another_tag() -> None:
    assert etags.of_content(b"a") == etags.of_content(b"a") != etags.of_content(b"b")


def test_a_packed_answer_has_a_tag_of_its_own() -> None:
    assert etags.packed(etags.of_statement(7, 4), "gzip") == '"7-4-gzip"'


def test_a_long_field_is_read_in_no_time() -> None:
    """Whoever sends it must not be able to keep us busy."""
    assert not etags.matches('"a",' * 2000 + " " * 4000 + "x", '"7-4"')
