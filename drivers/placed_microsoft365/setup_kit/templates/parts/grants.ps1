function Get-Grant {
    param([string] $ServicePrincipalId)
    # Every application permission that was granted in Entra, by its name.
    foreach ($grant in @(Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $ServicePrincipalId -All)) {
        $resource = Get-MgServicePrincipal -ServicePrincipalId $grant.ResourceId
        $role = @($resource.AppRoles | Where-Object { [string]$_.Id -eq [string]$grant.AppRoleId })
        $permission = [string]$grant.AppRoleId
        if ($role.Count -gt 0) {
            $permission = [string]$role[0].Value
        }
        [pscustomobject]@{ Id = $grant.Id; Resource = $resource.DisplayName; Permission = $permission }
    }
}
