"""What `placed doctor` makes of the consent record, and of the canaries."""

from __future__ import annotations

from datetime import timedelta

import pytest

from placed.doctor.fence_checks import judge_fence
from placed.domain.problem import Problem
from placed.driver import (
    Consent,
    Fence,
    FenceState,
    Verdict,
)
from tests.support.domain_builders import DAY
from tests.unit.doctor.test_checks import BAD, BROKEN, DOUBTFUL, GOOD, consent


@pytest.mark.parametrize("state", Consent)
def test_where_rooms_can_be_read_consent_is_good_whatever_is_recorded(state: Consent) -> None:
    assert consent(state, readable=True).verdict is GOOD


@pytest.mark.parametrize(
    ("state", "remedy"),
    [
        (Consent.UNKNOWN, "have the administrator consent: placed consent contoso"),
        (Consent.MISSING, "have the administrator consent: placed consent contoso"),
        (Consent.REVOKED, "have the administrator consent: placed consent contoso"),
        (Consent.REQUESTED, "wait for the administrator's answer: placed consent contoso --wait"),
        (Consent.DECLINED, "talk to the administrator, then: placed consent contoso"),
    ],
)
def test_for_refused_rooms_the_next_step_to_consent_is_reported(state: Consent, remedy: str) -> None:
    finding = consent(state)
    assert (finding.verdict, finding.remedy) == (BAD, remedy)


def test_a_grant_that_has_no_effect_after_its_propagation_time_is_reported() -> None:
    finding = consent(Consent.GRANTED)
    assert (finding.verdict, finding.remedy) == (
        DOUBTFUL,
        "wait until it works: placed consent contoso --wait",
    )
    assert finding.text == "granted since 2026-10-05 23:00 UTC at the consent page"
    assert consent(Consent.GRANTED, timedelta(hours=3)).verdict is BAD


def test_after_a_failed_check_only_the_consent_record_is_reported() -> None:
    finding = consent(Consent.REQUESTED, broken=BROKEN)
    assert (finding.blocked_by, finding.remedy) == ("token", BROKEN.remedy)
    assert finding.text.startswith("requested since 2026-10-05")


def test_the_results_of_the_canaries_are_reported() -> None:
    def verdicts(*results: object, **more: tuple[object, ...]) -> list[Verdict]:
        return [finding.verdict for finding in judge_fence(Fence(*results, **more))]  # type: ignore[arg-type]

    assert verdicts(FenceState.VERIFIED, DAY) == [GOOD]
    assert verdicts(FenceState.BREACHED, DAY) == [BAD]
    assert verdicts(FenceState.UNPROVEN) == [DOUBTFUL]
    assert verdicts(FenceState.EXCESS, DAY, excess=("Mail.Read",)) == [DOUBTFUL]
    assert verdicts(FenceState.VERIFIED, DAY, warnings=(Problem("", "one too many", "remove it"),)) == [
        GOOD,
        DOUBTFUL,
    ]
    assert verdicts(FenceState.EXCESS, None, excess=("Mail.Read",)) == [DOUBTFUL, DOUBTFUL]


def test_excess_and_flaws_are_named_with_what_to_do() -> None:
    excess = judge_fence(Fence(FenceState.EXCESS, DAY, excess=("Mail.Read", "Mail.Send")))[0]
    assert "Mail.Read, Mail.Send" in excess.text
    problem = Problem("", "a canary is no mailbox", "name one")
    flaw = judge_fence(Fence(FenceState.UNPROVEN, DAY, warnings=(problem,)))[0]
    assert (flaw.text, flaw.remedy) == ("a canary is no mailbox", "name one")
