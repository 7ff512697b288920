"""The errors of the token host, row by row."""

from __future__ import annotations

import msgspec
import pytest

from placed.driver import DriverError, NotPermitted, Refused, Unavailable
from placed_google.auth.token_errors import token_error

CLOCK = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."


def found(status: int, error: str, description: str = "", rest: float | None = None) -> DriverError:
    body = msgspec.json.encode({"error": error, "error_description": description})
    return token_error(status, body, rest, client_id="1234567890", scope="the-scope")


@pytest.mark.parametrize(
    ("status", "error", "description", "kind", "lasting", "remedy"),
    [
        (
            401,
            "unauthorized_client",
            "Client is unauthorized",
            NotPermitted,
            False,
            "1234567890 with the scope the-scope",
        ),
        (400, "invalid_grant", "Invalid JWT Signature.", Refused, True, "new key"),
        (400, "invalid_grant", CLOCK, Refused, True, "clock"),
        (400, "invalid_grant", "Invalid grant: account not found", Refused, True, "deleted or disabled"),
        (400, "invalid_grant", "Invalid email or User ID", Refused, True, "check subject"),
        (400, "invalid_grant", "something new", Refused, True, "key exist"),
        (400, "invalid_scope", "Invalid OAuth scope", Refused, True, "update placed"),
        (401, "invalid_client", "", Refused, True, "new key"),
        (401, "disabled_client", "", NotPermitted, True, "App access control"),
        (403, "deleted_client", "", NotPermitted, True, "App access control"),
        (403, "org_internal", "", NotPermitted, True, "App access control"),
        (400, "admin_policy_enforced", "", NotPermitted, True, "App access control"),
    ],
)
def test_a_refusal_names_its_remedy(  # noqa: PLR0913, PLR0917 - the columns of the table
    status: int,
    error: str,
    description: str,
    kind: type[DriverError],
    lasting: bool,  # noqa: FBT001
    remedy: str,
) -> None:
    refusal = found(status, error, description)
    assert type(refusal) is kind
    assert refusal.problem.lasting is lasting
    assert remedy in refusal.problem.remedy
    assert error in str(refusal)


@pytest.mark.parametrize(
    ("status", "body"),
    [(429, b"{}"), (500, b"<html>"), (503, b""), (200, b"[]"), (418, b'{"error":"teapot"}')],
)
def test_everything_else_may_be_over_in_a_while(status: int, body: bytes) -> None:
    error = token_error(status, body, 17.0)
    assert isinstance(error, Unavailable)
    assert (error.problem.retry_after, error.problem.lasting) == (17.0, False)


def test_descriptions_are_not_repeated() -> None:
    assert "ada@" not in found(400, "invalid_grant", "Invalid email or User ID: ada@x.example").problem.line


def test_a_fault_of_the_service_is_none_of_the_account() -> None:
    assert isinstance(found(503, "invalid_grant", "Invalid JWT Signature."), Unavailable)
