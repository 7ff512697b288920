"""The driver of iCalendar feeds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from placed.driver import FoundRoom
from placed.driver.parallel_reading import stream
from placed_icalendar.default_zone import default_zone
from placed_icalendar.feeds.feed_fence import FeedFence
from placed_icalendar.feeds.feed_parts import FeedParts
from placed_icalendar.feeds.feed_settings import ICalendarSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from placed.driver import Answer, ConsentFlow, Diagnosis, Fence, Query, Setup, Surroundings


class ICalendar:
    """One connection to feeds; implements `placed.driver.Driver`."""

    Settings = ICalendarSettings

    def __init__(self, settings: ICalendarSettings, surroundings: Surroundings) -> None:
        self.parts = FeedParts(settings, surroundings)
        self._finds_zones = default_zone(settings) is not None
        self._fence = FeedFence(self.parts, settings.fence, surroundings)

    @staticmethod
    def open(settings: ICalendarSettings, surroundings: Surroundings) -> ICalendar:
        """Opens a connection; see `placed.driver.DriverKind.open`."""
        return ICalendar(settings, surroundings)

    # --- for administrators: imported when a command needs it ---

    @staticmethod
    def diagnosis(settings: ICalendarSettings, surroundings: Surroundings) -> Diagnosis:
        """See `placed.driver.OffersDiagnosis`."""
        from placed_icalendar.feeds.feed_diagnosis import FeedExamination  # noqa: PLC0415 - see above

        return FeedExamination(settings, surroundings)

    @staticmethod
    def consent(settings: ICalendarSettings, surroundings: Surroundings) -> ConsentFlow:
        """See `placed.driver.OffersConsent`."""
        from placed_icalendar.feeds.feed_consent import FeedConsent  # noqa: PLC0415 - see above

        return FeedConsent(settings, surroundings)

    @staticmethod
    def setup() -> Setup:
        """See `placed.driver.OffersSetup`."""
        from placed_icalendar.setup_kit import feed_kit  # noqa: PLC0415 - see above

        return feed_kit

    # --- rooms ---

    async def find_rooms(self) -> Sequence[FoundRoom]:
        """See `placed.driver.Driver.find_rooms`."""
        zone_of = self.parts.rooms.zone_of
        return [
            FoundRoom(
                address=feed.room,
                mailbox=feed.mailbox,
                time_zone=zone_of(feed.mailbox) if self._finds_zones else None,
            )
            for feed in self.parts.feeds
        ]

    @property
    def room_circumstances(self) -> tuple[str | None, ...]:
        """See `placed.driver.RoomCircumstances`: the zones that the feeds state as their own."""
        if not self._finds_zones:
            return ()
        return tuple(self.parts.rooms.zone_of(feed.mailbox) for feed in self.parts.feeds)

    def read(self, queries: Sequence[Query]) -> AsyncIterator[Answer]:
        """See `placed.driver.Driver.read`."""
        return stream(partial(self.parts.rooms.read, queries), self.parts.rooms.forget)

    async def try_fence(self) -> Fence:
        """See `placed.driver.FenceTrial`."""
        return await self._fence.result()

    async def close(self) -> None:
        """See `placed.driver.Driver.close`."""
        await self.parts.close()
