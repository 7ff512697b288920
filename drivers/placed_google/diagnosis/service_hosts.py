"""The hosts of Google, as the doctor asks them."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from placed.driver.host_checks import ServiceHost
from placed_google.auth.key_file import ServiceAccountKey

if TYPE_CHECKING:
    from placed_google.auth.external_account import ExternalAccount
    from placed_google.settings import GoogleSettings


def hosts_of(
    settings: GoogleSettings, credential: ServiceAccountKey | ExternalAccount
) -> tuple[ServiceHost, ...]:
    """Returns the token host first, then that of Calendar, and that of the directory if it lists the rooms.

    Raises:
        DriverError: the environment names an invalid proxy.
    """
    default = type(settings).model_fields
    if isinstance(credential, ServiceAccountKey):
        urls, key, own = (
            [settings.token_url or credential.token_url],
            "token_url",
            settings.token_url is not None,
        )
    else:
        urls = [credential.token_url, credential.service_account_impersonation_url]
        key, own = "workload_identity", True
    hosts = []
    for url in urls:
        parts = urlsplit(url)
        hosts.append(ServiceHost.of(f"{parts.scheme}://{parts.netloc}", parts.path or "/", key, own=own))
    used = ["calendar_url", *(["directory_url"] if settings.customer is not None else [])]
    for key in used:
        url = getattr(settings, key)
        hosts.append(ServiceHost.of(url, "/", key, own=url != default[key].default))
    return tuple(hosts)
