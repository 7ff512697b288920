"""What an answer of the login host means, by its codes, or by its word where they are not known."""

from __future__ import annotations

import pytest

from placed.driver import DriverError, NotPermitted, Refused, Unavailable
from placed_microsoft365.auth.aadsts_codes import OUT_OF_TIME, codes_in, token_error


@pytest.mark.parametrize(
    ("codes", "word", "kind", "reported"),
    [
        ([7000215], "invalid_client", Refused, "sign-in refused: AADSTS7000215"),
        ([1, 700024], "invalid_client", Unavailable, "sign-in refused: AADSTS700024"),
        ([65001], "invalid_grant", NotPermitted, "sign-in refused: AADSTS65001"),
        ([7654321], "invalid_client", Refused, "sign-in refused: AADSTS7654321"),
        ([7654321], "invalid_request", Unavailable, "sign-in failed: AADSTS7654321"),
        ([50196], "invalid_client", Unavailable, "sign-in failed: AADSTS50196"),
        ([], "unauthorized_client", Refused, "sign-in refused: unauthorized_client"),
        ([], "server_error", Unavailable, "sign-in failed: server_error"),
        ([], "ada@contoso.example", Unavailable, "sign-in failed: status 400"),
        ([], "", Unavailable, "sign-in failed: status 400"),
    ],
)
def test_an_error_code_determines_who_can_fix_it(
    codes: list[int], word: str, kind: type[DriverError], reported: str
) -> None:
    error = token_error(codes, word, 400, 7.0)
    assert (type(error), str(error)) == (kind, reported)
    assert bool(error.problem.remedy) is (kind is not Unavailable or not OUT_OF_TIME.isdisjoint(codes))
    assert error.problem.retry_after == (7.0 if kind is Unavailable else None)


def test_a_success_without_a_token_is_reported_as_such() -> None:
    assert str(token_error([], "", 200)) == "sign-in failed: the login host's answer cannot be used"


def test_codes_are_found_in_texts() -> None:
    assert codes_in("AADSTS700016: x AADSTS90002 AADSTS700016, AADSTS, aadsts1") == [700016, 90002]
