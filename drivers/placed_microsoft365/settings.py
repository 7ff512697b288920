"""The driver's keys of a `[[connections]]` table."""

from __future__ import annotations

from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from placed.driver import ConnectionSettings, FilePath
from placed_microsoft365.clouds import CLOUDS, Cloud

ALL_ROOMS = "*"


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        sound = parts.scheme == "https" and parts.hostname and parts.port != 0
    except ValueError:  # an invalid port
        sound = False
    if not sound or parts.username is not None or parts.query or parts.fragment:
        raise ValueError("expected an address such as https://host or https://host:port")
    # In lower case, as Graph writes its host in links.
    return f"https://{parts.netloc.lower()}{parts.path.rstrip('/')}"


def _address(value: str) -> str:
    local, at, domain = value.partition("@")
    if not (local and at and domain) or any(c.isspace() for c in value):
        raise ValueError("expected an e-mail address such as boardroom@contoso.com")
    return value


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Address = Annotated[str, AfterValidator(_address)]


class FenceSettings(BaseModel):
    """The limit on what the registration may read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["access-policy", "rbac"] = Field(
        default="access-policy",
        description="access-policy (application access policy) or rbac (RBAC for Applications).",
    )
    canaries: tuple[Address, ...] = Field(
        default=(), description="Mailboxes outside the fence; reading them must be refused."
    )
    enforce: bool = Field(
        default=True, description="Whether a readable canary ends the reading of this connection."
    )


class Microsoft365Settings(ConnectionSettings):
    """A Microsoft Entra registration, the rooms it reads, and the fence around them."""

    driver: Literal["microsoft365"] = Field(default="microsoft365", description="microsoft365")
    tenant: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$", description="The tenant's domain name or its GUID."
    )
    client_id: str = Field(
        pattern=r"^[A-Za-z0-9._-]+$",
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

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.certificate is None) == (self.client_secret_file is None):
            raise ValueError("expected one of certificate and client_secret_file")
        if [bool(self.rooms), bool(self.room_group), bool(self.room_list)].count(True) != 1:
            raise ValueError("expected one of rooms, room_group and room_list")
        return self

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
