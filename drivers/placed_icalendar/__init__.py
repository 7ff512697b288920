"""The drivers of placed for iCalendar: feeds by URL, and calendars on CalDAV servers."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from placed_icalendar.caldav.caldav_driver import CalDav
    from placed_icalendar.feeds.feed_driver import ICalendar

__all__ = ["CalDav", "ICalendar"]


def __getattr__(name: str) -> object:
    """Imports a driver when it is asked for.

    The process that reads large calendars imports this package as well, and has no use for the drivers: with
    them it would need 50 MiB from the start instead of 20.
    """
    if name == "CalDav":
        from placed_icalendar.caldav.caldav_driver import CalDav  # noqa: PLC0415

        return CalDav
    if name == "ICalendar":
        from placed_icalendar.feeds.feed_driver import ICalendar  # noqa: PLC0415

        return ICalendar
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
