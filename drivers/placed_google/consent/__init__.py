"""The administrator's grant: where it is made, whether it is in effect, and how it is taken back."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from placed.driver import Consent, ConsentAnswer, Letter, Problem
from placed_google.consent import grant
from placed_google.consent.grant_check import GrantCheck
from placed_google.consent.revocation_steps import revocation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from placed.driver import ConsentRequest, GrantProbe, Permission, Propagation, Surroundings
    from placed_google.settings import GoogleSettings

_NO_PAGE = "Google Workspace has no consent page for a service account"


class GoogleConsent:
    """The grant of one connection; implements `placed.driver.ConsentFlow`.

    There is no consent page: rooms are shared, or delegation is granted, in Google's own consoles.
    """

    def __init__(self, settings: GoogleSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._check = GrantCheck(settings, surroundings)

    @property
    def permissions(self) -> Sequence[Permission]:
        """See `placed.driver.ConsentFlow.permissions`."""
        return ()

    @property
    def granted_elsewhere(self) -> str:
        """See `placed.driver.ConsentFlow.granted_elsewhere`."""
        return grant.granted_elsewhere(self._settings)

    @property
    def propagation(self) -> Propagation:
        """See `placed.driver.ConsentFlow.propagation`."""
        return grant.PROPAGATION

    def consent_url(self, redirect_uri: str, state: str) -> str:  # noqa: ARG002 - nothing redirects
        """Returns the console in which the grant is made; see `placed.driver.ConsentFlow.consent_url`."""
        return grant.console_of(self._settings)

    async def judge(self, answer: Mapping[str, str]) -> ConsentAnswer:  # noqa: ARG002 - no page sends one
        """See `placed.driver.ConsentFlow.judge`."""
        return ConsentAnswer(Consent.UNKNOWN, Problem("", _NO_PAGE, self.granted_elsewhere))

    def letter(self, asked: ConsentRequest, url: str) -> Letter:
        """See `placed.driver.ConsentFlow.letter`."""
        subject = "Request: let placed read the calendars of meeting rooms"
        until = f"{asked.who} asks for this until {asked.lapses_on:%Y-%m-%d}: {asked.because}"
        lines = (until, self.granted_elsewhere, url)
        page = "".join(f"<p>{html.escape(line)}</p>" for line in lines)
        return Letter(subject, "\n\n".join((subject, *lines, "")), f"<!DOCTYPE html>\n{page}\n")

    async def probe(self) -> GrantProbe:
        """See `placed.driver.ConsentFlow.probe`."""
        return await self._check.probe()

    def revocation(self) -> Sequence[str]:
        """See `placed.driver.ConsentFlow.revocation`."""
        return revocation(self._settings)
