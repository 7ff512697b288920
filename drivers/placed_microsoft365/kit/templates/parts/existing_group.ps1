function Get-ExistingRoomGroup {
    $found = Get-RoomGroup
    if ($null -eq $found) {
        throw "There is no group $Group. Run room-group.ps1 first."
    }
    $found
}
