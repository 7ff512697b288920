function Get-RoomGroup {
    # By address or id. The comparison is needed: some Get cmdlets return everything for an unknown name.
    Get-DistributionGroup -Identity $Group -ErrorAction SilentlyContinue |
        Where-Object {
            [string]$_.PrimarySmtpAddress -eq $Group -or
            [string]$_.ExternalDirectoryObjectId -eq $Group -or
            [string]$_.Guid -eq $Group
        } |
        Select-Object -First 1
}
