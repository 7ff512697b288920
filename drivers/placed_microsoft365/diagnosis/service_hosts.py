"""The hosts of login and Graph, as the doctor asks them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placed.driver.host_checks import ServiceHost

if TYPE_CHECKING:
    from placed.driver.host_checks import HostProbe
    from placed_microsoft365.settings import Microsoft365Settings

_TENANT = re.compile(
    rb'"token_endpoint"\s*:\s*"https://[^"]*/([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/'
)


def hosts_of(settings: Microsoft365Settings) -> tuple[ServiceHost, ServiceHost]:
    """Returns the login host and the Graph host.

    Raises:
        DriverError: the environment names an invalid proxy.
    """
    discovery = f"/{settings.tenant}/v2.0/.well-known/openid-configuration"
    return (
        ServiceHost.of(settings.login_url, discovery, "authority", own=settings.authority is not None),
        ServiceHost.of(settings.graph_url, "/v1.0/", "graph", own=settings.graph is not None),
    )


def tenant_id_in(login: HostProbe) -> str | None:
    """Returns the tenant's GUID, if the login host reported it."""
    found = _TENANT.search(login.body)
    return found[1].decode().lower() if found else None
