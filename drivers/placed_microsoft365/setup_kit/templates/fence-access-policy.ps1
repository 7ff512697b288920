#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }
<#
.SYNOPSIS
Sets the fence with an application access policy, and tests it. This is the legacy way.

.DESCRIPTION
LEGACY: Microsoft has replaced application access policies by RBAC for Applications, and asks administrators not to
create new ones. They still work, and no end date is known. If you can, run fence-rbac.ps1 instead.

Grants nothing. The policy limits the permissions that are granted in Entra: the application can @@{reach_plain}
the calendars of the members of the room group, and nobody else's. So run it BEFORE consent: with consent and no
policy, placed could @@{reach_plain} every calendar of the organisation.

The policy limits @@{calendars_plain}. Whether it limits Calendars.ReadBasic is not known, so do not grant that instead.

Run it with -WhatIf first. Run it as often as you like.
In some tenants the policy takes effect after more than an hour, even if the test at the end has passed.

Who: Exchange Administrator.

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
    [string] $ExchangeEnvironment = @@{exchange_environment}
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

@@{part_exchange}

@@{part_wait_until}

@@{part_retry}

@@{part_group}

@@{part_existing_group}

@@{part_members}

@@{part_unexpected_members}

@@{part_test_room}

function Get-Access {
    param([string] $Mailbox)
    # Granted or Denied. Any other answer, such as a word in another language, is an error.
    $answer = [string](Test-ApplicationAccessPolicy -Identity $Mailbox -AppId $ClientId).AccessCheckResult
    Write-Host "${Mailbox}: $answer"
    if ($answer -notin @('Granted', 'Denied')) {
        throw "Test-ApplicationAccessPolicy returned '$answer', and not Granted or Denied. Check the result yourself."
    }
    $answer
}

if (-not $ClientId) {
    throw 'The client id is missing. Pass -ClientId with the application (client) id that register has printed.'
}
Connect-Exchange
$roomGroup = Get-ExistingRoomGroup
if ([string]$roomGroup.RecipientTypeDetails -ne 'MailUniversalSecurityGroup') {
    throw "$Group is not a mail-enabled security group, but $($roomGroup.RecipientTypeDetails). A policy accepts no other kind."
}
$testRoom = Get-TestRoom

# --- The policy ---

$policies = @(Get-ApplicationAccessPolicy | Where-Object { [string]$_.AppId -eq $ClientId })
$names = @([string]$roomGroup.Name, [string]$roomGroup.DisplayName, [string]$roomGroup.Identity)
$ours = @($policies | Where-Object { [string]$_.AccessRight -eq 'RestrictAccess' -and ([string]$_.ScopeName -in $names -or [string]$_.ScopeIdentity -in $names) })
$others = @($policies | Where-Object { [string]$_.AccessRight -eq 'RestrictAccess' -and $_ -notin $ours })
if ($others.Count -gt 0) {
    # Each such policy allows its own group, so these make the fence wider.
    $others | Format-Table -Property 'Identity', 'ScopeName', 'AccessRight', 'Description' | Out-Host
    throw 'The application has access policies for other groups, so it can read these too. Remove them first.'
}
if ($ours.Count -eq 0) {
    if ($PSCmdlet.ShouldProcess($ApplicationName, "limit it to the members of $Group")) {
        Invoke-WithRetry 'Making the policy' { New-ApplicationAccessPolicy -AccessRight RestrictAccess -AppId $ClientId -PolicyScopeGroupId ([string]$roomGroup.PrimarySmtpAddress) -Description $ApplicationName | Out-Null }
        # A server that does not know the policy yet answers Granted for everybody. Give no consent before that has changed.
        $null = Wait-Until 'the policy' { @($Canary | Where-Object { (Get-Access $_) -ne 'Denied' }).Count -eq 0 } 15
    }
}

# --- Test ---

Show-Stranger
if ($ours.Count -eq 0 -and $WhatIfPreference) {
    Write-Host 'Not tested: there is no policy yet.'
    return
}
$wrong = @()
if (-not (Wait-Until "$testRoom inside the policy" { (Get-Access $testRoom) -eq 'Granted' } 15)) {
    $wrong += "$testRoom is refused, for 15 minutes now; is it a member of $Group?"
}
foreach ($mailbox in $Canary) {
    if ((Get-Access $mailbox) -ne 'Denied') {
        $wrong += "$mailbox is an outsider, and is not refused"
    }
}
if ($wrong.Count -gt 0) {
    throw "THE FENCE DOES NOT HOLD: $($wrong -join '; '). Give no consent."
}
Write-Host "The fence holds: 1 inside, $($Canary.Count) outside refused. Wait an hour, then give consent."
