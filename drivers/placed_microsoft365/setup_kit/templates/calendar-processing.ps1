#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }
<#
.SYNOPSIS
Shows what each room's calendar keeps of a booking, and changes it if titles are wanted.

.DESCRIPTION
Without a switch it changes nothing: it prints a table, and writes it to calendar-processing.csv.

What Exchange does by default to a booking that a room accepts:
  DeleteSubject           true    the title is deleted
  AddOrganizerToSubject   true    the organizer's name is put in its place
  RemovePrivateProperty   true    a private meeting is not marked as private any more
  RemoveCanceledMeetings  false   a cancelled meeting may stay; placed does not count it

placed needs no change here: it publishes free and busy. Only panels that show titles need -ShowTitles.

WHAT -ShowTitles DOES TO PRIVACY. From then on the room's calendar holds the real title of every new booking, and
every person who can see the details of that calendar in Outlook can read it, not only placed. The mark of private
meetings is kept at the same time, so that placed and Outlook can hide their titles. Earlier bookings do not change.
First ask the people who decide about privacy in your organisation. placed itself shows titles only with the setting
[privacy] show = "title".

-HideTitles sets the three properties back to Exchange's defaults.

Who: Exchange Administrator.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string] $Tenant = @@{tenant},
    [string] $Group = @@{group},
    [string] $ExchangeEnvironment = @@{exchange_environment},
    [string] $Csv = (Join-Path $PSScriptRoot 'calendar-processing.csv'),
    [switch] $ShowTitles,
    [switch] $HideTitles
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

@@{part_exchange}

@@{part_wait_until}

@@{part_group}

@@{part_existing_group}

@@{part_members}

if ($ShowTitles -and $HideTitles) {
    throw 'Choose one of -ShowTitles and -HideTitles.'
}
Connect-Exchange
Get-ExistingRoomGroup | Out-Null

$report = foreach ($member in @(Get-RoomMember)) {
    $address = [string]$member.PrimarySmtpAddress
    $processing = Get-CalendarProcessing -Identity $address
    if ($ShowTitles) {
        if ($PSCmdlet.ShouldProcess($address, 'keep titles, and the mark of private meetings')) {
            # DeleteSubject and AddOrganizerToSubject: the title stays. RemovePrivateProperty: so does the mark.
            Set-CalendarProcessing -Identity $address -DeleteSubject $false -AddOrganizerToSubject $false -RemovePrivateProperty $false
            $processing = Get-CalendarProcessing -Identity $address
        }
    }
    if ($HideTitles) {
        if ($PSCmdlet.ShouldProcess($address, 'delete titles from new bookings')) {
            Set-CalendarProcessing -Identity $address -DeleteSubject $true -AddOrganizerToSubject $true -RemovePrivateProperty $true
            $processing = Get-CalendarProcessing -Identity $address
        }
    }
    [pscustomobject]@{
        Room                   = $address
        AutomateProcessing     = [string]$processing.AutomateProcessing
        DeleteSubject          = $processing.DeleteSubject
        AddOrganizerToSubject  = $processing.AddOrganizerToSubject
        RemovePrivateProperty  = $processing.RemovePrivateProperty
        RemoveCanceledMeetings = $processing.RemoveCanceledMeetings
    }
}
$report | Format-Table -AutoSize | Out-Host
$report | Export-Csv -LiteralPath $Csv -NoTypeInformation -WhatIf:$false
Write-Host "Written to $Csv."
$unprotected = @($report | Where-Object { $_.DeleteSubject -eq $false -and $_.RemovePrivateProperty -eq $true })
if ($unprotected.Count -gt 0) {
    Write-Warning "$($unprotected.Count) rooms keep titles and lose the mark of private meetings: their titles cannot be hidden. -ShowTitles or -HideTitles fixes this."
}
