"""Compares the recorded consent of an administrator with what the service shows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.domain.consent_record import Source
from placed.driver import Consent, Finding, Verdict
from placed.driver.shared_findings import blocked

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from placed.domain.consent_record import ConsentRecord

_BY = {
    Source.LINK: " at the consent page",
    Source.REQUEST: " by a message",
    Source.OBSERVED: " as the services show",
}

_ASK = "have the administrator consent: placed consent {}"
_NEXT = {
    Consent.REQUESTED: "wait for the administrator's answer: placed consent {} --wait",
    Consent.DECLINED: "talk to the administrator, then: placed consent {}",
}


def judge_consent(  # noqa: PLR0913 - what it is judged by
    record: ConsentRecord,
    connection: str,
    now: datetime,
    *,
    readable: bool,
    broken: Finding | None,
    grant_delay: timedelta,
) -> Finding:
    """Returns the finding `consent`.

    Args:
        record: what is known; names are not reported.
        connection: its name.
        now: the moment.
        readable: whether rooms can be read, which is what consent is for.
        grant_delay: how long a grant may take to be in effect.
        broken: the link that keeps it from being seen, if one does.
    """
    text = _recorded(record)
    if readable:
        if record.state in (Consent.GRANTED, Consent.UNKNOWN):
            return Finding.of("consent", Verdict.GOOD, text)
        return Finding.of(
            "consent", Verdict.GOOD, f"{text}; given by now, which the daemon notes when it reads"
        )
    if broken is not None:
        return blocked("consent", broken, text)
    if record.state is Consent.GRANTED:
        if record.since is not None and now < record.since + grant_delay:
            remedy = f"wait until it works: placed consent {connection} --wait"
            return Finding.of("consent", Verdict.DOUBTFUL, text, remedy)
        text = f"{text}, and not in effect"
    return Finding.of("consent", Verdict.BAD, text, _NEXT.get(record.state, _ASK).format(connection))


def _recorded(record: ConsentRecord) -> str:
    if record.state is Consent.UNKNOWN:
        return "nothing is recorded yet"
    since = f" since {record.since:%Y-%m-%d %H:%M} UTC" if record.since else ""
    until = f", until {record.until:%Y-%m-%d}" if record.until else ""
    source = _BY.get(record.source, "") if record.source else ""
    return f"{record.state.value}{since}{until}{source}"
