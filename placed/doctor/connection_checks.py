"""Checks one connection, from its files to the canaries. A failed check blocks the later ones."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed.doctor.action_checks import examine_actions
from placed.doctor.consent_checks import judge_consent
from placed.doctor.fence_checks import judge_fence, untried_fence
from placed.doctor.report import CONNECTION
from placed.doctor.room_checks import Tally, judge_ids, judge_names, judge_tables
from placed.domain.model import window
from placed.domain.privacy import Show
from placed.driver import (
    Consent,
    DriverError,
    FenceState,
    FenceTrial,
    Finding,
    OffersDiagnosis,
    Query,
    SettingsError,
    Unavailable,
    Verdict,
    grant_delay,
)
from placed.driver.shared_findings import AGAIN, blocked

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placed.domain.model import Room
    from placed.driver import ConnectionSettings, Diagnosis, Driver, FoundRoom, Surroundings
    from placed.polling.room_ids import RoomIds
    from placed.settings.loader import Configuration
    from placed.store.read_only import StoreSnapshot

_FINDING = 300.0  # seconds for the list of rooms
_READING = 900.0  # for all calendars; 5,500 rooms are 275 batches
_TRYING = 120.0  # for the canaries, and for the calendar processing
_AFTER = CONNECTION[CONNECTION.index("rooms") :]
# The checks that reading depends on, the last first: each names the failed one before it.
_WAY = ("discovery", "sign-in", "api", "token", "tls", "dns", "key", "certificate")


@dataclass(slots=True)
class ConnectionExamination:
    """A connection under examination.

    Args:
        place: of the connection in the settings.
        report: is called with each finding, as soon as it is known.
        progress: is called with (rooms answered, rooms).
        listed: is set to the rooms once they are listed; to none if they cannot be.
    """

    configuration: Configuration
    place: int
    surroundings: Surroundings
    book: RoomIds
    noted: StoreSnapshot
    report: Callable[[Finding], None]
    progress: Callable[[int, int], None]
    listed: asyncio.Future[tuple[Room, ...]]
    _ungranted: Finding | None = None  # what the credential lacks, if that is known

    @property
    def connection(self) -> ConnectionSettings:
        """Its settings."""
        return self.configuration.settings.connections[self.place]

    async def examine(self) -> None:
        """Tries every link, each once."""
        try:
            await self._examine()
        finally:
            if not self.listed.done():
                self.listed.set_result(())

    async def _examine(self) -> None:
        kind = self.configuration.drivers[self.connection.driver]
        diagnosis: Diagnosis | None = None
        if isinstance(kind, OffersDiagnosis):
            diagnosis = kind.diagnosis(self.connection, self.surroundings)
        await self._try_reading(diagnosis)
        rooms = self.listed.result() if self.listed.done() else ()
        for finding in await examine_actions(self.connection, kind, diagnosis, self.surroundings, rooms):
            self.report(finding)

    async def _try_reading(self, diagnosis: Diagnosis | None) -> None:
        broken = await self._chain(diagnosis) if diagnosis is not None else None
        if broken is None:
            driver, broken = self._open()
            if driver is not None:
                try:
                    await self._read(driver, diagnosis)
                finally:
                    await driver.close()
                return
        self._consent(readable=False, broken=broken)
        self._all_wait(_AFTER, broken)

    async def _chain(self, diagnosis: Diagnosis) -> Finding | None:
        """Runs the driver's own checks; returns the one that blocks reading."""
        found: dict[str, Finding] = {}
        async for finding in diagnosis.examine():
            self.report(finding)
            worst = found.get(finding.check)
            if worst is None or worst.verdict is not Verdict.BAD:
                found[finding.check] = finding
        claims = found.get("claims")
        if claims is not None and claims.verdict is Verdict.BAD and not claims.blocked_by:
            self._ungranted = claims
        for link in _WAY:
            if link in found and found[link].verdict is Verdict.BAD:
                return found[link]
        return None

    def _open(self) -> tuple[Driver | None, Finding | None]:
        driver = self.configuration.drivers[self.connection.driver]
        try:
            return driver.open(self.connection, self.surroundings), None
        except SettingsError as error:
            key = error.problem.key
            problem = self.configuration.locate(error.problem, "connections", self.place, key)
            return None, Finding.of("certificate", Verdict.BAD, problem.line, f"fix or correct {key}")

    # --- rooms ---

    async def _read(self, driver: Driver, diagnosis: Diagnosis | None) -> None:
        try:
            found = await self._find(driver)
        except DriverError as error:
            self._no_rooms(error)
            return
        if not found:
            where = self.configuration.where("connections", self.place)
            remedy = f"name rooms in {where}, or put room mailboxes into the group or list that it names"
            self._no_rooms(DriverError("there is no room", remedy=remedy))
            return
        rooms = self.book.rooms(self.connection.name, self.connection.time_zone, found)
        self.listed.set_result(rooms)
        name = self.connection.name
        for finding in (
            *judge_names(rooms),
            *judge_tables(self.book.listed(name)),
            *judge_ids(self.book.without_id_of_table(name)),
        ):
            self.report(finding)
        tally, trouble = await self._read_all(driver, rooms)
        findings = tally.findings(trouble)
        if tally.only_refused:
            findings = [self._explained_by_missing_grant(finding) for finding in findings]
        for finding in findings:
            self.report(finding)
        unreadable = None if tally.readable else findings[0]
        self._consent(readable=unreadable is None, broken=unreadable, refused=tally.only_refused)
        await self._try_fence(driver, unreadable)
        if unreadable is not None:
            self._all_wait(("titles", "private"), unreadable)
        elif diagnosis is not None:
            readable = {room.address for room in rooms if room.id in tally.readable}
            await self._habits(diagnosis, [room for room in found if room.address.lower() in readable])

    def _no_rooms(self, error: DriverError) -> None:
        broken = Finding.of("rooms", Verdict.BAD, str(error), error.problem.remedy or AGAIN)
        if error.consent is Consent.MISSING:
            broken = self._explained_by_missing_grant(broken)
        self.report(broken)
        self._consent(readable=False, broken=broken, refused=error.consent is Consent.MISSING)
        self._all_wait(_AFTER[1:], broken)

    def _explained_by_missing_grant(self, finding: Finding) -> Finding:
        """Returns the finding for a refusal that the credential already explains."""
        if self._ungranted is None:
            return finding
        return blocked(finding.check, self._ungranted, finding.text)

    async def _find(self, driver: Driver) -> Sequence[FoundRoom]:
        try:
            async with asyncio.timeout(_FINDING):
                return await driver.find_rooms()
        except TimeoutError:
            raise Unavailable(f"the rooms are not listed within {_FINDING:.0f} s") from None

    async def _read_all(self, driver: Driver, rooms: Sequence[Room]) -> tuple[Tally, DriverError | None]:
        now = self.surroundings.now()
        ahead = self.configuration.settings.polling.days_ahead
        windows = {zone: window(now, zone, ahead) for zone in {room.time_zone for room in rooms}}
        tally = Tally(len(rooms), grant_delay(driver))

        queries = [Query(room, *windows[room.time_zone]) for room in rooms]
        self.progress(0, tally.total)
        try:
            async with asyncio.timeout(_READING):
                async for answer in driver.read(queries):
                    tally.add(answer)
                    self.progress(tally.answered, tally.total)
        except DriverError as error:
            return tally, error
        except TimeoutError:
            return tally, Unavailable(f"not all rooms were answered within {_READING:.0f} s")
        return tally, None

    # --- fence, titles, consent ---

    async def _try_fence(self, driver: Driver, unreadable: Finding | None) -> None:
        """Refused canaries prove nothing if nothing can be read; a readable one is always reported."""
        if not isinstance(driver, FenceTrial):
            self.report(untried_fence(self.connection.driver))
            return
        try:
            async with asyncio.timeout(_TRYING):
                fence = await driver.try_fence()
        except DriverError as error:
            self.report(
                blocked("canaries", unreadable)
                if unreadable is not None
                else Finding.of("canaries", Verdict.BAD, f"not tried: {error}", error.problem.remedy or AGAIN)
            )
            return
        except TimeoutError:
            self.report(Finding.of("canaries", Verdict.BAD, f"no answer within {_TRYING:.0f} s", AGAIN))
            return
        findings = judge_fence(fence)
        if unreadable is not None and fence.state is not FenceState.BREACHED:
            text = "not proven: where no room can be read, a refusal proves nothing"
            findings = [blocked("canaries", unreadable, text)]
        for finding in findings:
            self.report(finding)

    async def _habits(self, diagnosis: Diagnosis, rooms: Sequence[FoundRoom]) -> None:
        show = self.configuration.settings.privacy.show
        findings: Sequence[Finding]
        try:
            async with asyncio.timeout(_TRYING):
                findings = await diagnosis.look_at_habits(rooms)
        except (DriverError, TimeoutError) as error:
            text = f"not looked at: {error}" if str(error) else f"no answer within {_TRYING:.0f} s"
            findings = [Finding.of(check, Verdict.DOUBTFUL, text, AGAIN) for check in ("titles", "private")]
        for finding in findings:
            if finding.check == "titles" and show is Show.ORGANIZER:  # names are shown, and titles are not
                self.report(Finding.of("titles", Verdict.GOOD, f"privacy.show hides them; {finding.text}"))
            else:
                self.report(finding)

    def _consent(self, *, readable: bool, broken: Finding | None, refused: bool = False) -> None:
        """Reports the consent; `refused`: missing consent may be the cause, and not an earlier check."""
        record = self.noted.consent(self.connection.name)
        now = self.surroundings.now()
        asked = record.state in (Consent.REQUESTED, Consent.DECLINED, Consent.GRANTED)
        if refused and (asked or self._ungranted is not None):
            broken = None
        delay = grant_delay(self.configuration.drivers[self.connection.driver])
        finding = judge_consent(
            record, self.connection.name, now, readable=readable, broken=broken, grant_delay=delay
        )
        if finding.verdict is Verdict.BAD and not asked:
            finding = self._explained_by_missing_grant(finding)
        self.report(finding)

    def _all_wait(self, checks: Sequence[str], broken: Finding | None) -> None:
        for check in checks:
            if broken is not None:
                self.report(blocked(check, broken))
