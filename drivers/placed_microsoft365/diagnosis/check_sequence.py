"""Runs a connection's checks in order; a check that cannot run names the one that must pass first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver import DriverError, Finding, Verdict
from placed.driver.host_checks import look_at_hosts
from placed.driver.shared_findings import AGAIN, blocked
from placed_microsoft365.auth.token_claims import claims_of
from placed_microsoft365.client_factory import graph_client, token_cache_of
from placed_microsoft365.diagnosis.calendar_processing_checks import look_at_calendars
from placed_microsoft365.diagnosis.file_checks import look_at_credential, look_at_files
from placed_microsoft365.diagnosis.service_hosts import hosts_of, tenant_id_in
from placed_microsoft365.diagnosis.token_claim_checks import judge_claims
from placed_microsoft365.diagnosis.writer_checks import look_at_writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import FoundRoom, Surroundings
    from placed.driver.host_checks import ServiceHost
    from placed.driver.token_cache import TokenCache
    from placed_microsoft365.auth.credential import Credential
    from placed_microsoft365.diagnosis.file_checks import FileChecks
    from placed_microsoft365.settings import Microsoft365Settings


class Examination:
    """The checks of one connection, with one sign-in for all of them."""

    def __init__(self, settings: Microsoft365Settings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._tokens: TokenCache | None = None

    async def examine(self) -> AsyncIterator[Finding]:
        """See `placed.driver.Diagnosis.examine`."""
        settings, now = self._settings, self._surroundings.now
        files = look_at_files(settings)
        for finding in files.findings:
            yield finding
        credential: Credential | None = None
        if files.no_credential is None:
            certificate, credential = look_at_credential(settings, now())
        else:
            certificate = blocked("certificate", files.no_credential)
        yield certificate
        try:
            hosts = hosts_of(settings)
        except DriverError as error:
            proxy = Finding("dns", Verdict.BAD, error.problem)
            yield proxy
            for check in ("tls", "clock", "token", "claims"):
                yield blocked(check, proxy)
            return
        async for finding in self._services(hosts, files, certificate, credential):
            yield finding

    async def _services(
        self,
        hosts: Sequence[ServiceHost],
        files: FileChecks,
        certificate: Finding,
        credential: Credential | None,
    ) -> AsyncIterator[Finding]:
        """Checks both hosts, and the token."""
        settings = self._settings
        found = await look_at_hosts(hosts, settings.ca_file, files.no_ca, self._surroundings.now)
        yield found.dns
        yield found.tls
        yield found.clock

        # --- the token ---
        login = found.probes[0]
        if credential is None:
            token = blocked("token", certificate)
        elif login is None or login.problem is not None:
            token = blocked("token", found.tls)
        else:
            token = await self._sign_in(credential)
        yield token
        if token.verdict is Verdict.BAD or self._tokens is None:
            yield blocked("claims", token)
            return
        claims = claims_of(self._tokens.latest or "")
        for finding in judge_claims(settings, claims, tenant_id_in(login) if login else None):
            yield finding

    async def look_at_habits(self, rooms: Sequence[FoundRoom]) -> Sequence[Finding]:
        """See `placed.driver.Diagnosis.look_at_habits`."""
        if self._tokens is None:
            certificate, credential = look_at_credential(self._settings, self._surroundings.now())
            if credential is None:
                return [blocked("titles", certificate), blocked("private", certificate)]
            self._tokens = token_cache_of(self._settings, credential, self._surroundings)
        graph = graph_client(self._settings, self._tokens, self._surroundings)
        try:
            return await look_at_calendars(graph, self._surroundings, rooms)
        finally:
            await graph.close()

    async def look_at_actions(self) -> Sequence[Finding]:
        """See `placed.driver.DiagnosesActions`."""
        return await look_at_writer(self._settings, self._surroundings)

    async def _sign_in(self, credential: Credential) -> Finding:
        self._tokens = token_cache_of(self._settings, credential, self._surroundings)
        try:
            await self._tokens.token()
        except DriverError as error:
            return Finding.of("token", Verdict.BAD, str(error), error.problem.remedy or AGAIN)
        return Finding.of("token", Verdict.GOOD, f"signed in to {self._settings.tenant}")
