"""What Microsoft's tools call the clouds.

Sources: the reference pages of az cloud, Connect-MgGraph and Connect-ExchangeOnline. The Azure CLI has no
cloud of its own for the DoD's Graph, so its Graph endpoint is set by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from placed_microsoft365.clouds import CLOUDS, Cloud


@dataclass(frozen=True, slots=True)
class Tools:
    """A cloud, as each tool calls it.

    Attributes:
        az: of the Azure CLI, `az cloud set --name`.
        graph: of Microsoft Graph PowerShell, `Connect-MgGraph -Environment`.
        exchange: of Exchange Online PowerShell, `Connect-ExchangeOnline -ExchangeEnvironmentName`.
        az_graph: the address of Graph, where the Azure CLI has to be told.
    """

    az: str
    graph: str
    exchange: str
    az_graph: str | None = None

    @property
    def az_cloud(self) -> tuple[str, ...]:
        """The commands that choose the cloud."""
        chosen = (f"az cloud set --name {self.az}",)
        if self.az_graph is None:
            return chosen
        option = f"--endpoint-microsoft-graph-resource-id {self.az_graph}/"
        return (*chosen, f"az cloud update --name {self.az} {option}")

    def sign_in(self, tenant: str) -> tuple[str, ...]:
        """The commands that choose the cloud and sign in."""
        return (*self.az_cloud, f"az login --allow-no-subscriptions --tenant {tenant}")


TOOLS = {
    Cloud.WORLDWIDE: Tools("AzureCloud", "Global", "O365Default"),
    Cloud.USGOV: Tools("AzureUSGovernment", "USGov", "O365USGovGCCHigh"),
    Cloud.USGOV_DOD: Tools("AzureUSGovernment", "USGovDoD", "O365USGovDoD", CLOUDS[Cloud.USGOV_DOD].graph),
    Cloud.CHINA: Tools("AzureChinaCloud", "China", "O365China"),
}
