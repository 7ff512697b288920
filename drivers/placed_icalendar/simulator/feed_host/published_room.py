"""A room whose calendar is published: its link, and how the host serves it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

ETag = Literal["honoured", "ignored", "none"]
Link = Literal["secret", "exchange", "nextcloud", "plain"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How the host serves a feed.

    Attributes:
        etag: whether there is an ETag, and whether If-None-Match is honoured.
        last_modified: whether there is a Last-Modified, and If-Modified-Since is honoured.
        gzip: whether the answer is compressed for clients that accept it.
        chunked: whether it comes in chunks, without a length.
        stamped: whether DTSTAMP is the moment of each request.
        login: user and password, if it wants them.
    """

    etag: ETag = "honoured"
    last_modified: bool = False
    gzip: bool = True
    chunked: bool = False
    stamped: bool = False
    login: tuple[str, str] | None = None


@dataclass(slots=True)
class PublishedRoom:
    """A room.

    Attributes:
        address: by which it is named.
        secret: the part of its link that nobody can guess.
        link: what its link looks like; a plain one has no secret part.
        text: in place of its bookings, where one was given.
        versions: what was published and when, the oldest first.
    """

    address: str
    secret: str
    link: Link = "secret"
    service: Service = field(default_factory=Service)
    text: str | None = None
    versions: list[tuple[datetime, str]] = field(default_factory=list)

    @property
    def path(self) -> str:
        """Where its feed is, with the query if it has one."""
        local = self.address.partition("@")[0]
        match self.link:
            case "exchange":
                return f"/owa/calendar/{local}0d5e1c7a9b@rooms.example/{self.secret}/calendar.ics"
            case "nextcloud":
                return f"/remote.php/dav/public-calendars/{self.secret}?export"
            case "plain":
                return f"/home/{local}/Calendar.ics"
            case _:
                return f"/calendar/{local}/private-{self.secret}/basic.ics"
