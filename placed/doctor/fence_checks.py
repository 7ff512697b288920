"""Makes the findings from the trial of the canaries. Pure."""

from __future__ import annotations

from placed.driver import Fence, FenceState, Finding, Verdict

_OUTSIDERS = "set fence.canaries of the connection to mailboxes outside of it, which must not be readable"


def untried_fence(driver: str) -> Finding:
    """Returns the finding `canaries` for a driver that cannot try the fence."""
    text = f"the driver {driver} cannot try a fence, so nothing shows that only the rooms can be read"
    remedy = "limit at the calendar service what the credential may read; placed cannot check that"
    return Finding.of("canaries", Verdict.DOUBTFUL, text, remedy)


def judge_fence(fence: Fence) -> list[Finding]:
    """Returns the findings `canaries`, the most serious first. They name no canary."""
    found = []
    match fence.state:
        case FenceState.BREACHED:
            text = "a mailbox outside of the fence can be read: the fence does not hold"
            remedy = f"have the administrator {fence.limit_with_setup}"
            found.append(Finding.of("canaries", Verdict.BAD, text, remedy))
        case FenceState.VERIFIED:
            found.append(
                Finding.of("canaries", Verdict.GOOD, "every mailbox outside of the fence is refused")
            )
        case _ if fence.checked_at is None:
            text = "no canary is set, so nothing shows that only the rooms can be read"
            found.append(Finding.of("canaries", Verdict.DOUBTFUL, text, _OUTSIDERS))
        case FenceState.UNPROVEN if not fence.warnings:
            text = "a canary was not refused as it has to be, and not read"
            found.append(Finding.of("canaries", Verdict.DOUBTFUL, text, _OUTSIDERS))
        case _:
            pass
    if fence.excess:
        text = f"more is granted than is needed: {', '.join(fence.excess)}"
        remedy = "have the administrator take it back"
        found.append(Finding.of("canaries", Verdict.DOUBTFUL, text, remedy))
    return [*found, *(Finding("canaries", Verdict.DOUBTFUL, warning) for warning in fence.warnings)]
