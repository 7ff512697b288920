"""Checks the registration of actions: its credential, its sign-in and its permission. Nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver import DriverError, Finding, SettingsError, Verdict
from placed.driver.shared_findings import AGAIN
from placed_microsoft365.auth.application_permissions import RBAC, to_consent_for_actions
from placed_microsoft365.auth.credential import check_dates, load_credential
from placed_microsoft365.auth.token_claims import claims_of
from placed_microsoft365.client_factory import token_cache_of
from placed_microsoft365.diagnosis.file_checks import NOTICE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.driver import Surroundings
    from placed_microsoft365.auth.credential import Credential
    from placed_microsoft365.settings import Actions, Microsoft365Settings

_CHECK = "actions"


async def look_at_writer(settings: Microsoft365Settings, surroundings: Surroundings) -> Sequence[Finding]:
    """Returns the findings `actions`, up to the first that keeps actions from working."""
    actions = settings.actions
    if actions is None:
        return ()
    setup = f"placed setup {settings.name} --actions"
    try:
        credential = load_credential(actions)
        check_dates(actions, credential, surroundings.now())
    except SettingsError as error:
        line = error.problem.at(f"actions.{error.problem.key}").line
        return [Finding.of(_CHECK, Verdict.BAD, line, f"create key and certificate with {setup}")]
    tokens = token_cache_of(settings, credential, surroundings, actions.client_id)
    try:
        claims = claims_of(await tokens.token())
    except DriverError as error:
        text = f"the registration of actions cannot sign in: {error}"
        return [Finding.of(_CHECK, Verdict.BAD, text, error.problem.remedy or AGAIN)]
    missing = [] if claims is None else [n for n in to_consent_for_actions(settings) if n not in claims.roles]
    if missing:
        text = f"not granted to the registration of actions: {', '.join(missing)}"
        remedy = (
            f'have the administrator consent, as the folder of {setup} explains, or set fence.kind = "{RBAC}"'
        )
        return [Finding.of(_CHECK, Verdict.BAD, text, remedy)]
    return [
        *_signed_in(actions),
        *_expiry(settings, credential, surroundings),
        *_auto_release(settings, setup),
    ]


def _signed_in(actions: Actions) -> list[Finding]:
    text = "the registration of actions signs in"
    if not actions.allow:
        remedy = "name in actions.allow what panels may do, or remove the table"
        return [Finding.of(_CHECK, Verdict.DOUBTFUL, f"{text}, but no action is allowed", remedy)]
    allowed = ", ".join(sorted(actions.allow))
    return [Finding.of(_CHECK, Verdict.GOOD, f"{text}; allowed: {allowed}")]


def _expiry(
    settings: Microsoft365Settings, credential: Credential, surroundings: Surroundings
) -> list[Finding]:
    ends = credential.expires_at
    if ends is None or ends - surroundings.now() > NOTICE:
        return []
    text = f"the certificate of the registration of actions is valid until {ends:%Y-%m-%d}"
    renew = f"create another with placed setup {settings.name} --actions --renew, and register it"
    return [Finding.of(_CHECK, Verdict.DOUBTFUL, text, renew)]


def _auto_release(settings: Microsoft365Settings, setup: str) -> list[Finding]:
    """EnableAutoRelease is not readable with Graph, so only the administrator can look at it."""
    if settings.check_in is None and settings.no_show is None:
        return []
    text = (
        "Exchange releases meetings itself where EnableAutoRelease is on, also those that were checked in "
        f"at a panel; placed cannot read that, but auto-release.ps1 of {setup} shows it"
    )
    return [Finding.of(_CHECK, Verdict.GOOD, text)]
