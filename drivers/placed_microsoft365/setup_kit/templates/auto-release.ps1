#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }
<#
.SYNOPSIS
Shows in which rooms Exchange itself releases meetings that nobody checked in to, and switches that off on request.

.DESCRIPTION
Without a switch it changes nothing: it prints EnableAutoRelease of every room of the group.

A room has one master. Where EnableAutoRelease is on, Exchange releases a meeting some minutes after its start unless
a panel of Microsoft checked it in. Exchange does not know check-ins of placed, so it also releases meetings that
somebody checked in at a panel of placed. Switch it off in every room where placed waits for check-ins.

-SwitchOff sets EnableAutoRelease to false for every room that has it. Microsoft: a change takes up to 48 hours.
With -WhatIf it shows these rooms, and changes nothing.

Who: Exchange Administrator.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string] $Tenant = @@{tenant},
    [string] $Group = @@{group},
    [string] $ExchangeEnvironment = @@{exchange_environment},
    [switch] $SwitchOff
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

@@{part_exchange}

@@{part_wait_until}

@@{part_group}

@@{part_existing_group}

@@{part_members}

Connect-Exchange
Get-ExistingRoomGroup | Out-Null

$report = foreach ($member in @(Get-RoomMember)) {
    $address = [string]$member.PrimarySmtpAddress
    $processing = Get-CalendarProcessing -Identity $address
    if ($SwitchOff -and $processing.EnableAutoRelease) {
        if ($PSCmdlet.ShouldProcess($address, 'switch EnableAutoRelease off')) {
            Set-CalendarProcessing -Identity $address -EnableAutoRelease $false
            $processing = Get-CalendarProcessing -Identity $address
        }
    }
    [pscustomobject]@{
        Room                                 = $address
        EnableAutoRelease                    = $processing.EnableAutoRelease
        PostReservationMaxClaimTimeInMinutes = $processing.PostReservationMaxClaimTimeInMinutes
    }
}
$report | Format-Table -AutoSize | Out-Host
$released = @($report | Where-Object { $_.EnableAutoRelease })
if ($released.Count -gt 0) {
    Write-Warning "Exchange releases meetings in $($released.Count) rooms by itself. -SwitchOff ends that; it takes up to 48 hours."
}
