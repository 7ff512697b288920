function Show-Stranger {
    # placed can read every other member of the group, too; a nested group does not count everywhere.
    $strangers = @(Get-GroupMember | Where-Object { [string]$_.RecipientTypeDetails -ne 'RoomMailbox' })
    if ($strangers.Count -gt 0) {
        Write-Warning "Members of the group $Group that are not room mailboxes:"
        $strangers | Format-Table -Property 'DisplayName', 'PrimarySmtpAddress', 'RecipientTypeDetails' | Out-Host
        Write-Warning 'Remove them unless you know why they are members: placed can read every mailbox of the group.'
    }
}
