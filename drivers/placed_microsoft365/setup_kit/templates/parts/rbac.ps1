function Confirm-Customization {
    # Grants nothing. Microsoft stores the settings of a new or small organisation in a shared place ("dehydrated"),
    # and for these refuses New-ManagementScope and New-ManagementRoleAssignment with
    # CmdletInvalidOperationInDehydratedContextException. Enable-OrganizationCustomization is needed once, and stays.
    if (-not [bool](Get-OrganizationConfig).IsDehydrated) {
        return
    }
    if ($PSCmdlet.ShouldProcess($Tenant, 'give the organisation settings of its own, once and for good: Enable-OrganizationCustomization')) {
        try {
            Enable-OrganizationCustomization
        }
        catch {
            # It has run already: "This operation is not required."
            if ([string]$_.Exception.Message -notmatch 'not required|already enabled') {
                throw
            }
        }
        if (-not (Wait-Until 'the settings of the organisation' { -not [bool](Get-OrganizationConfig).IsDehydrated } 30)) {
            throw 'Enable-OrganizationCustomization has run, but is not in effect yet. Run this again in some hours; it continues where it stopped.'
        }
    }
}

function Confirm-Scope {
    param([string] $DistinguishedName)
    # Grants nothing by itself: it selects the mailboxes of a role assignment, the direct members of the group.
    $filter = "MemberOfGroup -eq '$(Get-Quoted $DistinguishedName)'"
    $scope = @(Get-ManagementScope | Where-Object { $_.Name -eq $ScopeName })
    if ($scope.Count -eq 0) {
        if ($PSCmdlet.ShouldProcess($ScopeName, "make the management scope $filter")) {
            Invoke-WithRetry 'Making the scope' { New-ManagementScope -Name $ScopeName -RecipientRestrictionFilter $filter | Out-Null }
            if (-not (Wait-Until 'the scope' { @(Get-ManagementScope | Where-Object { $_.Name -eq $ScopeName }).Count -gt 0 } 15)) {
                throw 'The scope was created, but not every server knows it yet. Run this again in an hour; it continues where it stopped.'
            }
        }
    }
    elseif (([string]$scope[0].RecipientFilter).Trim('(', ')', ' ') -ne $filter) {
        if ($PSCmdlet.ShouldProcess($ScopeName, "set the management scope to $filter")) {
            Invoke-WithRetry 'Setting the scope' { Set-ManagementScope -Identity $ScopeName -RecipientRestrictionFilter $filter }
        }
    }
}

function Confirm-Pointer {
    param([string] $AppId, [string] $ObjectId)
    # Grants nothing by itself: it makes the enterprise application known to Exchange.
    $pointer = @(Get-ServicePrincipal | Where-Object { [string]$_.AppId -eq $AppId })
    if ($pointer.Count -eq 0) {
        if ($PSCmdlet.ShouldProcess($ApplicationName, 'make the service principal known to Exchange')) {
            Invoke-WithRetry 'Making the service principal known' { New-ServicePrincipal -AppId $AppId -ObjectId $ObjectId -DisplayName $ApplicationName | Out-Null }
            if (-not (Wait-Until 'the service principal' { @(Get-ServicePrincipal | Where-Object { [string]$_.AppId -eq $AppId }).Count -gt 0 } 15)) {
                throw 'The service principal was created, but not every server knows it yet. Run this again in an hour; it continues where it stopped.'
            }
        }
    }
}

function Get-Authorization {
    param([string] $AppId)
    # What RBAC for Applications allows the application. Nothing if Exchange does not know it yet.
    $pointer = @(Get-ServicePrincipal | Where-Object { [string]$_.AppId -eq $AppId })
    if ($pointer.Count -gt 0) {
        @(Test-ServicePrincipalAuthorization -Identity $AppId)
    }
}

function Confirm-Assignment {
    param([string] $AppId, [string] $ObjectId)
    # Grants: reading calendars, of the mailboxes in the scope. One command sets role and scope, so the role is
    # never without a scope.
    $ours = @(Get-Authorization $AppId | Where-Object { $_.RoleName -eq $Role -and $_.AllowedResourceScope -eq $ScopeName })
    if ($ours.Count -eq 0) {
        if ($PSCmdlet.ShouldProcess($ApplicationName, "assign the role '$Role' in the scope $ScopeName")) {
            Invoke-WithRetry 'Assigning the role' { New-ManagementRoleAssignment -Name $AssignmentName -App $ObjectId -Role $Role -CustomResourceScope $ScopeName | Out-Null }
            if (-not (Wait-Until 'the assignment' { @(Get-Authorization $AppId).Count -gt 0 } 15)) {
                throw 'The role was assigned, but not every server knows it yet. Run this again in an hour; it continues where it stopped.'
            }
        }
    }
}

function Test-Fence {
    param([string] $AppId, [string[]] $Inside, [string[]] $Outside)
    # Asks Exchange, bypassing its caches. Fails unless rooms are allowed, canaries are refused, and nothing else is granted.
    $all = @(Get-Authorization $AppId)
    if ($all.Count -eq 0) {
        if ($WhatIfPreference) {
            Write-Host 'Not tested: there is no role assignment yet.'
            return
        }
        throw 'The fence was not tested: Exchange knows no role assignment of the application.'
    }
    $wrong = @()
    foreach ($row in $all) {
        if ($row.RoleName -ne $Role -or $row.AllowedResourceScope -ne $ScopeName) {
            $wrong += "it also holds the role '$($row.RoleName)' in the scope $($row.AllowedResourceScope)"
        }
    }
    foreach ($mailbox in $Inside) {
        # A member is in the scope once the server knows the membership. There is no wait for canaries: a readable one
        # is reported at once.
        $null = Wait-Until "$mailbox in the scope" { @(Test-ServicePrincipalAuthorization -Identity $AppId -Resource $mailbox | Where-Object { [string]$_.InScope -eq 'True' }).Count -gt 0 } 15
        $rows = @(Test-ServicePrincipalAuthorization -Identity $AppId -Resource $mailbox)
        $rows | Format-Table -Property 'RoleName', 'AllowedResourceScope', 'ScopeType', 'InScope' | Out-Host
        if (@($rows | Where-Object { [string]$_.InScope -eq 'True' }).Count -eq 0) {
            $wrong += "$mailbox is not in the scope, for 15 minutes now; is it a direct member of $Group?"
        }
    }
    foreach ($mailbox in $Outside) {
        $rows = @(Test-ServicePrincipalAuthorization -Identity $AppId -Resource $mailbox)
        $rows | Format-Table -Property 'RoleName', 'AllowedResourceScope', 'ScopeType', 'InScope' | Out-Host
        if ($rows.Count -eq 0 -or @($rows | Where-Object { [string]$_.InScope -ne 'False' }).Count -gt 0) {
            $wrong += "$mailbox is an outsider, and is not refused"
        }
    }
    if ($wrong.Count -gt 0) {
        throw "THE FENCE DOES NOT HOLD: $($wrong -join '; ')"
    }
    Write-Host "The fence holds: $($Inside.Count) inside, $($Outside.Count) outside refused."
}
