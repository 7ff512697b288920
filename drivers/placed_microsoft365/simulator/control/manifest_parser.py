"""The manifest of an app registration: the permissions that the app asks for.

Source: Microsoft, "Understand the app manifest". The list of `requiredResourceAccess` alone is taken too, as
Azure CLI reads it for `--required-resource-accesses`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from placed_microsoft365.simulator.tenant.app_roles import role_name

if TYPE_CHECKING:
    from collections.abc import Sequence

APP_ROLE = "Role"  # and not `Scope`, which is asked for in the name of a user


class ResourceAccess(msgspec.Struct, frozen=True):
    """One permission."""

    id: str
    type: str


class RequiredResource(msgspec.Struct, frozen=True, rename="camel"):
    """The permissions on one API."""

    resource_app_id: str
    resource_access: tuple[ResourceAccess, ...]


class Platform(msgspec.Struct, frozen=True, rename={"redirect_uris": "redirectUris"}):
    """A kind of client, with where its users are sent back to."""

    redirect_uris: tuple[str, ...] = ()


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """What is used of a manifest; whatever else is in it is passed over."""

    required_resource_access: tuple[RequiredResource, ...]
    web: Platform | None = None
    public_client: Platform | None = None

    @property
    def redirect_uris(self) -> tuple[str, ...] | None:
        """Where the consent page may send a browser; None if the manifest has none."""
        platforms = [platform for platform in (self.web, self.public_client) if platform is not None]
        return tuple(uri for platform in platforms for uri in platform.redirect_uris) if platforms else None


def read_manifest(body: bytes) -> Manifest:
    """The manifest in a body.

    Raises:
        ValueError: it is none.
    """
    if body.lstrip().startswith(b"["):
        return Manifest(msgspec.json.decode(body, type=tuple[RequiredResource, ...]))
    return msgspec.json.decode(body, type=Manifest)


def requested_roles(required: Sequence[RequiredResource]) -> set[str]:
    """The names of the app roles that are asked for.

    Raises:
        ValueError: there is no such role.
    """
    return {
        role_name(resource.resource_app_id, access.id)
        for resource in required
        for access in resource.resource_access
        if access.type == APP_ROLE
    }
