"""Runs the checks of a connection to feeds in order; the doctor itself reads the rooms in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.driver import DriverError, Finding, SettingsError, Verdict
from placed.driver.host_checks import ServiceHost, look_at_hosts, problem_of_ca
from placed.driver.shared_findings import blocked, look_at_secrets
from placed_icalendar.extra_packages import require_extra
from placed_icalendar.feeds.feed import load_feeds
from placed_icalendar.feeds.feed_diagnosis.calendar_habits import look_at_feeds

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from placed.driver import FoundRoom, Surroundings
    from placed_icalendar.feeds.feed import Feed
    from placed_icalendar.feeds.feed_settings import ICalendarSettings

_MAKE = "write the link or the password into the file"


class FeedExamination:
    """The checks of one connection; implements `placed.driver.Diagnosis`."""

    def __init__(self, settings: ICalendarSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._surroundings = surroundings

    async def examine(self) -> AsyncIterator[Finding]:
        """See `placed.driver.Diagnosis.examine`."""
        settings = self._settings
        no_ca = problem_of_ca(settings.ca_file)
        for finding in (*_files(settings), *([no_ca] if no_ca else [])):
            yield finding
        try:
            require_extra()
            feeds = load_feeds(settings)
            hosts = _hosts(feeds)
        except SettingsError as error:
            broken = Finding("dns", Verdict.BAD, error.problem)
        except DriverError as error:
            broken = Finding("dns", Verdict.BAD, error.problem)
        else:
            found = await look_at_hosts(hosts, settings.ca_file, no_ca, self._surroundings.now)
            reached = any(probe is not None and probe.problem is None for probe in found.probes)
            for finding in (found.dns, found.tls, found.clock):
                yield _of_some(finding) if reached else finding
            return
        yield broken
        for check in ("tls", "clock"):
            yield blocked(check, broken)

    async def look_at_habits(self, rooms: Sequence[FoundRoom]) -> Sequence[Finding]:
        """See `placed.driver.Diagnosis.look_at_habits`."""
        wanted = {room.mailbox for room in rooms}
        feeds = [feed for feed in load_feeds(self._settings) if feed.mailbox in wanted]
        return await look_at_feeds(feeds, self._settings, self._surroundings)


def _files(settings: ICalendarSettings) -> list[Finding]:
    """Who can read the files with links and passwords; an inline link is as readable as the settings are."""
    files: list[tuple[str, Path]] = []
    for room, feed in settings.feeds.items():
        if feed.url_file is not None:
            files.append((f"feeds.{room}.url_file", feed.url_file))
        if feed.password_file is not None:
            files.append((f"feeds.{room}.password_file", feed.password_file))
    inline = sum(feed.url is not None for feed in settings.feeds.values())
    findings = look_at_secrets(files, _MAKE)
    if inline:
        text = f"{inline} of {len(settings.feeds)} links are in the settings: they are as secret as that file"
        findings.append(Finding.of("files", Verdict.GOOD, text))
    return findings


def _hosts(feeds: Sequence[Feed]) -> list[ServiceHost]:
    """Each host once, the one with the most feeds first; it is asked for its root, and not for a calendar."""
    origins = [feed.url.origin for feed in feeds]
    return [
        ServiceHost.of(origin, "/", "the feed's link", own=True)
        for origin in sorted(set(origins), key=lambda origin: (-origins.count(origin), origin))
    ]


def _of_some(finding: Finding) -> Finding:
    """A host among several that is not reached leaves the other rooms readable."""
    bad = finding.verdict is Verdict.BAD and finding.check in ("dns", "tls") and not finding.blocked_by
    return replace(finding, verdict=Verdict.DOUBTFUL) if bad else finding
