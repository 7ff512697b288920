# Publishes the calendars of meeting rooms at Exchange, and writes their links into the folder "links".
#
# Changes: each room's calendar is published (ICS) from yesterday on for three days ahead; unpublish-calendars.ps1
# takes that back. -WhatIf shows what it would do, and changes nothing. A second run does only what is missing.
# Needs: Connect-ExchangeOnline, or the Exchange Management Shell; the role Mail Recipients.
[CmdletBinding(SupportsShouldProcess)]
param()
$ErrorActionPreference = 'Stop'

$Rooms = @(
@@{rooms}
)
$Detail = @@{detail_literal}
$Folder = Join-Path $PSScriptRoot 'links'

function Get-CalendarIdentity([string] $Address) {
    # The folder's name depends on the mailbox's language.
    $Calendar = Get-MailboxFolderStatistics -Identity $Address -FolderScope Calendar |
        Where-Object { $_.FolderType -eq 'Calendar' } | Select-Object -First 1
    return $Address + ':\' + $Calendar.Name
}

foreach ($Room in $Rooms) {
    $Identity = Get-CalendarIdentity $Room.Address
    $Before = Get-MailboxCalendarFolder -Identity $Identity
    $Done = $Before.PublishEnabled -and $Before.DetailLevel -eq $Detail -and
        $Before.PublishDateRangeFrom -eq 'OneDay' -and $Before.PublishDateRangeTo -eq 'ThreeDays'
    if (-not $Done -and $PSCmdlet.ShouldProcess($Identity, "publish with $Detail, from yesterday to in three days")) {
        Set-MailboxCalendarFolder -Identity $Identity -PublishEnabled $true -DetailLevel $Detail `
            -PublishDateRangeFrom OneDay -PublishDateRangeTo ThreeDays -SearchableUrlEnabled $false
    }
    $Link = (Get-MailboxCalendarFolder -Identity $Identity).PublishedICalUrl
    if ($Link -and $PSCmdlet.ShouldProcess($Room.File, 'write the link')) {
        New-Item -ItemType Directory -Force -Path $Folder | Out-Null
        $Path = Join-Path $Folder $Room.File
        Set-Content -Path $Path -Value ($Link -replace '^http:', 'https:') -Encoding ascii
        Write-Host "$($Room.Address): published, its link is in $Path"
    }
}
Write-Host 'A link is a password: move the files to the server, and delete them here.'
