"""How each room of a connection is read, as it is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from placed.domain.model import Reason
from placed.domain.problem import Problem
from placed.domain.room_readability import ReadFailure, RoomReadability, readability_documents
from placed.driver import Consent, Refused, Unavailable
from tests.support.domain_builders import at, room

if TYPE_CHECKING:
    from datetime import datetime

    from placed.driver import DriverError

NINE, TEN = at("9:00"), at("10:00")


def failed(
    reason: Reason, since: datetime, *, remedy: str = "", consent: Consent = Consent.UNKNOWN
) -> ReadFailure:
    return ReadFailure(reason, since, Problem("", "403 ErrorAccessDenied", remedy), consent)


def described(readability: RoomReadability, whole: ReadFailure | None = None) -> dict[str, Any]:
    (document,) = readability_documents([room()], readability, whole)
    return document


def test_a_room_not_read_yet_is_waiting() -> None:
    assert described(RoomReadability()) == {
        "room": "boardroom",
        "name": "Boardroom",
        "access": "waiting",
        "since": None,
        "reason": None,
        "detail": None,
        "remedy": None,
    }


def test_a_refused_room_is_outside_the_fence_while_others_are_readable() -> None:
    failing = {"boardroom": failed(Reason.FORBIDDEN, NINE, remedy="consent?")}
    assert described(RoomReadability(failing))["remedy"] == "consent?"
    readability = RoomReadability(failing, {"library": NINE})
    assert "not in the fence's group, or not yet" in described(readability)["remedy"]


@pytest.mark.parametrize(
    ("error", "access"), [(Refused("no", remedy="fix"), "refused"), (Unavailable("down"), "unavailable")]
)
def test_what_ails_the_whole_connection_goes_before_what_is_known_of_a_room(
    error: DriverError, access: str
) -> None:
    readability = RoomReadability({}, {"boardroom": NINE})
    document = described(readability, ReadFailure(error.reason, TEN, error.problem))
    assert (document["access"], document["since"]) == (access, "2026-10-06T10:00:00Z")
    assert (document["detail"], document["remedy"]) == (str(error), error.problem.remedy or None)


@pytest.mark.parametrize(
    ("consents", "readable", "consent"),
    [
        ([], True, Consent.GRANTED),
        ([], False, Consent.UNKNOWN),
        ([Consent.UNKNOWN], False, Consent.MISSING),
        ([Consent.MISSING, Consent.UNKNOWN], False, Consent.MISSING),
        ([Consent.MISSING, Consent.GRANTED], False, Consent.GRANTED),
        ([Consent.MISSING], True, Consent.GRANTED),
    ],
)
def test_consent_follows_from_the_rooms(consents: list[Consent], *, readable: bool, consent: Consent) -> None:
    failing = {
        f"room-{number}": failed(Reason.FORBIDDEN, NINE, consent=consent_by_token)
        for number, consent_by_token in enumerate(consents)
    }
    assert RoomReadability(failing, {"boardroom": NINE} if readable else {}).consent is consent


def test_other_failures_do_not_affect_consent() -> None:
    failing = {
        "boardroom": failed(Reason.FORBIDDEN, NINE),
        "library": failed(Reason.UNAVAILABLE, NINE),
    }
    assert RoomReadability(failing).consent is Consent.UNKNOWN
