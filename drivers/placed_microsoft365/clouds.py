"""The national clouds, by name.

Source: Microsoft, "Microsoft Entra authentication & national clouds" and "Microsoft Graph national cloud
deployments". GCC is on the worldwide hosts. Tokens do not cross clouds.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Cloud(StrEnum):
    """A Microsoft cloud."""

    WORLDWIDE = "worldwide"
    USGOV = "usgov"
    USGOV_DOD = "usgov-dod"
    CHINA = "china"


class Hosts(msgspec.Struct, frozen=True):
    """Where a cloud's services are."""

    login: str
    graph: str


CLOUDS = {
    Cloud.WORLDWIDE: Hosts("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    Cloud.USGOV: Hosts("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    Cloud.USGOV_DOD: Hosts("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    Cloud.CHINA: Hosts("https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
}

# Login hosts that are one and the same, as MSAL and Microsoft's own descriptions know them.
_LOGIN_HOST_ALIASES = (
    frozenset({"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"}),
    frozenset({"login.microsoftonline.us", "login.usgovcloudapi.net"}),
    frozenset({"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}),
)


def login_hosts_of(host: str) -> frozenset[str]:
    """The hosts, at port 443, that are the same as this one; none beside it, if it is no cloud's."""
    return next((hosts for hosts in _LOGIN_HOST_ALIASES if host in hosts), frozenset())
