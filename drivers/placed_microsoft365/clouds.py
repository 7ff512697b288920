"""The national clouds, by name.

Source: Microsoft, "Microsoft Entra authentication & national clouds" and "Microsoft Graph national cloud
deployments". GCC uses the worldwide hosts. Tokens are valid in one cloud only.
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
    """The hosts of a cloud's services."""

    login: str
    graph: str


CLOUDS = {
    Cloud.WORLDWIDE: Hosts("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    Cloud.USGOV: Hosts("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    Cloud.USGOV_DOD: Hosts("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    Cloud.CHINA: Hosts("https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
}

# Aliases of login hosts, as MSAL and Microsoft's own OpenID configuration know them.
_LOGIN_HOST_ALIASES = (
    frozenset({"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"}),
    frozenset({"login.microsoftonline.us", "login.usgovcloudapi.net"}),
    frozenset({"login.partner.microsoftonline.cn", "login.chinacloudapi.cn"}),
)


def login_hosts_of(host: str) -> frozenset[str]:
    """Returns all aliases of a login host, itself included; none if it belongs to no cloud."""
    return next((hosts for hosts in _LOGIN_HOST_ALIASES if host in hosts), frozenset())
