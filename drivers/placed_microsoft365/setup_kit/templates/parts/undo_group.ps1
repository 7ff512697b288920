# 5. The group.
if ($RemoveGroup -and $null -ne (Get-RoomGroup)) {
    if ($PSCmdlet.ShouldProcess($Group, 'remove the room group')) {
        Remove-DistributionGroup -Identity $Group -BypassSecurityGroupManagerCheck -Confirm:$false
    }
}
