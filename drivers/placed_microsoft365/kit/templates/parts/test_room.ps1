function Get-TestRoom {
    # The room that the fence is tried with: the one that was given, else the first of the group.
    if ($Room) {
        return $Room
    }
    $members = @(Get-RoomMember)
    if ($members.Count -eq 0) {
        throw "The group $Group has no room mailbox as a direct member. Run room-group.ps1 first."
    }
    [string]$members[0].PrimarySmtpAddress
}
