"""Runs a connection's checks in order; a check that cannot run names the one that must pass first."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from placed.driver import DriverError, Finding, SettingsError, Verdict
from placed.driver.host_checks import ServiceHost, look_at_hosts, problem_of_ca
from placed.driver.shared_findings import AGAIN, blocked, look_at_secrets
from placed_icalendar.caldav.dav_client import DavClient
from placed_icalendar.caldav.diagnosis.home_checks import AFTER_SIGN_IN, look_at_home
from placed_icalendar.extra_packages import require_extra

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import FoundRoom, Surroundings
    from placed_icalendar.caldav.caldav_settings import CalDavSettings

_AFTER_FILES = ("dns", "tls", "clock", "sign-in", *AFTER_SIGN_IN)


class DavExamination:
    """The checks of one connection; implements `placed.driver.Diagnosis`."""

    def __init__(self, settings: CalDavSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings

    async def examine(self) -> AsyncIterator[Finding]:
        """See `placed.driver.Diagnosis.examine`."""
        no_ca = problem_of_ca(self._settings.ca_file)
        files = [*self._files(), *([no_ca] if no_ca else [])]
        for finding in files:
            yield finding
        try:
            host = self._host()
        except DriverError as error:
            proxy = Finding("dns", Verdict.BAD, error.problem)
            yield proxy
            for check in _AFTER_FILES[1:]:
                yield blocked(check, proxy)
            return
        found = await look_at_hosts([host], self._settings.ca_file, no_ca, self._surroundings.now)
        yield found.dns
        yield found.tls
        yield found.clock
        bad = next((finding for finding in (*files, found.tls) if finding.verdict is Verdict.BAD), None)
        if bad is not None:
            for check in _AFTER_FILES[3:]:
                yield blocked(check, bad)
            return
        client = DavClient(self._settings, self._surroundings)
        try:
            async for finding in look_at_home(client, self._settings):
                yield finding
        finally:
            await client.close()

    def _files(self) -> list[Finding]:
        """Returns the findings `files`, and what the password's file has in it."""
        settings = self._settings
        try:
            require_extra()
        except SettingsError as error:
            return [Finding("files", Verdict.BAD, error.problem)]
        if settings.password_file is None:
            return [Finding.of("files", Verdict.GOOD, "none: the server is asked without a sign-in")]
        found = look_at_secrets([("password_file", settings.password_file)], "write the password into it")
        if any(finding.verdict is Verdict.BAD for finding in found):
            return found
        try:
            DavClient(settings.model_copy(update={"ca_file": None}), self._surroundings)
        except SettingsError as error:
            remedy = error.problem.remedy or "write the password into it, on one line"
            return [Finding.of("files", Verdict.BAD, error.problem.line, remedy)]
        return found

    def _host(self) -> ServiceHost:
        """Returns the server as a host.

        Raises:
            DriverError: the environment names an invalid proxy.
        """
        parts = urlsplit(self._settings.url)
        return ServiceHost.of(f"{parts.scheme}://{parts.netloc}", parts.path or "/", "url", own=True)

    async def look_at_habits(self, rooms: Sequence[FoundRoom]) -> Sequence[Finding]:
        """See `placed.driver.Diagnosis.look_at_habits`."""
        from placed_icalendar.caldav.diagnosis.booking_checks import (  # noqa: PLC0415 - needs the extra
            HABITS,
            look_at_bookings,
        )

        client = DavClient(self._settings, self._surroundings)
        try:
            return await look_at_bookings(client, self._settings, self._surroundings, rooms)
        except DriverError as error:
            remedy = error.problem.remedy or AGAIN
            return [Finding.of(check, Verdict.DOUBTFUL, str(error), remedy) for check in HABITS]
        finally:
            await client.close()
