#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Authentication'; ModuleVersion = '2.0.0' }
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Applications'; ModuleVersion = '2.0.0' }
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }
<#
.SYNOPSIS
Moves the fence from an application access policy to RBAC for Applications, without widening access at any time.

.DESCRIPTION
Grants: reading the calendars of the direct members of the room group, by Exchange. Removes: the grant in Entra, and
finally the policy. At no time can the application read more than before.

Run it three times: today, two hours later, and a day later. Each run does the steps that are due, and prints when
to run it next. Run it with -WhatIf first.

Why in this order. What is granted in Entra and what is granted by RBAC add up. The policy limits the first and
not the second; the scope limits the second and not the first.
  1. scope        has no effect yet
  2. pointer      has no effect yet
  3. assignment   adds the rooms, which the application can read already
  4. test         RBAC allows the rooms and refuses the canaries; nothing is removed before this has passed
     two hours    until RBAC is also in effect for an application that reads all the time, so that no room gets unknown
  5. Entra grant  revoked: from now on only RBAC grants access
     a day        earlier tokens still contain the grant. They are valid for 90 minutes, or for a day with a token
                  lifetime policy. Only the access policy limits them, so it must stay
  6. policy       removed: there is nothing left for it to limit
With 5 before 3, rooms would be unknown. With 6 before 5, or too soon after it, every mailbox could be read.

Who: Exchange Administrator (Organization Management), who may also take back a grant in Entra: Cloud Application
Administrator or Privileged Role Administrator. In a fresh window, where no other script of Microsoft 365 has run.

.PARAMETER Now
Skips the wait of two hours before 5. This grants nothing, but rooms may be unknown until RBAC is in effect.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string] $Tenant = @@{tenant},
    [string] $ClientId = @@{client_id},
    [string] $ApplicationName = @@{application_name},
    [string] $Group = @@{group},
    [string] $Room = @@{room},
    [string[]] $Canary = @@{canaries},
    [string] $ScopeName = @@{scope_name},
    [string] $AssignmentName = @@{assignment_name},
    [string] $GraphEnvironment = @@{graph_environment},
    [string] $ExchangeEnvironment = @@{exchange_environment},
    [switch] $Now
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$Role = @@{role}
$HoursUntilAssigned = 2
$HoursUntilTokensAreGone = 24
$CalendarsReadId = @@{calendars_id}

@@{part_entra}

@@{part_enterprise_application}

@@{part_grants}

@@{part_calendars_grant}

@@{part_exchange}

@@{part_wait_until}

@@{part_retry}

@@{part_group}

@@{part_existing_group}

@@{part_members}

@@{part_unexpected_members}

@@{part_test_room}

@@{part_rbac}

@@{part_first_seen}

# Entra first: the two modules hold the same library in two versions, and in the other order Connect-MgGraph fails.
Connect-Entra -Scopes @('Application.Read.All', 'AppRoleAssignment.ReadWrite.All')
Connect-Exchange

# Some servers do not know yet what register has just created.
$null = Wait-Until "the enterprise application $ApplicationName" { @(Get-EnterpriseApplication).Count -gt 0 } 3
$enterprise = @(Get-EnterpriseApplication)
if ($enterprise.Count -eq 0) {
    throw "There is no enterprise application $ApplicationName. Run register first."
}
$objectId = $enterprise[0].Id
$appId = [string]$enterprise[0].AppId
$roomGroup = Get-ExistingRoomGroup
$testRoom = Get-TestRoom
$policies = @(Get-ApplicationAccessPolicy | Where-Object { [string]$_.AppId -eq $appId })
if ($policies.Count -eq 0) {
    Write-Host 'The application has no access policy. Run fence-rbac.ps1 instead.'
    return
}

# 1. to 3. Scope, pointer, assignment.
Confirm-Customization
Confirm-Scope ([string]$roomGroup.DistinguishedName)
Confirm-Pointer $appId $objectId
Confirm-Assignment $appId $objectId

# 4. Test. If it fails, the script ends, and nothing is removed.
Show-Stranger
Show-Excess $objectId
Test-Fence $appId @($testRoom) $Canary
Confirm-Since 'rbac-assigned' (@(Get-Authorization $appId).Count -gt 0)

# 5. The grant in Entra.
$granted = @(Get-CalendarsGrant $objectId).Count -gt 0
if ($granted) {
    $asks = @(Get-MgApplication -Filter "appId eq '$(Get-Quoted $appId)'" | ForEach-Object { $_.RequiredResourceAccess } | ForEach-Object { $_.ResourceAccess } | Where-Object { [string]$_.Id -eq $CalendarsReadId })
    if ($asks.Count -gt 0) {
        throw 'The registration still requests @@{calendars_plain}, so the next consent would grant it again. Create the kit again with fence.kind=rbac, run register, then run this script again.'
    }
    if (-not $Now -and -not (Test-Waited 'rbac-assigned' $HoursUntilAssigned)) {
        Write-Host "This step is done. Run this again after $(Get-Due 'rbac-assigned' $HoursUntilAssigned), when RBAC is in effect."
        return
    }
    Revoke-CalendarsGrant $objectId
    $granted = @(Get-CalendarsGrant $objectId).Count -gt 0
}
Confirm-Since 'calendars-grant-gone' (-not $granted)

# 6. The policy, when no token with the grant is left.
if ($granted -or -not (Test-Waited 'calendars-grant-gone' $HoursUntilTokensAreGone)) {
    Write-Host "The policy stays until old tokens are gone. Run this again after $(Get-Due 'calendars-grant-gone' $HoursUntilTokensAreGone)."
    return
}
Test-Fence $appId @($testRoom) $Canary
foreach ($policy in $policies) {
    if ($PSCmdlet.ShouldProcess([string]$policy.Identity, 'remove the application access policy')) {
        Remove-ApplicationAccessPolicy -Identity $policy.Identity -Confirm:$false
    }
}
Write-Host 'Done. In placed.toml write kind = "rbac" into [connections.fence].'
