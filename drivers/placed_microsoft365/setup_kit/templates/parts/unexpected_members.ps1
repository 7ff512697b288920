function Show-Stranger {
    # Whatever else is in the group can be read by placed, or is a nested group, which does not count everywhere.
    $strangers = @(Get-GroupMember | Where-Object { [string]$_.RecipientTypeDetails -ne 'RoomMailbox' })
    if ($strangers.Count -gt 0) {
        Write-Warning "In the group $Group, and no room mailbox:"
        $strangers | Format-Table -Property 'DisplayName', 'PrimarySmtpAddress', 'RecipientTypeDetails' | Out-Host
        Write-Warning 'Take them out, unless you know why they are in: placed may read every mailbox of the group.'
    }
}
