function Get-ExistingRoomGroup {
    # Some servers do not know yet a group that was just created.
    if (-not (Wait-Until "the group $Group" { $null -ne (Get-RoomGroup) } 3)) {
        throw "There is no group $Group. Run room-group.ps1 first."
    }
    Get-RoomGroup
}
