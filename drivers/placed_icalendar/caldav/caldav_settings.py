"""The CalDAV driver's keys of a `[[connections]]` table."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, model_validator

from placed.driver import ConnectionSettings, FenceKeys, FilePath

_KEPT = "%/:@!$&'()*+,;=-._~"  # what RFC 3986 allows in a path, and what is encoded already


def _dav_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        sound = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:  # an invalid port
        sound = False
    if not sound or "@" in parts.netloc or parts.query or parts.fragment or not value.isprintable():
        raise ValueError("expected an address such as https://cal.example/rooms/, without a user in it")
    return f"https://{parts.netloc.lower()}{quote(parts.path, safe=_KEPT)}"


def _name(value: str) -> str:
    if not value or "/" in value or not value.isprintable() or value in (".", ".."):
        raise ValueError("expected the last part of a calendar's address, such as boardroom")
    return value


def _user(value: str) -> str:
    if not value or ":" in value or not value.isprintable():
        raise ValueError("expected a user name without a colon (RFC 7617)")
    return value


DavUrl = Annotated[str, AfterValidator(_dav_url)]
CollectionName = Annotated[str, AfterValidator(_name)]


class CanaryCollections(FenceKeys):
    """The limit on what the account may read."""

    canaries: tuple[DavUrl, ...] = Field(
        default=(),
        description="Addresses of calendars outside of the fence, each of which must exist; reading them "
        "must be refused.",
    )


class CalDavSettings(ConnectionSettings):
    """An account of a CalDAV server, and the calendars in its home that are rooms."""

    driver: Literal["caldav"] = Field(default="caldav", description="caldav")
    url: DavUrl = Field(
        description="Address of the calendar home, or of the server, which then leads to it (RFC 6764)."
    )
    username: Annotated[str, AfterValidator(_user)] | None = Field(
        default=None, description="The account. Without one the server is asked without a sign-in."
    )
    password_file: FilePath | None = Field(
        default=None, description="File with the account's password, or better an app password."
    )
    calendars: tuple[CollectionName, ...] = Field(
        default=(),
        description="The calendars that are rooms, by the last part of their addresses. By default every "
        "calendar of the home is a room.",
    )
    ca_file: FilePath | None = Field(default=None, description="Private CA for the server's certificate.")
    fence: CanaryCollections = CanaryCollections()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.username is None) != (self.password_file is None):
            raise ValueError("expected username and password_file, or neither")
        names = [name.casefold() for name in self.calendars]
        if len(set(names)) < len(names):
            raise ValueError("calendars: a name is there twice")
        own = urlsplit(self.url).netloc
        if any(urlsplit(canary).netloc != own for canary in self.fence.canaries):
            # The password goes with the trial, and no other host may get it.
            raise ValueError("fence.canaries: expected calendars at the host of url")
        return self

    @property
    def named_rooms(self) -> frozenset[str] | None:
        """See `placed.driver.ConnectionSettings`."""
        return frozenset(name.lower() for name in self.calendars) or None
