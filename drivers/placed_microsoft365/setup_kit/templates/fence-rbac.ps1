#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Authentication'; ModuleVersion = '2.0.0' }
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Applications'; ModuleVersion = '2.0.0' }
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }
<#
.SYNOPSIS
Draws the fence with RBAC for Applications, and proves it. Microsoft recommends this way.

.DESCRIPTION
Grants: reading the calendars of the direct members of the room group. Nothing that writes, nobody else.

The permission is granted by Exchange, within a scope. It is not granted in Entra, and must not be: a grant in
Entra is for all mailboxes, both add up, and so the scope would be without effect. Where there is such a grant,
this script takes it back before it does anything else.

Run it with -WhatIf first. Run it as often as you like.
In effect after 30 minutes to 2 hours; the trial at the end looks past that.

A new or small organisation ("dehydrated") allows no scopes and roles of its own until
Enable-OrganizationCustomization was run, once and for good. This script does so where it is needed. It waits
until what was made is known to the servers, shows that, and gives up after a time that it says.

Who: Exchange Administrator (Organization Management), who may also take back a grant in Entra: Cloud Application
Administrator or Privileged Role Administrator. In a fresh window, where no other script of Microsoft 365 has run.

.PARAMETER Room
A room to try the fence with; else the first of the group.

.PARAMETER Canary
Mailboxes outside of the fence, that must be refused.
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

$Role = 'Application Calendars.Read'

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

# What register made a moment ago is not known to every server yet.
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
    throw 'The application has an application access policy. Run move-to-rbac.ps1: it moves without an open moment.'
}

# 1. Shut what is open. A grant of Calendars.Read in Entra, with no policy beside it, reads every mailbox.
Revoke-CalendarsGrant $objectId

# 2. to 4. The scope, then who, then the role: each is of no effect without the next.
Confirm-Customization
Confirm-Scope ([string]$roomGroup.DistinguishedName)
Confirm-Pointer $appId $objectId
Confirm-Assignment $appId $objectId

# 5. Proof.
Show-Stranger
Show-Excess $objectId
if (@(Get-CalendarsGrant $objectId).Count -gt 0 -and -not $WhatIfPreference) {
    throw 'THE FENCE DOES NOT HOLD: Calendars.Read is still granted in Entra, which cancels the scope.'
}
Test-Fence $appId @($testRoom) $Canary
