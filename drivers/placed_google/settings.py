"""The driver's keys of a `[[connections]]` table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from placed.driver import ActionSettings, Address, BaseUrl, ConnectionSettings, FenceKeys, FilePath
from placed_google.calendars.pace import note

if TYPE_CHECKING:
    from datetime import timedelta

MY_CUSTOMER = "my_customer"  # the organisation of the user who asks; a service account has none


class FenceSettings(FenceKeys):
    """The limit on what the service account may read."""

    canaries_exist: bool = Field(
        default=False,
        description="Whether somebody has checked that every canary is an existing calendar: Google Calendar "
        "answers the same for one that does not exist.",
    )


class Actions(ActionSettings):
    """What panels may do, and the service account that writes: never the one that reads."""

    key_file: FilePath = Field(description="JSON file with the key of the service account that writes.")


class GoogleSettings(ConnectionSettings):
    """A service account of Google Cloud, and the rooms that are shared with it."""

    driver: Literal["google"] = Field(default="google", description="google")
    key_file: FilePath | None = Field(default=None, description="JSON file with the service account's key.")
    workload_identity: FilePath | None = Field(
        default=None,
        description="JSON file of the type external_account (workload identity federation), for no key.",
    )
    subject: Address | None = Field(
        default=None,
        description="User whom the service account impersonates by domain-wide delegation, which cannot be "
        "fenced. Without it the rooms are shared with the service account.",
    )
    rooms: tuple[Address, ...] = Field(
        default=(), description="The rooms' calendar ids, such as c_188…@resource.calendar.google.com."
    )
    customer: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_]+$",
        description="The organisation's customer id, such as C01abc234, if its directory lists the rooms.",
    )
    room_query: str | None = Field(
        default=None,
        min_length=1,
        description="Which of the directory's resources are rooms, as a query of the Directory API. "
        "By default resourceCategory=CONFERENCE_ROOM.",
    )
    requests_per_minute: int = Field(
        default=480,
        ge=10,
        le=10_000,
        description="Maximum number of requests a minute. Google allows a service account 600 by default.",
    )
    ca_file: FilePath | None = Field(
        default=None, description="Private CA for the certificates of all hosts."
    )
    token_url: BaseUrl | None = Field(
        default=None, description="Token endpoint, if it is not the one that the key file names."
    )
    calendar_url: BaseUrl = Field(
        default="https://www.googleapis.com", description="Host of the Google Calendar API."
    )
    directory_url: BaseUrl = Field(
        default="https://admin.googleapis.com", description="Host of the Directory API."
    )
    fence: FenceSettings = FenceSettings()
    actions: Actions | None = Field(
        default=None, description="What panels may do; without the table nothing is ever written."
    )

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.key_file is None) == (self.workload_identity is None):
            raise ValueError("expected one of key_file and workload_identity")
        if bool(self.rooms) == (self.customer is not None):
            raise ValueError("expected one of rooms and customer")
        if self.room_query is not None and self.customer is None:
            raise ValueError("room_query needs customer: it selects from the directory's list")
        if self.workload_identity is not None and self.subject is not None:
            raise ValueError("subject needs key_file: without a key the rooms have to be shared")
        if self.workload_identity is not None and self.token_url is not None:
            raise ValueError("token_url needs key_file: the file of workload_identity names its hosts")
        if self.actions is not None and self.actions.key_file == self.key_file:
            raise ValueError(
                "actions.key_file: expected a service account of its own, not the one that reads"
            )
        return self

    @property
    def writes(self) -> Actions | None:
        """See `placed.driver.ConnectionSettings`."""
        return self.actions

    def reading_note(self, rooms: int | None, interval: timedelta) -> str:
        """See `placed.driver.ConnectionSettings`."""
        return note(rooms, self.requests_per_minute, interval)

    @property
    def named_rooms(self) -> frozenset[str] | None:
        """See `placed.driver.ConnectionSettings`."""
        return frozenset(address.lower() for address in self.rooms) or None
