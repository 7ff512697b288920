"""Whatever a login host sends: a token that can be used, or a driver's error."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from placed.driver import DriverError
from placed.driver.network.service_clock import ServiceClock
from placed_microsoft365.auth import msal_login
from placed_microsoft365.auth.credential import Credential
from tests.support.arbitrary_json import anything, encoded

tokens = st.one_of(
    anything,
    st.fixed_dictionaries(
        {},
        optional={
            "access_token": st.one_of(anything, st.just("t0ken"), st.just("two\r\nlines")),
            "token_type": st.one_of(anything, st.just("Bearer")),
            "expires_in": st.one_of(anything, st.sampled_from(["3599", -1, 0, 10**400, float("nan")])),
            "refresh_in": anything,
            "error": st.one_of(anything, st.just("invalid_client")),
            "error_codes": st.one_of(
                anything, st.lists(st.sampled_from([7000215, 65001, 90033, 1, "x", None]))
            ),
            "error_description": st.one_of(
                anything, st.just("AADSTS700016: x"), st.just("AADSTS" + "9" * 5000)
            ),
            "suberror": anything,
            "scope": anything,
            "id_token": anything,
            "client_info": anything,
        },
    ),
)
HOST = "https://login.example"
CLOCK = ServiceClock(lambda: datetime(2026, 10, 6, tzinfo=UTC), lambda: 0.0)
CONFIGURATION = {
    "token_endpoint": f"{HOST}/t/oauth2/v2.0/token",
    "issuer": f"{HOST}/t/v2.0",
    "authorization_endpoint": f"{HOST}/t/oauth2/v2.0/authorize",
}
configurations = st.one_of(
    st.just(CONFIGURATION),
    st.just(CONFIGURATION),
    anything,
    st.fixed_dictionaries({name: st.one_of(st.just(good), anything) for name, good in CONFIGURATION.items()}),
)
headers = st.dictionaries(st.sampled_from(["Retry-After", "Content-Type"]), st.text(max_size=20), max_size=2)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.tuples(st.sampled_from([200, 200, 200, 400, 500]), configurations.map(encoded), headers),
    st.tuples(
        st.sampled_from([200, 200, 302, 400, 401, 429, 503]),
        st.one_of(st.binary(max_size=60), tokens.map(encoded)),
        headers,
    ),
)
def test_sign_ins(
    configuration: tuple[int, bytes, dict[str, str]], token_answer: tuple[int, bytes, dict[str, str]]
) -> None:
    """Either a token that fits into a header, for a time that makes sense, or a driver's error."""
    with suppress(DriverError):
        text, lifetime = _sign_in([configuration, token_answer])
        assert text
        assert text.isprintable()
        assert 60 <= lifetime <= 86_400


@pytest.mark.parametrize("token", [None, True, 5, "", "two\r\nlines"])
def test_what_is_no_text_is_no_token(token: object) -> None:
    found: dict[str, object] = {"access_token": token, "token_type": "Bearer", "expires_in": 3600}
    with pytest.raises(DriverError, match="answer cannot be used"):
        _sign_in([(200, encoded(CONFIGURATION), {}), (200, encoded(found), {})])


def _sign_in(answers: list[tuple[int, bytes, dict[str, str]]]) -> tuple[str, float]:
    waiting = list(answers)

    def respond(_: requests.Session, *__: Any, **___: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response._content, found = waiting.pop(0) if waiting else answers[-1]
        response.headers.update(found)
        return response

    registration = msal_login.Registration(
        HOST, "t", "client", Credential("s3cret"), "https://g/.default", None
    )
    with patch.object(requests.Session, "request", respond):
        return msal_login.sign_in(registration, CLOCK)
