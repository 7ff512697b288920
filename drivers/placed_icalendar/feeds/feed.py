"""One feed as it is read: its room, its address, and its login; the files of the settings are read here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from placed.driver import Problem, SettingsError
from placed.driver.secret_file import of_the_service
from placed_icalendar.basic_login import BasicLogin, load_line, load_login
from placed_icalendar.feeds.secret_url import SecretUrl

if TYPE_CHECKING:
    from placed_icalendar.feeds.feed_settings import FeedSettings, ICalendarSettings


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed.

    Attributes:
        room: the key in the settings, as it is written there.
        url: where it is.
        login: None if it needs none.
    """

    room: str
    url: SecretUrl
    login: BasicLogin | None

    @property
    def mailbox(self) -> str:
        """The room by which it is found."""
        return self.room.lower()


def load_feeds(settings: ICalendarSettings) -> tuple[Feed, ...]:
    """The feeds of a connection.

    Raises:
        SettingsError: a file of the settings cannot be used; of several one that this user can correct.
    """
    feeds: list[Feed] = []
    errors: list[SettingsError] = []
    for room, feed in settings.feeds.items():
        try:
            feeds.append(load_feed(room, feed))
        except SettingsError as error:
            errors.append(error)
    if errors:
        raise min(errors, key=_is_for_the_service_only)
    return tuple(feeds)


def _is_for_the_service_only(error: SettingsError) -> bool:
    """Whether it is about a credential that systemd hands to the service, and not to this user."""
    path = error.problem.unread
    return path is not None and of_the_service(path)


def load_feed(room: str, settings: FeedSettings) -> Feed:
    """One feed.

    Raises:
        SettingsError: a file that its settings name cannot be used.
    """
    key = f"feeds.{room}"
    login = load_login(settings.username, settings.password_file, f"{key}.password_file")
    if settings.url is not None:
        return Feed(room, settings.url, login)
    if settings.url_file is None:
        raise AssertionError("the settings require an address")
    try:
        url = SecretUrl.parse(load_line(settings.url_file, f"{key}.url_file"))
    except ValueError as error:
        raise SettingsError(Problem(f"{key}.url_file", f"{settings.url_file}: {error}")) from None
    return Feed(room, url, login)
