"""The steps by which the administrator revokes the application's grants.

Sources: Microsoft, "Review permissions granted to enterprise applications" (portal, Microsoft Graph
PowerShell); the reference of Exchange PowerShell for the cmdlets below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placed_microsoft365.auth.application_permissions import RBAC, to_consent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placed_microsoft365.settings import Actions, Microsoft365Settings


def revocation(settings: Microsoft365Settings) -> Sequence[str]:
    """See `placed.driver.ConsentFlow.revocation`."""
    client, tenant = settings.client_id, settings.tenant
    granted = to_consent(settings)
    return (
        f"All at once: run the undo script of what `placed setup` writes, as an administrator of {tenant}.",
        *((_in_the_portal(client, granted), _in_powershell(client, tenant)) if granted else ()),
        _rbac(client) if settings.fence.kind == RBAC else _policy(client),
        f"If nothing else uses the registration: Entra ID > App registrations > {client} > Delete.",
        *((_of_actions(settings.name, settings.actions),) if settings.actions is not None else ()),
        "Tokens that were issued before stay good for up to 90 minutes.",
    )


def _of_actions(connection: str, actions: Actions) -> str:
    return (
        f"The registration of actions, {actions.client_id}, is another one: run the undo script of what "
        f"`placed setup {connection} --actions` writes, and do so first if the group is to go, too."
    )


def _in_the_portal(client: str, granted: Sequence[str]) -> str:
    return (
        "Or by hand, in the Microsoft Entra admin center: Entra ID > Enterprise apps > All applications > "
        f"the application with the id {client} > Permissions > Admin consent > {' and '.join(granted)} "
        "> ... > Revoke permission."
    )


def _in_powershell(client: str, tenant: str) -> str:
    """Returns the commands that revoke every application permission of this application only."""
    return (
        "Or in Microsoft Graph PowerShell: "
        f"Connect-MgGraph -TenantId {tenant} -Scopes Application.Read.All, AppRoleAssignment.ReadWrite.All; "
        f"$sp = Get-MgServicePrincipal -Filter \"appId eq '{client}'\"; "
        "Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id -All | ForEach-Object { "
        "Remove-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $sp.Id -AppRoleAssignmentId $_.Id }"
    )


def _rbac(client: str) -> str:
    """Returns the steps that list the role assignments and remove them by name.

    Without a service principal Get-ManagementRoleAssignment lists the assignments of the whole tenant, and a
    pipe would remove them all.
    """
    return (
        "The calendars, in Exchange Online PowerShell: Get-ManagementRoleAssignment -RoleAssignee "
        f"(Get-ServicePrincipal -Identity {client} -ErrorAction Stop).ObjectId | Format-Table Name, Role; "
        'then, with the name that has the role "Application Calendars.Read": '
        "Remove-ManagementRoleAssignment NAME"
    )


def _policy(client: str) -> str:
    return (
        "Only then, in Exchange Online PowerShell, the access policy, which has nothing left to limit: "
        f"Get-ApplicationAccessPolicy | Where-Object AppId -eq {client} | Remove-ApplicationAccessPolicy"
    )
