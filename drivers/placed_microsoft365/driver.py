"""The Microsoft 365 driver: composes the parts of one connection."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from placed.domain.model import Reason
from placed.driver import Failed, NotPermitted, Refused
from placed.driver.network.concurrency_limit import ConcurrencyLimit
from placed.driver.parallel_reading import stream
from placed_microsoft365 import fence
from placed_microsoft365 import rooms as directory
from placed_microsoft365.address_of_object_id import RoomAddressLookup
from placed_microsoft365.auth.application_permissions import RBAC, explain_forbidden, may_read_calendars
from placed_microsoft365.auth.credential import judge_expiry, load_credential
from placed_microsoft365.auth.token_claims import claims_of
from placed_microsoft365.calendars.batch_reader import CalendarReader
from placed_microsoft365.calendars.calendar_view import CalendarViews
from placed_microsoft365.client_factory import graph_client, registration_of, token_cache_of
from placed_microsoft365.settings import Microsoft365Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence

    from placed.driver import (
        Answer,
        BookingWriter,
        ConsentFlow,
        Diagnosis,
        Driver,
        Fence,
        FoundRoom,
        Query,
        Setup,
        Surroundings,
    )
    from placed_microsoft365.auth.token_claims import Claims


_RECENTLY = timedelta(
    days=5 * 365
)  # a certificate that expired earlier may only mean that the clock is far ahead


class Microsoft365:
    """One connection to Microsoft 365; implements `placed.driver.Driver`."""

    Settings = Microsoft365Settings
    grant_delay = timedelta(hours=2)  # Microsoft: RBAC for Applications, cache; an access policy is quicker

    def __init__(self, settings: Microsoft365Settings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._now = surroundings.now
        credential = load_credential(settings)
        judge_expiry(settings, credential, surroundings.now(), _RECENTLY)
        self._registration = registration_of(settings, credential)
        self._tokens = token_cache_of(settings, credential, surroundings)
        self._read_token: str | None = None
        self._claims: Claims | None = None
        self._readable_with: str | None = None  # the last token with which a room was readable
        self._readable: tuple[str, str | None] | None = None  # the mailbox of a readable room, and the token
        self._mailboxes: Sequence[str] | None = None  # of all rooms
        self._graph = graph_client(settings, self._tokens, surroundings)
        self._addresses = RoomAddressLookup(self._graph)
        self.limit = ConcurrencyLimit(surroundings.concurrency)
        self._views = CalendarViews(
            self._graph,
            self.limit,
            details=surroundings.details,
            bookings=settings.check_in is not None,
        )
        self._calendars = CalendarReader(self._graph, self.limit, self._views, surroundings.now)
        self.credential_expires_at = credential.expires_at

    @staticmethod
    def open(settings: Microsoft365Settings, surroundings: Surroundings) -> Microsoft365:
        """Opens a connection; see `placed.driver.DriverKind.open`."""
        return Microsoft365(settings, surroundings)

    @staticmethod
    def open_writer(settings: Microsoft365Settings, surroundings: Surroundings) -> BookingWriter:
        """See `placed.driver.OffersBooking`."""
        from placed_microsoft365.booking.writer import open_writer  # noqa: PLC0415 - where actions are wanted

        return open_writer(settings, surroundings)

    # --- for administrators: imported when a command needs it ---

    @staticmethod
    def diagnosis(settings: Microsoft365Settings, surroundings: Surroundings) -> Diagnosis:
        """See `placed.driver.OffersDiagnosis`."""
        from placed_microsoft365.diagnosis import Examination  # noqa: PLC0415 - see above

        return Examination(settings, surroundings)

    @staticmethod
    def setup() -> Setup:
        """See `placed.driver.OffersSetup`."""
        from placed_microsoft365 import setup_kit  # noqa: PLC0415 - see above

        return setup_kit

    @staticmethod
    def consent(settings: Microsoft365Settings, surroundings: Surroundings) -> ConsentFlow:
        """See `placed.driver.OffersConsent`."""
        from placed_microsoft365.consent import Microsoft365Consent  # noqa: PLC0415 - see above

        return Microsoft365Consent(settings, surroundings)

    # --- rooms ---

    async def find_rooms(self) -> Sequence[FoundRoom]:
        """See `placed.driver.Driver.find_rooms`."""
        with self._forgetting():
            try:
                found = await directory.find_rooms(self._graph, self._settings)
                rooms = await self._addresses.complete(found)
            except NotPermitted:
                self._tokens.suspect_grants()
                raise
        self._mailboxes = [room.mailbox for room in rooms]
        self._views.keep(set(self._mailboxes))
        return rooms

    def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        """See `placed.driver.Driver.read`."""
        return stream(partial(self._read, queries), self._forget)

    async def _read(self, queries: Sequence[Query], answer: Callable[[Answer], None]) -> None:
        forbidden = 0

        def take(found: Answer) -> None:
            nonlocal forbidden
            if isinstance(found, Failed) and found.reason is Reason.FORBIDDEN:
                forbidden += 1
                found = explain_forbidden(self.claims, found, self._settings.fence.kind)
            elif not isinstance(found, Failed):
                self._readable = found.query.room.mailbox, self._tokens.latest
            answer(found)

        with self._forgetting():
            try:
                await self._calendars.read(queries, take)
            except NotPermitted:
                self._tokens.suspect_grants()
                raise
        if forbidden == len(queries):
            self._on_nothing_readable()
        else:
            self._readable_with = self._tokens.latest

    def _on_nothing_readable(self) -> None:
        """Handles that every room is refused: a newer token may show whether consent is missing."""
        if self._readable_with is not None and self._readable_with == self._tokens.latest:
            self._tokens.drop()
        elif not may_read_calendars(self.claims) and self._settings.fence.kind != RBAC:
            self._tokens.suspect_grants()

    # --- fence, sign-in ---

    async def try_fence(self) -> Fence:
        """See `placed.driver.FenceTrial`."""
        settings = self._settings.fence
        with self._forgetting():
            proven = self._readable[1] if self._readable else None
            result = await fence.try_canaries(self._graph, settings, self._now(), self._some_rooms, proven)
            await self._graph.sign_in()
        return fence.with_roles(result, settings, self.claims)

    @property
    def fence_circumstances(self) -> int:
        """See `placed.driver.FenceCircumstances`: with another token, others may be readable."""
        return self._tokens.issued

    async def _some_rooms(self) -> Sequence[str]:
        """Returns mailboxes of rooms, the last readable one first; none if they may not be listed."""
        if self._mailboxes is None:
            try:
                await self.find_rooms()
            except NotPermitted:
                return ()
        rooms = self._mailboxes or ()
        first = [self._readable[0]] if self._readable and self._readable[0] in rooms else []
        return [*first, *rooms]

    def take_over_sign_in(self, earlier: Driver) -> None:
        """See `placed.driver.SignInTakeover`."""
        if isinstance(earlier, Microsoft365) and earlier._registration == self._registration:  # noqa: SLF001 - another object of this class
            self._tokens.take_over(earlier._tokens)  # noqa: SLF001 - the same

    @property
    def claims(self) -> Claims | None:
        """The claims of the token, if there is one that can be read."""
        token = self._tokens.latest
        if token != self._read_token:
            self._read_token, self._claims = token, None if token is None else claims_of(token)
        return self._claims

    async def close(self) -> None:
        """See `placed.driver.Driver.close`."""
        await self._graph.close()

    @contextmanager
    def _forgetting(self) -> Iterator[None]:
        """Forgets known responses after a refusal, since what was read before is no longer trusted."""
        try:
            yield
        except Refused:
            self._forget()
            raise

    def _forget(self) -> None:
        """No calendar counts as known, so none is reported as unchanged."""
        self._views.keep(frozenset())
