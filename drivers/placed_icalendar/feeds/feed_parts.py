"""The parts of one connection to feeds, composed from its settings."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from placed.driver.network.service_clock import ServiceClock
from placed.driver.network.tls_and_proxy import tls_context
from placed_icalendar.default_zone import default_zone
from placed_icalendar.extra_packages import require_extra
from placed_icalendar.feeds.feed import load_feeds
from placed_icalendar.feeds.feed_client import FeedClient
from placed_icalendar.feeds.feed_reader import FeedReader
from placed_icalendar.feeds.host_turns import HostTurns
from placed_icalendar.feeds.refused_logins import RefusedLogins
from placed_icalendar.feeds.room_feed import Means

if TYPE_CHECKING:
    from placed.driver import Surroundings
    from placed_icalendar.feeds.feed_settings import ICalendarSettings


class FeedParts:
    """The parts. Nothing is asked of a host before a part is used.

    Args:
        settings: the connection's.
        surroundings: what the program gives.

    Raises:
        SettingsError: a file that the settings name cannot be used, or the extra is not installed.

    Attributes:
        feeds: of all rooms.
        client: asks the hosts.
        turns: of the hosts.
        rooms: reads the rooms.
        calendars: reads the calendars' text.
    """

    def __init__(self, settings: ICalendarSettings, surroundings: Surroundings) -> None:
        require_extra()
        from placed_icalendar.occurrences.calendar_reader import CalendarReader  # noqa: PLC0415 - of the extra

        self.feeds = load_feeds(settings)
        origins = Counter(feed.url.origin for feed in self.feeds)
        self.client = FeedClient(
            tls_context(settings.ca_file),
            ServiceClock.of(surroundings),
            surroundings.version,
            timekeeper=origins.most_common(1)[0][0],
        )
        self.turns = HostTurns(surroundings.concurrency, surroundings.steady)
        self.calendars = CalendarReader()
        means = Means(
            client=self.client,
            turns=self.turns,
            logins=RefusedLogins(surroundings.steady),
            reader=self.calendars,
            now=surroundings.now,
            steady=surroundings.steady,
            details=surroundings.details,
            bookings=settings.check_in is not None,
            default_zone=default_zone(settings),
        )
        self.rooms = FeedReader(self.feeds, means)

    async def close(self) -> None:
        """Ends what is under way; a second call does nothing."""
        await self.rooms.close()
        await self.client.close()
        await self.calendars.close()
