# Publishes the calendars of meeting rooms no more: their links lead nowhere from then on.
#
# Changes: each room's calendar is not published any more. -WhatIf shows what it would do, and changes nothing.
# Needs: Connect-ExchangeOnline, or the Exchange Management Shell; the role Mail Recipients.
[CmdletBinding(SupportsShouldProcess)]
param()
$ErrorActionPreference = 'Stop'

$Rooms = @(
@@{rooms}
)

foreach ($Room in $Rooms) {
    $Calendar = Get-MailboxFolderStatistics -Identity $Room.Address -FolderScope Calendar |
        Where-Object { $_.FolderType -eq 'Calendar' } | Select-Object -First 1
    $Identity = $Room.Address + ':\' + $Calendar.Name
    if (-not (Get-MailboxCalendarFolder -Identity $Identity).PublishEnabled) {
        Write-Host "$($Room.Address): is not published"
    } elseif ($PSCmdlet.ShouldProcess($Identity, 'publish no more')) {
        Set-MailboxCalendarFolder -Identity $Identity -PublishEnabled $false
        Write-Host "$($Room.Address): is not published any more"
    }
}
