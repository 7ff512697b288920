function Get-TestRoom {
    # The room to test the fence with: the given one, else the first of the group.
    if ($Room) {
        return $Room
    }
    if (-not (Wait-Until "the rooms of the group $Group" { @(Get-RoomMember).Count -gt 0 } 3)) {
        throw "The group $Group has no room mailbox as a direct member. Run room-group.ps1 first."
    }
    [string]@(Get-RoomMember)[0].PrimarySmtpAddress
}
