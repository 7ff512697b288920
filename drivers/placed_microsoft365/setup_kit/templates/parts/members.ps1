function Get-GroupMember {
    # Direct members only: RBAC for Applications counts no nested ones, so neither does this kit.
    @(Get-DistributionGroupMember -Identity $Group -ResultSize Unlimited)
}

function Get-RoomMember {
    @(Get-GroupMember | Where-Object { [string]$_.RecipientTypeDetails -eq 'RoomMailbox' })
}
