"""Runs a connection's checks in order; a check that cannot run names the one that must pass first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed.driver import DriverError, Finding, Verdict
from placed.driver.host_checks import look_at_hosts
from placed.driver.shared_findings import AGAIN, blocked
from placed_google.client_factory import Clients
from placed_google.diagnosis.api_check import look_at_api
from placed_google.diagnosis.calendar_checks import HABITS, look_at_calendars
from placed_google.diagnosis.key_checks import look_at_files
from placed_google.diagnosis.service_hosts import hosts_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import FoundRoom, Surroundings
    from placed_google.settings import GoogleSettings

_AFTER_KEY = ("dns", "tls", "clock", "token", "api")


class Examination:
    """The checks of one connection; implements `placed.driver.Diagnosis`."""

    def __init__(self, settings: GoogleSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings

    async def examine(self) -> AsyncIterator[Finding]:
        """See `placed.driver.Diagnosis.examine`."""
        settings = self._settings
        files = look_at_files(settings)
        for finding in files.findings:
            yield finding
        if files.credential is None:  # it names the token host
            for check in _AFTER_KEY:
                yield blocked(check, files.findings[-1])
            return
        try:
            hosts = hosts_of(settings, files.credential)
        except DriverError as error:
            proxy = Finding("dns", Verdict.BAD, error.problem)
            yield proxy
            for check in _AFTER_KEY[1:]:
                yield blocked(check, proxy)
            return
        found = await look_at_hosts(hosts, settings.ca_file, files.no_ca, self._surroundings.now)
        yield found.dns
        yield found.tls
        yield found.clock
        reached = [probe is not None and probe.problem is None for probe in found.probes]
        if not reached[0]:
            yield (token := blocked("token", found.tls))
            yield blocked("api", token)
            return
        async for finding in self._sign_in(files.credential.email, None if all(reached) else found.tls):
            yield finding

    async def _sign_in(self, account: str, unreached: Finding | None) -> AsyncIterator[Finding]:
        """Yields `token` and `api`; `unreached`: why the API cannot be asked."""
        clients = Clients(self._settings, self._surroundings)
        try:
            token = await _look_at_token(clients, account, delegated=self._settings.subject is not None)
            yield token
            if token.verdict is Verdict.BAD:
                yield blocked("api", token)
            elif unreached is not None:
                yield blocked("api", unreached)
            else:
                yield await look_at_api(clients.events, self._settings, self._surroundings.now())
        finally:
            await clients.close()

    async def look_at_habits(self, rooms: Sequence[FoundRoom]) -> Sequence[Finding]:
        """See `placed.driver.Diagnosis.look_at_habits`."""
        files = look_at_files(self._settings)
        if files.credential is None:
            return [blocked(check, files.findings[-1]) for check in HABITS]
        clients = Clients(self._settings, self._surroundings)
        try:
            return await look_at_calendars(clients.events, self._settings, self._surroundings, rooms)
        finally:
            await clients.close()

    async def look_at_actions(self) -> Sequence[Finding]:
        """See `placed.driver.DiagnosesActions`."""
        from placed_google.diagnosis.writer_checks import look_at_writer  # noqa: PLC0415 - where it is wanted

        return await look_at_writer(self._settings, self._surroundings)


async def _look_at_token(clients: Clients, account: str, *, delegated: bool) -> Finding:
    try:
        await clients.events.sign_in()
    except DriverError as error:
        return Finding.of("token", Verdict.BAD, str(error), error.problem.remedy or AGAIN)
    acting = ", acting for the user whom subject names" if delegated else ""
    return Finding.of("token", Verdict.GOOD, f"signed in as {account}{acting}")
