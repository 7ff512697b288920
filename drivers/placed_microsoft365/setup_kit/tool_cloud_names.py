"""The names of the clouds in Microsoft's tools.

Sources: the reference pages of az cloud, Connect-MgGraph and Connect-ExchangeOnline. The Azure CLI has no
cloud for the DoD's Graph, so its Graph endpoint is set explicitly.
"""

from __future__ import annotations

from dataclasses import dataclass

from placed_microsoft365.clouds import CLOUDS, Cloud


@dataclass(frozen=True, slots=True)
class Tools:
    """A cloud's name in each tool.

    Attributes:
        az: the Azure CLI, `az cloud set --name`.
        graph: Microsoft Graph PowerShell, `Connect-MgGraph -Environment`.
        exchange: Exchange Online PowerShell, `Connect-ExchangeOnline -ExchangeEnvironmentName`.
        az_graph: the Graph endpoint, if the Azure CLI needs it.
    """

    az: str
    graph: str
    exchange: str
    az_graph: str | None = None

    @property
    def az_cloud(self) -> tuple[str, ...]:
        """Returns the commands that select the cloud."""
        chosen = (f"az cloud set --name {self.az}",)
        if self.az_graph is None:
            return chosen
        option = f"--endpoint-microsoft-graph-resource-id {self.az_graph}/"
        return (*chosen, f"az cloud update --name {self.az} {option}")

    def sign_in(self, tenant: str) -> tuple[str, ...]:
        """Returns the commands that select the cloud and sign in."""
        return (*self.az_cloud, f"az login --allow-no-subscriptions --tenant {tenant}")


TOOLS = {
    Cloud.WORLDWIDE: Tools("AzureCloud", "Global", "O365Default"),
    Cloud.USGOV: Tools("AzureUSGovernment", "USGov", "O365USGovGCCHigh"),
    Cloud.USGOV_DOD: Tools("AzureUSGovernment", "USGovDoD", "O365USGovDoD", CLOUDS[Cloud.USGOV_DOD].graph),
    Cloud.CHINA: Tools("AzureChinaCloud", "China", "O365China"),
}
