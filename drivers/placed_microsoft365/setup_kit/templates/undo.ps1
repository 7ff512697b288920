#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Authentication'; ModuleVersion = '2.0.0' }
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Applications'; ModuleVersion = '2.0.0' }
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }
<#
.SYNOPSIS
Removes what this kit has created.

.DESCRIPTION
Grants nothing. It removes access first and the fence last, so that at no time more can be read than before:
  1. every permission that was granted in Entra
  2. the role assignment in Exchange, then its scope, then the pointer
  3. with -RemoveApplication: the registration, with its certificates (Entra can restore it for 30 days)
  4. the application access policy, a day after 1: earlier tokens still contain the grant, and only the
     policy limits them
@@{undo_group_text}If there is a policy, run it again a day later. Run it with -WhatIf first.

It keeps: rooms, mailboxes, the room list, and what calendar-processing.ps1 has set (its -HideTitles).
On the server, `placed disconnect` clears what placed has published and stored.

Who: Exchange Administrator (Organization Management), and Cloud Application Administrator or Privileged Role
Administrator. In a fresh window, where no other script of Microsoft 365 has run.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string] $Tenant = @@{tenant},
    [string] $ClientId = @@{client_id},
    [string] $ApplicationName = @@{application_name},
    [string] $Group = @@{group},
    [string] $ScopeName = @@{scope_name},
    [string] $AssignmentName = @@{assignment_name},
    [string] $GraphEnvironment = @@{graph_environment},
    [string] $ExchangeEnvironment = @@{exchange_environment},
    [switch] $RemoveApplication@@{undo_group_parameter}
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$Role = @@{role}
$HoursUntilTokensAreGone = 24

@@{part_entra}

@@{part_enterprise_application}

@@{part_grants}

@@{part_exchange}

@@{part_first_seen}

@@{undo_group_functions}

# Entra first: the two modules hold the same library in two versions, and in the other order Connect-MgGraph fails.
Connect-Entra -Scopes @('Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All')
Connect-Exchange

# 1. What was granted in Entra.
$enterprise = @(Get-EnterpriseApplication)
$granted = $false
if ($enterprise.Count -gt 0) {
    $ClientId = [string]$enterprise[0].AppId
    foreach ($grant in @(Get-Grant $enterprise[0].Id)) {
        if ($PSCmdlet.ShouldProcess($ApplicationName, "take back the Entra grant of $($grant.Permission)")) {
            Remove-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $enterprise[0].Id -AppRoleAssignmentId $grant.Id
        }
    }
    $granted = @(Get-Grant $enterprise[0].Id).Count -gt 0
}
Confirm-Since 'calendars-grant-gone' (-not $granted)

# 2. What was granted in Exchange. The lists are searched by name: an unknown name would be answered with all.
foreach ($assignment in @(Get-ManagementRoleAssignment -Role $Role | Where-Object { $_.Name -eq $AssignmentName })) {
    if ($PSCmdlet.ShouldProcess($AssignmentName, 'remove the role assignment')) {
        Remove-ManagementRoleAssignment -Identity $assignment.Identity -Confirm:$false
    }
}
foreach ($scope in @(Get-ManagementScope | Where-Object { $_.Name -eq $ScopeName })) {
    if ($PSCmdlet.ShouldProcess($ScopeName, 'remove the management scope')) {
        Remove-ManagementScope -Identity $scope.Identity -Confirm:$false
    }
}
foreach ($pointer in @(Get-ServicePrincipal | Where-Object { $ClientId -and [string]$_.AppId -eq $ClientId })) {
    if ($PSCmdlet.ShouldProcess($ApplicationName, 'remove the service principal from Exchange')) {
        Remove-ServicePrincipal -Identity $pointer.Identity -Confirm:$false
    }
}

# 3. The registration, with everything that can sign in as it.
if ($RemoveApplication -and $ClientId) {
    foreach ($app in @(Get-MgApplication -Filter "appId eq '$(Get-Quoted $ClientId)'")) {
        if ($PSCmdlet.ShouldProcess("$($app.DisplayName), $ClientId", 'remove the registration')) {
            Remove-MgApplication -ApplicationId $app.Id
        }
    }
}

# 4. The policy. By its description too, for when the registration is gone already.
$policies = @(Get-ApplicationAccessPolicy | Where-Object {
        ($ClientId -and [string]$_.AppId -eq $ClientId) -or [string]$_.Description -eq $ApplicationName
    })
if ($policies.Count -gt 0) {
    if ($granted -or -not (Test-Waited 'calendars-grant-gone' $HoursUntilTokensAreGone)) {
        Write-Host "The policy stays until old tokens are gone. Run this again after $(Get-Due 'calendars-grant-gone' $HoursUntilTokensAreGone)."
        return
    }
    foreach ($policy in $policies) {
        if ($PSCmdlet.ShouldProcess([string]$policy.Identity, 'remove the application access policy')) {
            Remove-ApplicationAccessPolicy -Identity $policy.Identity -Confirm:$false
        }
    }
}

@@{undo_group}Write-Host 'Done.'
