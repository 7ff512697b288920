"""The Google Workspace driver: composes the parts of one connection."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from placed.domain.model import Reason
from placed.driver import Fence, FenceState, NotPermitted, Refused
from placed.driver.lost_rooms import LostRooms
from placed.driver.network.concurrency_limit import ConcurrencyLimit
from placed.driver.parallel_reading import stream
from placed_google import fence
from placed_google import rooms as directory
from placed_google.calendars.batch_reader import BatchReader
from placed_google.calendars.change_detector import ChangeDetector
from placed_google.calendars.event_to_meeting import MAY_WRITE
from placed_google.calendars.free_busy_reader import FreeBusyReader
from placed_google.calendars.paced_reader import PacedReader
from placed_google.calendars.request_budget import RequestBudget, loop_time
from placed_google.calendars.room_calendar import RoomCalendars
from placed_google.client_factory import Clients
from placed_google.settings import GoogleSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from placed.driver import (
        Answer,
        BookingWriter,
        ConsentFlow,
        Diagnosis,
        Driver,
        FoundRoom,
        Query,
        Setup,
        Surroundings,
    )
    from placed.driver.parallel_reading import Report


class Google:
    """One connection to Google Workspace; implements `placed.driver.Driver`."""

    Settings = GoogleSettings
    grant_delay = timedelta(days=1)  # Google: delegation; a share is in effect within minutes
    credential_expires_at = None  # a key does not expire by itself

    def __init__(self, settings: GoogleSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._now = surroundings.now
        self._clients = Clients(settings, surroundings)
        self._mailboxes: Sequence[str] | None = None  # of all rooms
        self._lost_rooms = LostRooms({Reason.NOT_FOUND}, self._all_rooms_lost)
        self.limit = ConcurrencyLimit(surroundings.concurrency)
        self.budget = RequestBudget(settings.requests_per_minute)
        self._calendars = RoomCalendars(
            self._clients.events,
            self.limit,
            self.budget,
            details=surroundings.details,
            bookings=settings.check_in is not None,
            zone=None if "time_zone" in settings.model_fields_set else settings.time_zone,
        )
        full = BatchReader(self._clients.events, self.limit, self.budget, self._calendars, surroundings.now)
        self._reader = PacedReader(
            full,
            FreeBusyReader(self._clients.free_busy, self.limit, self.budget, surroundings.now),
            ChangeDetector(settings.requests_per_minute, loop_time),
            loop_time,
        )

    @staticmethod
    def open(settings: GoogleSettings, surroundings: Surroundings) -> Google:
        """Opens a connection; see `placed.driver.DriverKind.open`."""
        return Google(settings, surroundings)

    @staticmethod
    def open_writer(settings: GoogleSettings, surroundings: Surroundings) -> BookingWriter:
        """See `placed.driver.OffersBooking`."""
        from placed_google.booking.writer import open_writer  # noqa: PLC0415 - where actions are wanted

        return open_writer(settings, surroundings)

    # --- for administrators: imported when a command needs it ---

    @staticmethod
    def diagnosis(settings: GoogleSettings, surroundings: Surroundings) -> Diagnosis:
        """See `placed.driver.OffersDiagnosis`."""
        from placed_google.diagnosis import Examination  # noqa: PLC0415 - see above

        return Examination(settings, surroundings)

    @staticmethod
    def consent(settings: GoogleSettings, surroundings: Surroundings) -> ConsentFlow:
        """See `placed.driver.OffersConsent`."""
        from placed_google.consent import GoogleConsent  # noqa: PLC0415 - see above

        return GoogleConsent(settings, surroundings)

    @staticmethod
    def setup() -> Setup:
        """See `placed.driver.OffersSetup`."""
        from placed_google import setup_kit  # noqa: PLC0415 - see above

        return setup_kit

    # --- rooms ---

    async def find_rooms(self) -> Sequence[FoundRoom]:
        """See `placed.driver.Driver.find_rooms`."""
        with self._forgetting():
            found = await directory.find_rooms(self._clients.directory, self._settings)
        self._mailboxes = [room.mailbox for room in found]
        self._calendars.keep(set(self._mailboxes))
        self._reader.keep(set(self._mailboxes))
        self._lost_rooms.keep(set(self._mailboxes))
        if "time_zone" in self._settings.model_fields_set:
            return found
        zones = self._calendars.zones
        return [
            replace(room, time_zone=zones[room.mailbox].key) if room.mailbox in zones else room
            for room in found
        ]

    def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        """See `placed.driver.Driver.read`."""
        return stream(partial(self._read, queries), self._forget)

    async def _read(self, queries: Sequence[Query], report: Report) -> None:
        with self._forgetting(), self._lost_rooms.reading(report) as take:
            await self._reader.read(queries, take)

    def _all_rooms_lost(self, rooms: int) -> NotPermitted:
        return NotPermitted(
            f"none of the {rooms} rooms that were readable is found any more",
            remedy=f"check that the calendars are still shared with {self._clients.account}, and the "
            "organisation allows it (Admin console, Calendar, Sharing settings, External sharing options)",
        )

    def shortest_interval(self, rooms: int) -> timedelta:
        """See `placed.driver.ReadingLimit`."""
        return timedelta(seconds=self._reader.shortest_interval(rooms))

    # --- fence, sign-in ---

    async def try_fence(self) -> Fence:
        """See `placed.driver.FenceTrial`."""
        settings, roles = self._settings.fence, self._calendars.roles
        if self._settings.subject is not None:  # people share their free/busy with colleagues
            result = Fence(FenceState.UNPROVEN, self._now(), settings.enforce)
            return fence.with_excess(result, roles.values(), delegated=True, subject=True)
        with self._forgetting():
            rooms = (await self._some_rooms())[: self.budget.most // 2] if settings.canaries else ()
            trial = self._clients.impersonation
            if requests := fence.requests_for(settings, rooms) + trial.requests_for(settings.canaries):
                await self.budget.take(requests)
            result = await fence.try_canaries(self._clients.events, settings, self._now(), rooms)
            delegated = await trial.result(settings.canaries)
        return fence.with_excess(result, roles.values(), delegated=delegated)

    @property
    def fence_circumstances(self) -> tuple[int, int]:
        """See `placed.driver.FenceCircumstances`: another token, or more rooms that can be changed."""
        writable = sum(map(MAY_WRITE.__contains__, self._calendars.roles.values()))
        return self._clients.events.tokens.issued, writable

    async def _some_rooms(self) -> Sequence[str]:
        """Returns calendars of rooms; none if they may not be listed."""
        if self._mailboxes is None:
            try:
                await self.find_rooms()
            except NotPermitted:
                return ()
        rooms = self._mailboxes or ()
        return sorted(rooms, key=lambda mailbox: mailbox not in self._calendars.roles)

    def take_over_sign_in(self, earlier: Driver) -> None:
        """See `placed.driver.SignInTakeover`."""
        if isinstance(earlier, Google):
            self._clients.take_over(earlier._clients)  # noqa: SLF001 - another object of this class

    async def close(self) -> None:
        """See `placed.driver.Driver.close`."""
        await self._clients.close()

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """Forgets known answers after a refusal, since what was read before is no longer trusted."""
        try:
            yield
        except Refused:
            self._forget()
            raise

    def _forget(self) -> None:
        """No calendar counts as known."""
        self._calendars.forget()
        self._reader.forget()
