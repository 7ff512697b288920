function Get-CalendarsGrant {
    param([string] $ServicePrincipalId)
    @(Get-Grant $ServicePrincipalId | Where-Object { $_.Permission -eq @@{calendars} })
}

function Revoke-CalendarsGrant {
    param([string] $ServicePrincipalId)
    # Revokes @@{calendars_plain} if it was granted in Entra, for the whole organisation. Grants nothing.
    foreach ($grant in @(Get-CalendarsGrant $ServicePrincipalId)) {
        if ($PSCmdlet.ShouldProcess($ApplicationName, 'take back the Entra grant of @@{calendars_plain}')) {
            Remove-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $ServicePrincipalId -AppRoleAssignmentId $grant.Id
        }
    }
}

function Show-Excess {
    param([string] $ServicePrincipalId)
    # placed never requests more than these. Other permissions may allow mailboxes outside the fence.
    $wanted = @@{allowed_permissions}
    $more = @(Get-Grant $ServicePrincipalId | Where-Object { $_.Permission -notin $wanted })
    if ($more.Count -gt 0) {
        Write-Warning 'Granted in Entra, but not requested by placed:'
        $more | Format-Table -Property 'Resource', 'Permission' | Out-Host
        Write-Warning 'Revoke it: Entra admin center, Enterprise applications, Permissions.'
    }
}
