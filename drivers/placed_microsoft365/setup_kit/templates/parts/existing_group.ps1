function Get-ExistingRoomGroup {
    # A group that was made a moment ago is not known to every server yet.
    if (-not (Wait-Until "the group $Group" { $null -ne (Get-RoomGroup) } 3)) {
        throw "There is no group $Group. Run room-group.ps1 first."
    }
    Get-RoomGroup
}
