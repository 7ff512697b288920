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
