"""The health of a connection, as it is published."""

from __future__ import annotations

from placed.domain.connection_health import ConnectionHealth, ConnectionState
from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure
from placed.driver import Consent, Fence, FenceState
from tests.support.domain_builders import at


def test_a_connection_that_has_just_begun_claims_nothing() -> None:
    assert ConnectionHealth("contoso", "microsoft365").document() == {
        "name": "contoso",
        "driver": "microsoft365",
        "state": "starting",
        "since": None,
        "rooms": 0,
        "failing": [],
        "last_success": None,
        "problem": None,
        "remedy": None,
        "consent": "unknown",
        "consent_since": None,
        "consent_until": None,
        "fence": {"state": "unproven", "checked_at": None, "excess": [], "warnings": []},
        "credential_expires_at": None,
        "impossible_meetings": 0,
        "actions": None,
    }


def test_the_health_document_of_a_connection() -> None:
    health = ConnectionHealth(
        "contoso",
        "microsoft365",
        state=ConnectionState.FAILING,
        rooms=3,
        failing={
            "library": ReadFailure(Reason.THROTTLED, at("9:01"), Problem("", "429 ApplicationThrottled")),
            "boardroom": ReadFailure(Reason.FORBIDDEN, at("9:00:00.5"), Problem("", "403 ErrorAccessDenied")),
        },
        last_success=at("8:59:30"),
        since=at("9:00"),
        problem=Problem("", "Graph cannot be reached", "see that DNS works"),
        consent=Consent.REQUESTED,
        consent_since=at("7:00"),
        consent_until=at("24:00"),
        fence=Fence(
            FenceState.EXCESS, at("8:00"), excess=("Mail.Read",), warnings=(Problem("", "mind the gap"),)
        ),
        credential_expires_at=at("24:00"),
        impossible_meetings=2,
    )
    assert health.document() == {
        "name": "contoso",
        "driver": "microsoft365",
        "state": "failing",
        "since": "2026-10-06T09:00:00Z",
        "rooms": 3,
        "failing": [
            {"room": "boardroom", "reason": "forbidden", "since": "2026-10-06T09:00:00.500Z"},
            {"room": "library", "reason": "throttled", "since": "2026-10-06T09:01:00Z"},
        ],
        "last_success": "2026-10-06T08:59:30Z",
        "problem": "Graph cannot be reached",
        "remedy": "see that DNS works",
        "consent": "requested",
        "consent_since": "2026-10-06T07:00:00Z",
        "consent_until": "2026-10-07T00:00:00Z",
        "fence": {
            "state": "excess",
            "checked_at": "2026-10-06T08:00:00Z",
            "excess": ["Mail.Read"],
            "warnings": ["mind the gap"],
        },
        "credential_expires_at": "2026-10-07T00:00:00Z",
        "impossible_meetings": 2,
        "actions": None,
    }
