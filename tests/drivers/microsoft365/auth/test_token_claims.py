"""The claims of a token, also of a malformed one."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from placed_microsoft365.auth.token_claims import Claims, claims_of

KEY = "a key that nobody looks at, as long as it is long enough"


def token(**claims: Any) -> str:
    return jwt.encode(claims, KEY, algorithm="HS256")


def test_a_token_of_graph_is_read() -> None:
    found = claims_of(
        token(roles=["Calendars.Read"], appid="app", tid="tenant", oid="principal", appidacr="2", exp=1)
    )
    assert found == Claims(("Calendars.Read",), "app", "tenant", "principal", by_certificate=True)


def test_a_token_of_the_other_version_is_read_too() -> None:
    found = claims_of(token(azp="app", azpacr="1"))
    assert found == Claims(application="app", by_certificate=False)


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "...", "\udcff", "e30.e30.", "W10.W10.W10"])
def test_an_unreadable_token_has_no_claims(text: str) -> None:
    assert claims_of(text) in (None, Claims())


@pytest.mark.parametrize("odd", [None, 1, "x", {"a": 1}, [1, None]])
def test_odd_claims_are_no_error(odd: Any) -> None:
    found = claims_of(token(roles=odd, tid=odd, oid=odd, appid=odd, appidacr=odd))
    assert found is not None
    assert all(isinstance(role, str) for role in found.roles)
