#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Authentication'; ModuleVersion = '2.0.0' }
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Applications'; ModuleVersion = '2.0.0' }
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }
<#
.SYNOPSIS
Sets the fence with RBAC for Applications, and tests it. Microsoft recommends this way.

.DESCRIPTION
@@{grants_plain}

Exchange grants the permission, within a scope. It must not be granted in Entra as well: a grant in Entra is for all
mailboxes, and grants add up, so the scope would have no effect. If there is such a grant, this script revokes it
before it does anything else.

Run it with -WhatIf first. Run it as often as you like.
It takes effect after 30 minutes to 2 hours. The test at the end bypasses this delay.

A new or small organisation ("dehydrated") cannot have its own scopes and roles until
Enable-OrganizationCustomization has run, once and permanently. If it is needed, this script runs it. After each
change the script waits until the servers know it, prints until when it waits, and then stops with an error.

Who: Exchange Administrator (Organization Management), who may also take back a grant in Entra: Cloud Application
Administrator or Privileged Role Administrator. In a fresh window, where no other script of Microsoft 365 has run.

.PARAMETER Room
The room to test the fence with. Default: the first of the group.

.PARAMETER Canary
Mailboxes outside the fence. Exchange must refuse them.
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
    [string] $ExchangeEnvironment = @@{exchange_environment}
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$Role = @@{role}

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
if ($policies.Count -gt 0) {
    throw 'The application has an application access policy. Run move-to-rbac.ps1, which never widens access.'
}

# 1. Revoke the grant in Entra. @@{calendars_plain} without a policy can @@{reach_plain} every mailbox.
Revoke-CalendarsGrant $objectId

# 2. to 4. The scope, then the pointer, then the role: each has no effect without the next.
Confirm-Customization
Confirm-Scope ([string]$roomGroup.DistinguishedName)
Confirm-Pointer $appId $objectId
Confirm-Assignment $appId $objectId

# 5. Test.
Show-Stranger
Show-Excess $objectId
if (@(Get-CalendarsGrant $objectId).Count -gt 0 -and -not $WhatIfPreference) {
    throw 'THE FENCE DOES NOT HOLD: @@{calendars_plain} is still granted in Entra, which cancels the scope.'
}
Test-Fence $appId @($testRoom) $Canary
