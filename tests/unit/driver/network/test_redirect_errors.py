"""Redirects of gateways and captive portals are named as such, and nothing secret of them is repeated."""

from __future__ import annotations

import pytest

from placed.driver.network.redirect_errors import is_redirect, redirected

SERVICE = "https://calendar.example:8443"


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://portal.example/login?who=ada@contoso.example", " to portal.example "),
        ("http://user:secret@portal.example:8080/secret", " to portal.example "),
        ("/secret", " redirect ("),
        ("", " redirect ("),
        ("http://[", " redirect ("),
        ("http://port al.example/secret", " redirect ("),
        (f"http://{'secret.' * 30}example/", " redirect ("),
    ],
)
def test_the_host_of_a_redirect_is_named_and_nothing_else_of_it(location: str, named: str) -> None:
    error = redirected(SERVICE, 302, {"Location": location})
    assert named in error.problem.text
    assert "calendar.example" in error.problem.text
    assert "gateway" in error.problem.remedy
    assert not error.problem.lasting
    assert "secret" not in error.problem.line
    assert "ada" not in error.problem.line


def test_an_unchanged_answer_is_no_redirect() -> None:
    assert [status for status in (200, 300, 302, 304, 308, 399, 400) if is_redirect(status)] == [
        300,
        302,
        308,
        399,
    ]
