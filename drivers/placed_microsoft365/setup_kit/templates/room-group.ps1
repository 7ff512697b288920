#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }
<#
.SYNOPSIS
Creates the room group: a mail-enabled security group with the room mailboxes as direct members.

.DESCRIPTION
Grants nothing. The fence refers to this group: once the fence and the permission are in effect, placed can read the
calendars of its members, and of nobody else.

It adds missing rooms, removes nobody, and lists members that are not room mailboxes.
Run it with -WhatIf first. Run it again whenever there is a new room.

Who: Exchange Administrator.

.PARAMETER Rooms
Addresses of the room mailboxes.

.PARAMETER FromRoomList
Address of a room list. Its rooms are added too.

.PARAMETER AllRooms
Adds every room mailbox of the organisation.

.PARAMETER RoomList
Also creates a room list with this address and the same rooms, for Outlook's room finder. A room list is another kind
of group: it cannot be the fence, and does not change it.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string] $Tenant = @@{tenant},
    [string] $Group = @@{group},
    [string] $GroupName = @@{group_name},
    [string[]] $Rooms = @@{rooms},
    [string] $FromRoomList = @@{from_room_list},
    [switch] $AllRooms@@{all_rooms},
    [string] $RoomList = '',
    [string] $ExchangeEnvironment = @@{exchange_environment}
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

@@{part_exchange}

@@{part_wait_until}

@@{part_retry}

@@{part_group}

@@{part_members}

@@{part_unexpected_members}

function Get-Room {
    param([string] $Address)
    # For an address that is not a room mailbox: a warning only. A person must not get into the group by mistake.
    $found = @(Get-Recipient -Identity $Address -ErrorAction SilentlyContinue |
            Where-Object { [string]$_.PrimarySmtpAddress -eq $Address -or "smtp:$Address" -in @($_.EmailAddresses) })
    if ($found.Count -eq 0) {
        Write-Warning "There is no mailbox ${Address}: not added."
    }
    elseif ([string]$found[0].RecipientTypeDetails -ne 'RoomMailbox') {
        Write-Warning "$Address is not a room mailbox, but $($found[0].RecipientTypeDetails): not added."
    }
    else {
        $found[0]
    }
}

Connect-Exchange

# --- The group ---

$existing = Get-RoomGroup
if ($null -eq $existing) {
    if ($Group -notlike '*@*') {
        throw "There is no group with the id $Group. Pass an address to create one."
    }
    if ($PSCmdlet.ShouldProcess($Group, 'make the mail-enabled security group')) {
        # Of the kind Security, because an application access policy takes no other. Nobody joins by himself.
        New-DistributionGroup -Name $GroupName -Type Security -PrimarySmtpAddress $Group -MemberJoinRestriction Closed -MemberDepartRestriction Closed -Notes 'Rooms whose calendars placed may read' | Out-Null
        if (-not (Wait-Until "the group $Group" { $null -ne (Get-RoomGroup) } 15)) {
            throw 'The group was created, but not every server knows it yet. Run this again in an hour: what is done stays done.'
        }
    }
}
elseif ([string]$existing.RecipientTypeDetails -ne 'MailUniversalSecurityGroup') {
    throw "$Group is not a mail-enabled security group, but $($existing.RecipientTypeDetails). Choose another."
}

# --- The rooms ---

$wanted = @()
if ($AllRooms) {
    $wanted += @(Get-Recipient -RecipientTypeDetails RoomMailbox -ResultSize Unlimited)
}
if ($FromRoomList) {
    $wanted += @(Get-DistributionGroupMember -Identity $FromRoomList -ResultSize Unlimited |
            Where-Object { [string]$_.RecipientTypeDetails -eq 'RoomMailbox' })
}
foreach ($address in $Rooms) {
    $wanted += @(Get-Room $address)
}
$addresses = @($wanted | ForEach-Object { [string]$_.PrimarySmtpAddress } | Sort-Object -Unique)

$members = @()
if ($null -ne (Get-RoomGroup)) {
    $members = @(Get-GroupMember | ForEach-Object { [string]$_.PrimarySmtpAddress })
}
foreach ($address in $addresses) {
    if ($address -notin $members) {
        if ($PSCmdlet.ShouldProcess($Group, "add the room $address")) {
            Invoke-WithRetry "Adding $address" { Add-DistributionGroupMember -Identity $Group -Member $address -BypassSecurityGroupManagerCheck }
        }
    }
}

# --- The room list, if it is wanted ---

if ($RoomList) {
    $list = @(Get-DistributionGroup -RecipientTypeDetails RoomList -ResultSize Unlimited |
            Where-Object { [string]$_.PrimarySmtpAddress -eq $RoomList })
    $listed = @()
    if ($list.Count -gt 0) {
        $listed = @(Get-DistributionGroupMember -Identity $RoomList -ResultSize Unlimited | ForEach-Object { [string]$_.PrimarySmtpAddress })
    }
    elseif ($PSCmdlet.ShouldProcess($RoomList, 'make the room list')) {
        New-DistributionGroup -Name "$GroupName list" -RoomList -PrimarySmtpAddress $RoomList | Out-Null
    }
    foreach ($address in $addresses) {
        if ($address -notin $listed) {
            if ($PSCmdlet.ShouldProcess($RoomList, "add the room $address")) {
                Invoke-WithRetry "Adding $address" { Add-DistributionGroupMember -Identity $RoomList -Member $address -BypassSecurityGroupManagerCheck }
            }
        }
    }
}

# --- What is in it now ---

if ($null -ne (Get-RoomGroup)) {
    if ($addresses.Count -gt 0) {
        # Waits until all members are visible: the next script may ask another server.
        $null = Wait-Until "all $($addresses.Count) rooms in the group" { @($addresses | Where-Object { $_ -notin @(Get-GroupMember | ForEach-Object { [string]$_.PrimarySmtpAddress }) }).Count -eq 0 } 15
    }
    Show-Stranger
    $inGroup = @(Get-RoomMember)
    Write-Host "$($inGroup.Count) rooms are in the group $Group."
    if ($inGroup.Count -eq 0 -and -not $WhatIfPreference) {
        throw 'The group has no rooms. Pass them: -Rooms a@example.com, b@example.com, or -FromRoomList, or -AllRooms.'
    }
}
