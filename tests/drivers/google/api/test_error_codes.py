"""The errors of Google's APIs, row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from placed.domain.model import Reason
from placed.driver import NotPermitted, Throttled, Unavailable, UnexpectedAnswer
from placed_google.api.error_codes import CALENDAR_ERRORS, DIRECTORY_ERRORS
from placed_google.api.reply import Advice, ErrorMeaning, Reply, error_reason, meaning_of, until_midnight

NOW = datetime(2026, 12, 2, 7, 30, tzinfo=UTC)  # half an hour before midnight at Google's
ADVICE = Advice("placed@rooms.iam.gserviceaccount.com", "rooms", "calendar-json.googleapis.com", "the-scope")


def body(reason: str, domain: str = "global") -> dict[str, Any]:
    return {
        "error": {"code": 0, "message": "ada@x.example", "errors": [{"domain": domain, "reason": reason}]}
    }


def meaning(
    status: int, error: object, table: tuple[Any, ...] = CALENDAR_ERRORS, rest: float | None = None
) -> ErrorMeaning:
    content = error if isinstance(error, bytes) else msgspec.json.encode(error)
    return meaning_of(Reply(status, rest, content), table, ADVICE, NOW)


QUOTA = "raise polling.interval"
SHARE = "share the room's calendar with placed@rooms.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    ("status", "error", "reason", "lasting", "remedy"),
    [
        (403, "rateLimitExceeded", Reason.THROTTLED, False, QUOTA),
        (403, "userRateLimitExceeded", Reason.THROTTLED, False, QUOTA),
        (403, "quotaExceeded", Reason.THROTTLED, False, QUOTA),
        (429, "rateLimitExceeded", Reason.THROTTLED, False, QUOTA),
        (429, "", Reason.THROTTLED, False, QUOTA),
        (403, "dailyLimitExceeded", Reason.THROTTLED, False, "raise the daily limit"),
        (403, "dailyLimitExceededUnreg", Reason.THROTTLED, False, "raise the daily limit"),
        (403, "accessNotConfigured", Reason.FORBIDDEN, True, "calendar-json.googleapis.com?project=rooms"),
        (403, "insufficientPermissions", Reason.FORBIDDEN, True, "grant the scope the-scope"),
        (403, "forbidden", Reason.FORBIDDEN, False, SHARE),
        (403, "whatever", Reason.FORBIDDEN, False, SHARE),
        (403, "requiredAccessLevel", Reason.FORBIDDEN, True, SHARE),
        (404, "notFound", Reason.NOT_FOUND, False, SHARE),
        (410, "deleted", Reason.NOT_FOUND, True, "take the room out"),
        (410, "fullSyncRequired", Reason.MALFORMED, True, "update placed"),
        (410, "updatedMinTooLongAgo", Reason.MALFORMED, True, "update placed"),
        (400, "timeRangeEmpty", Reason.MALFORMED, True, "update placed"),
        (400, "badRequest", Reason.MALFORMED, True, "update placed"),
        (400, "invalid", Reason.MALFORMED, True, "update placed"),
        (500, "backendError", Reason.UNAVAILABLE, False, ""),
        (503, "backendError", Reason.UNAVAILABLE, False, ""),
        (504, "", Reason.UNAVAILABLE, False, ""),
    ],
)
def test_a_calendar_s_error(status: int, error: str, reason: Reason, lasting: bool, remedy: str) -> None:  # noqa: FBT001
    found = meaning(status, body(error, "usageLimits"))
    assert (found.row.reason, found.problem.lasting) == (reason, lasting)
    assert remedy in found.problem.remedy
    assert bool(found.problem.remedy) == bool(remedy)
    assert found.problem.text == f"{status} {error}".rstrip()


@pytest.mark.parametrize(
    ("status", "error"), [(403, "forbidden"), (404, "notFound"), (404, ""), (403, "whatever")]
)
def test_a_directory_s_error_is_about_the_role_and_the_customer(status: int, error: str) -> None:
    found = meaning(status, body(error), DIRECTORY_ERRORS)
    assert isinstance(found.error, NotPermitted)
    assert "admin role" in found.problem.remedy
    assert "C01abc234" in found.problem.remedy


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"errors": [{"domain": "usageLimits", "reason": "accessNotConfigured"}]}, "accessNotConfigured"),
        ({"status": "PERMISSION_DENIED", "details": [{"reason": "SERVICE_DISABLED"}]}, "SERVICE_DISABLED"),
        ({"status": "PERMISSION_DENIED", "details": [{}]}, "PERMISSION_DENIED"),
        ({"errors": [{"reason": "ada@x.example"}], "status": "NOT_FOUND"}, "NOT_FOUND"),
        ({}, ""),
    ],
)
def test_the_reason_goes_before_details_and_status(error: dict[str, Any], reason: str) -> None:
    assert error_reason(msgspec.json.encode({"error": error})) == reason


@pytest.mark.parametrize(
    "content", [b"<html>", b"", b"[]", b"null", b'{"error":null}', b"\xff", b"[" * 10_000]
)
def test_what_has_no_reason_means_what_its_status_means(content: bytes) -> None:
    assert meaning(502, content).row.reason is Reason.UNAVAILABLE
    assert meaning(404, content).row.reason is Reason.NOT_FOUND
    assert meaning(302, content).row.reason is Reason.UNAVAILABLE


def test_newer_hosts_name_disabled_apis_and_scopes_in_the_details() -> None:
    for reason in ("SERVICE_DISABLED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"):
        error = {"error": {"status": "PERMISSION_DENIED", "details": [{"reason": reason}]}}
        found = meaning(403, error)
        assert found.row.everywhere
        assert isinstance(found.error, NotPermitted)
        assert found.problem.lasting


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (403, "rateLimitExceeded", Throttled),
        (500, "backendError", Unavailable),
        (400, "badRequest", UnexpectedAnswer),
        (404, "notFound", NotPermitted),
    ],
)
def test_the_error_of_a_whole_request(status: int, error: str, kind: type[Exception]) -> None:
    assert type(meaning(status, body(error)).error) is kind


def test_how_long_to_rest() -> None:
    assert meaning(403, body("rateLimitExceeded")).problem.retry_after is None
    assert meaning(403, body("quotaExceeded")).problem.retry_after == 180
    assert meaning(403, body("dailyLimitExceeded")).problem.retry_after == 1800
    assert meaning(403, body("dailyLimitExceeded"), rest=5.0).problem.retry_after == 5
    assert meaning(503, body("backendError"), rest=17.0).problem.retry_after == 17


def test_the_day_of_a_quota_ends_at_midnight_in_california_and_is_looked_at_each_hour() -> None:
    assert until_midnight(NOW) == 1800
    assert until_midnight(datetime(2026, 12, 2, 8, 0, tzinfo=UTC)) == 3600
    assert until_midnight(datetime(2026, 7, 2, 6, 50, tzinfo=UTC)) == 600


def test_no_text_of_the_service_is_repeated() -> None:
    for status in (400, 403, 404, 410, 429, 500):
        found = meaning(status, body("forbidden"))
        assert "ada@" not in found.problem.line + str(found.error)
