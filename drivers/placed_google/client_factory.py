"""Creates sessions, token caches and clients from the settings."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from placed.driver.network.service_clock import ServiceClock
from placed.driver.token_cache import TokenCache
from placed_google.api.client import ApiClient
from placed_google.api.error_codes import CALENDAR_ERRORS, DIRECTORY_ERRORS
from placed_google.api.hosts import Hosts
from placed_google.api.reply import Advice
from placed_google.auth.external_account import ExternalAccount, load_external_account
from placed_google.auth.federated_sign_in import FederatedSignIn
from placed_google.auth.impersonation_trial import ImpersonationTrial
from placed_google.auth.key_file import ServiceAccountKey, load_key
from placed_google.auth.key_sign_in import KeySignIn
from placed_google.auth.scopes import CHANGE_EVENTS, EVENTS, FREE_BUSY, RESOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed.driver import Surroundings
    from placed_google.settings import GoogleSettings

CALENDAR_API = "calendar-json.googleapis.com"  # their names in Google Cloud
DIRECTORY_API = "admin.googleapis.com"


def load_credential(settings: GoogleSettings) -> ServiceAccountKey | ExternalAccount:
    """Reads the file of the credential.

    Raises:
        SettingsError: it is invalid.
    """
    if settings.key_file is not None:
        return load_key(settings.key_file)
    if settings.workload_identity is None:
        raise AssertionError("the settings require a credential")
    return load_external_account(settings.workload_identity)


class Clients:
    """The clients of one connection: each scope has a token of its own, requested when it is first needed.

    Args:
        settings: the connection's.
        surroundings: what the program gives.
        events_scope: of the client for events: the one that reads, or the one that changes them.

    Raises:
        SettingsError: the credential's file or the CA file is invalid.

    Attributes:
        credential: of the service account.
        account: its address.
        sign_in: signs in as the account.
        events: reads events, and changes them with the scope for that.
        free_busy: asks for free/busy, for which the scope of events does not suffice.
        directory: lists rooms.
        impersonation: tries whether the account can act as people.
    """

    def __init__(
        self, settings: GoogleSettings, surroundings: Surroundings, *, events_scope: str = EVENTS
    ) -> None:
        self._surroundings = surroundings
        self._clock = ServiceClock.of(surroundings)
        self._subject = settings.subject
        self._events_scope = events_scope
        self.credential = load_credential(settings)
        self.account = self.credential.email
        self.hosts = Hosts(settings.ca_file, self._clock, changes=events_scope == CHANGE_EVENTS)
        self.sign_in = self._sign_in(settings.token_url)
        self._tokens = {
            scope: TokenCache(partial(self.sign_in.token, scope), surroundings.steady)
            for scope in (events_scope, FREE_BUSY, RESOURCES)
        }
        calendar = partial(self._client, "Google Calendar", settings.calendar_url, CALENDAR_API)
        self.events = calendar(events_scope)
        self.free_busy = calendar(FREE_BUSY)
        self.directory = self._client("Google's directory", settings.directory_url, DIRECTORY_API, RESOURCES)
        with_key = self.sign_in if isinstance(self.sign_in, KeySignIn) else None
        self.impersonation = ImpersonationTrial(with_key, self._scopes_in_use, surroundings.steady)

    def take_over(self, earlier: Clients) -> None:
        """Continues with the tokens of earlier clients of the same account with the same credential."""
        if (self.credential, self._subject) == (earlier.credential, earlier._subject):
            for scope, tokens in self._tokens.items():
                tokens.take_over(earlier._tokens[scope])

    async def close(self) -> None:
        """Closes all sessions; a second call does nothing."""
        await self.hosts.close()

    def _sign_in(self, token_url: str | None) -> KeySignIn | FederatedSignIn:
        if isinstance(self.credential, ExternalAccount):
            return FederatedSignIn(self.credential, self.hosts, self._clock)
        url = token_url or self.credential.token_url
        return KeySignIn(self.credential, url, self.hosts, self._clock, self._subject)

    def _scopes_in_use(self) -> Sequence[str]:
        others = (FREE_BUSY, RESOURCES)
        return [self._events_scope, *(scope for scope in others if self._tokens[scope].latest is not None)]

    def _client(self, name: str, url: str, api: str, scope: str) -> ApiClient:
        advice = Advice(self.account, self.credential.project, api, scope)
        if scope == CHANGE_EVENTS:
            advice = replace(advice, access="Make changes to events")
        return ApiClient(
            name,
            url,
            hosts=self.hosts,
            tokens=self._tokens[scope],
            errors=DIRECTORY_ERRORS if scope == RESOURCES else CALENDAR_ERRORS,
            advice=advice,
            version=self._surroundings.version,
            clock=self._clock,
        )
