"""The driver's keys of a `[[connections]]` table."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from placed.driver import ActionSettings, Address, BaseUrl, ConnectionSettings, FenceKeys, FilePath
from placed_microsoft365.clouds import CLOUDS, Cloud

ALL_ROOMS = "*"
CLIENT_ID = r"^[A-Za-z0-9._-]+$"


class FenceSettings(FenceKeys):
    """The limit on what the registration may read."""

    kind: Literal["access-policy", "rbac"] = Field(
        default="access-policy",
        description="access-policy (application access policy) or rbac (RBAC for Applications).",
    )


class Actions(ActionSettings):
    """What panels may do, and the registration that writes: never the one that reads."""

    client_id: str = Field(
        pattern=CLIENT_ID, description="The writing registration's application (client) id, a GUID."
    )
    certificate: FilePath | None = Field(
        default=None, description="PEM file with its private key and its certificate."
    )
    client_secret_file: FilePath | None = Field(
        default=None, description="File that holds its client secret, if there is no certificate."
    )

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        if (self.certificate is None) == (self.client_secret_file is None):
            raise ValueError("expected one of certificate and client_secret_file")
        return self


class Microsoft365Settings(ConnectionSettings):
    """A Microsoft Entra registration, the rooms it reads, and the fence around them."""

    driver: Literal["microsoft365"] = Field(default="microsoft365", description="microsoft365")
    tenant: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", description="The tenant's domain name or its GUID."
    )
    client_id: str = Field(
        pattern=CLIENT_ID,
        description="The registration's application (client) id, a GUID.",
    )
    certificate: FilePath | None = Field(
        default=None, description="PEM file with the private key and the certificate."
    )
    client_secret_file: FilePath | None = Field(
        default=None, description="File that holds the client secret, if there is no certificate."
    )
    cloud: Cloud = Field(default=Cloud.WORLDWIDE, description="worldwide, usgov, usgov-dod or china.")
    authority: BaseUrl | None = Field(default=None, description="Login host, if it is not the cloud's own.")
    graph: BaseUrl | None = Field(default=None, description="Graph host, if it is not the cloud's own.")
    ca_file: FilePath | None = Field(
        default=None, description="Private CA for the certificates of both hosts."
    )
    rooms: tuple[Address, ...] = Field(
        default=(), description="The rooms' addresses; needs no directory permission."
    )
    room_group: str | None = Field(
        default=None,
        min_length=1,
        description="Address or object id of the mail-enabled security group that the rooms are members of.",
    )
    room_list: str | None = Field(
        default=None, min_length=1, description="Address of a room list; * for all rooms of the tenant."
    )
    fence: FenceSettings = FenceSettings()
    actions: Actions | None = Field(
        default=None, description="What panels may do; without the table nothing is ever written."
    )

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.certificate is None) == (self.client_secret_file is None):
            raise ValueError("expected one of certificate and client_secret_file")
        if [bool(self.rooms), bool(self.room_group), bool(self.room_list)].count(True) != 1:
            raise ValueError("expected one of rooms, room_group and room_list")
        if self.actions is not None and self.actions.client_id == self.client_id:
            raise ValueError("actions.client_id: expected a registration of its own, not the one that reads")
        return self

    @property
    def writes(self) -> Actions | None:
        """See `placed.driver.ConnectionSettings`."""
        return self.actions

    @property
    def named_rooms(self) -> frozenset[str] | None:
        """See `placed.driver.ConnectionSettings`."""
        return frozenset(address.lower() for address in self.rooms) or None

    @property
    def login_url(self) -> str:
        """The login host's address, without the tenant."""
        return self.authority or CLOUDS[self.cloud].login

    @property
    def graph_url(self) -> str:
        """The Graph host's address, without the version."""
        return self.graph or CLOUDS[self.cloud].graph
